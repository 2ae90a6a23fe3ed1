"""How long a trained network takes, in PyTorch and in onnxruntime."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from naokit.base import InputError
from naokit.networks import latencies_ms, timings_ms

SECONDS = 3.0
"""Longest that one latency is measured, three runs aside."""


@dataclass(frozen=True)
class Latency:
    """Time of one batch.

    Attributes:
        batch: images in it.
        median_ms: milliseconds.
        spread_ms: half the distance between the quartiles, milliseconds.
        runs: how many were timed after the warm-up.
    """

    batch: int
    median_ms: float
    spread_ms: float
    runs: int

    @classmethod
    def of(cls, batch: int, timings: Sequence[float]) -> Latency:
        """The latency that timings (milliseconds) show."""
        first, median, third = statistics.quantiles(timings, n=4)
        return cls(batch, median, (third - first) / 2, len(timings))


def torch_latency(network: nn.Module, image: tuple[int, int, int], batch: int) -> Latency:
    """In PyTorch, in eval mode, on the CPU."""
    network.eval()
    return Latency.of(batch, latencies_ms(network, image, batch=batch, seconds=SECONDS))


def onnx_latency(path: Path, image: tuple[int, int, int], batch: int) -> Latency:
    """In onnxruntime, on as many threads as PyTorch uses.

    Raises:
        InputError: onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError("timing ONNX needs onnxruntime: pip install 'naokit[export]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = {"images": torch.randn(batch, *image).numpy()}
    return Latency.of(batch, timings_ms(lambda: session.run(["logits"], feed), 20, SECONDS))
