"""What a network costs: parameters, multiply-accumulates, latency, memory."""

from __future__ import annotations

import statistics
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from naokit.networks import count_macs, count_parameters, latencies_ms


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
    latencies = latencies_ms(network, image, repeats)
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


@torch.no_grad()
def _peak_memory(network: nn.Module, images: torch.Tensor) -> int:
    """Bytes: the most that intermediate results held at one time."""
    with _LiveMemory() as memory:
        network(images)
    return int(memory.peak)


class _LiveMemory(TorchDispatchMode):
    """Adds up the storages that operations make, until each is freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.sizes: weakref.WeakKeyDictionary[torch.UntypedStorage, int]
        self.sizes = weakref.WeakKeyDictionary()
        self.peak = 0

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        del types
        outputs = func(*args, **(kwargs or {}))
        given = {id(t.untyped_storage()) for t in tree_leaves(args) if isinstance(t, torch.Tensor)}
        for output in tree_leaves(outputs):
            if isinstance(output, torch.Tensor) and id(output.untyped_storage()) not in given:
                self.sizes[output.untyped_storage()] = output.untyped_storage().nbytes()
        self.peak = max(self.peak, sum(self.sizes.values()))
        return outputs
