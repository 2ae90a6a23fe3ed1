"""The latency of a trained network in PyTorch and in onnxruntime."""

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
"""The longest time that one latency is measured, without the first three runs."""


@dataclass(frozen=True)
class Latency:
    """The time of one batch.

    Attributes:
        batch: The number of images in the batch.
        median_ms: The median in milliseconds.
        spread_ms: Half the distance between the quartiles, in milliseconds.
        runs: The number of runs that were timed after the warm-up.
    """

    batch: int
    median_ms: float
    spread_ms: float
    runs: int

    @classmethod
    def of(cls, batch: int, timings: Sequence[float]) -> Latency:
        """The latency that follows from timings in milliseconds."""
        first, median, third = statistics.quantiles(timings, n=4)
        return cls(batch, median, (third - first) / 2, len(timings))


def torch_latency(network: nn.Module, image: tuple[int, int, int], batch: int) -> Latency:
    """The latency in PyTorch, in eval mode, on the CPU."""
    network.eval()
    return Latency.of(batch, latencies_ms(network, image, batch=batch, seconds=SECONDS))


def onnx_latency(path: Path, image: tuple[int, int, int], batch: int) -> Latency:
    """The latency in onnxruntime, on as many threads as PyTorch uses.

    Raises:
        InputError: The package onnxruntime is not installed.
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
