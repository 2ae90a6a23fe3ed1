"""What a network costs: parameters, multiply-accumulates, latency, memory."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from naokit.networks import count_macs, count_parameters

WARM_UP = 3


@dataclass(frozen=True)
class Profile:
    """Costs of one network on this machine.

    Attributes:
        parameters: without the auxiliary head.
        auxiliary_parameters: of the auxiliary head.
        macs: multiply-accumulates of convolutions and linear layers for one image.
        latency_ms: median time of one image, milliseconds.
        latency_spread_ms: half the distance between its quartiles, milliseconds.
        weights_mb: size of the parameters and buffers, megabytes.
        peak_memory_mb: largest sum of live intermediate results for one image, megabytes.
        threads: that torch used.
    """

    parameters: int
    auxiliary_parameters: int
    macs: int
    latency_ms: float
    latency_spread_ms: float
    weights_mb: float
    peak_memory_mb: float
    threads: int


def measure(network: nn.Module, image: tuple[int, int, int], repeats: int = 20) -> Profile:
    """Runs the network on one image (C, H, W) at a time, in eval mode, on the CPU."""
    network.eval()
    images = torch.randn(1, *image)
    latencies = _latencies(network, images, repeats)
    quartiles = statistics.quantiles(latencies, n=4)
    weights = [*network.parameters(), *network.buffers()]
    parameters = count_parameters(network)
    return Profile(
        parameters=parameters,
        auxiliary_parameters=count_parameters(network, auxiliary=True) - parameters,
        macs=count_macs(network, image),
        latency_ms=quartiles[1],
        latency_spread_ms=(quartiles[2] - quartiles[0]) / 2,
        weights_mb=sum(w.numel() * w.element_size() for w in weights) / 1e6,
        peak_memory_mb=_peak_memory(network, images) / 1e6,
        threads=torch.get_num_threads(),
    )


@torch.inference_mode()
def _latencies(network: nn.Module, images: torch.Tensor, repeats: int) -> list[float]:
    """Milliseconds of each run after the warm-up."""
    found = []
    for run in range(WARM_UP + repeats):
        began = time.perf_counter()
        network(images)
        if run >= WARM_UP:
            found.append(1000 * (time.perf_counter() - began))
    return found


@torch.inference_mode()
def _peak_memory(network: nn.Module, images: torch.Tensor) -> int:
    """Bytes: the largest running sum of what torch allocates and frees."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        network(images)
    results = recorded.profiler.kineto_results if recorded.profiler else None
    events = [] if results is None else [e for e in results.events() if e.name() == "[memory]"]
    live = peak = 0
    for event in sorted(events, key=lambda e: int(e.start_ns())):
        live += int(event.nbytes())
        peak = max(peak, live)
    return peak
