"""What an image classifier costs: parameters, multiply-accumulates, latency, memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from naokit.networks import count_macs, count_parameters
from naokit.profiling.latency import torch_latency
from naokit.profiling.memory import inference_bytes, weight_bytes

BATCHES = (1, 64)
"""Images in the batches whose latency is measured."""


@dataclass(frozen=True)
class Profile:
    """Costs of using one network on this machine.

    Attributes:
        parameters: The number of parameters without the auxiliary head.
        auxiliary_parameters: The number of parameters of the auxiliary head.
        macs: The multiply-accumulates of convolutions and linear layers for one image.
        latency_ms: The median time of one image, in milliseconds.
        latency_spread_ms: Half the distance between the quartiles of that time, in milliseconds.
        latency_64_ms: The median time of 64 images at once, in milliseconds.
        latency_64_spread_ms: Half the distance between the quartiles of that time, in milliseconds.
        weights_mb: The size of the parameters and buffers without the auxiliary head, in megabytes.
        peak_memory_mb: The largest sum of live intermediate results for one image, in megabytes.
        peak_memory_64_mb: The same for 64 images at once, in megabytes.
        threads: The number of threads that torch used.
    """

    parameters: int
    auxiliary_parameters: int
    macs: int
    latency_ms: float
    latency_spread_ms: float
    latency_64_ms: float
    latency_64_spread_ms: float
    weights_mb: float
    peak_memory_mb: float
    peak_memory_64_mb: float
    threads: int


def measure(network: nn.Module, image: tuple[int, int, int]) -> Profile:
    """Costs of the network in eval mode on images (C, H, W), on the CPU."""
    latency, held = latency_figures(network, image), memory_figures(network, image)
    return Profile(**count_figures(network, image), **latency, **held)


def count_figures(network: nn.Module, image: tuple[int, int, int]) -> dict[str, Any]:
    """The fields of a `Profile` that are counted: also of a network without weights."""
    parameters = count_parameters(network)
    return {
        "parameters": parameters,
        "auxiliary_parameters": count_parameters(network, auxiliary=True) - parameters,
        "macs": count_macs(network, image),
        "weights_mb": weight_bytes(network, auxiliary=False) / 1e6,
    }


def memory_figures(network: nn.Module, image: tuple[int, int, int]) -> dict[str, Any]:
    """The memory that its use takes; the network is in eval mode afterwards."""
    held = inference_bytes(network, image) / 1e6
    return {"peak_memory_mb": held, "peak_memory_64_mb": held * BATCHES[1]}


def latency_figures(network: nn.Module, image: tuple[int, int, int]) -> dict[str, Any]:
    """The time that its use takes."""
    one, many = (torch_latency(network, image, batch) for batch in BATCHES)
    return {
        "latency_ms": one.median_ms,
        "latency_spread_ms": one.spread_ms,
        "latency_64_ms": many.median_ms,
        "latency_64_spread_ms": many.spread_ms,
        "threads": torch.get_num_threads(),
    }
