"""The costs of a network of any kind: latency, memory, hours of training."""

from naokit.profiling.latency import Latency, onnx_latency, torch_latency
from naokit.profiling.memory import inference_bytes, training_bytes, weight_bytes
from naokit.profiling.steps import Estimate, Steps, measure_steps

__all__ = [
    "Estimate",
    "Latency",
    "Steps",
    "inference_bytes",
    "measure_steps",
    "onnx_latency",
    "torch_latency",
    "training_bytes",
    "weight_bytes",
]
