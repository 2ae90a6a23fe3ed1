"""What an image classifier costs: parameters, multiply-accumulates, latency, memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import nn

from naokit.networks import count_macs, count_parameters
from naokit.profiling.latency import Latency, torch_latency
from naokit.profiling.memory import inference_bytes, weight_bytes

BATCHES = (1, 64)
"""Images in the batches whose latency is measured."""


@dataclass(frozen=True)
class Counts:
    """What is counted of a network.

    Attributes:
        parameters: The number of parameters without the auxiliary head.
        auxiliary_parameters: The number of parameters of the auxiliary head.
        macs: The multiply-accumulates of convolutions and linear layers for one image.
        weights_mb: The size of the parameters and buffers without the auxiliary head, in megabytes.
    """

    parameters: int
    auxiliary_parameters: int
    macs: int
    weights_mb: float


@dataclass(frozen=True)
class Held:
    """The memory that the use of a network takes besides its weights.

    Attributes:
        peak_memory_mb: The largest sum of live intermediate results for one image, in megabytes.
        peak_memory_64_mb: The same for 64 images at once, in megabytes.
    """

    peak_memory_mb: float
    peak_memory_64_mb: float


@dataclass(frozen=True)
class Timings:
    """The time that the use of a network takes.

    Attributes:
        latency_ms: The median time of one image, in milliseconds.
        latency_spread_ms: Half the distance between the quartiles of that time, in milliseconds.
        latency_64_ms: The median time of 64 images at once, in milliseconds.
        latency_64_spread_ms: Half the distance between the quartiles of that time, in milliseconds.
    """

    latency_ms: float
    latency_spread_ms: float
    latency_64_ms: float
    latency_64_spread_ms: float

    @classmethod
    def of(cls, one: Latency, many: Latency) -> Timings:
        """The timings of one image and of 64."""
        return cls(one.median_ms, one.spread_ms, many.median_ms, many.spread_ms)


@dataclass(frozen=True)
class Profile(Timings, Held, Counts):
    """Costs of using one network on this machine: what is counted, its memory, its time.

    Attributes:
        threads: The number of threads that torch used.
    """

    threads: int


def measure(network: nn.Module, image: tuple[int, int, int]) -> Profile:
    """Costs of the network in eval mode on images (C, H, W), on the CPU."""
    timings, held = measure_latency(network, image), measure_memory(network, image)
    counts = count_network(network, image)
    threads = torch.get_num_threads()
    return Profile(**asdict(counts), **asdict(held), **asdict(timings), threads=threads)


def count_network(network: nn.Module, image: tuple[int, int, int]) -> Counts:
    """What is counted, also of a network without weights."""
    parameters = count_parameters(network)
    return Counts(
        parameters,
        count_parameters(network, auxiliary=True) - parameters,
        count_macs(network, image),
        weight_bytes(network, auxiliary=False) / 1e6,
    )


def measure_memory(network: nn.Module, image: tuple[int, int, int]) -> Held:
    """The memory that its use takes; the network is in eval mode afterwards."""
    held = inference_bytes(network, image) / 1e6
    return Held(held, held * BATCHES[1])


def measure_latency(network: nn.Module, image: tuple[int, int, int]) -> Timings:
    """The time that its use takes."""
    one, many = (torch_latency(network, image, batch) for batch in BATCHES)
    return Timings.of(one, many)
