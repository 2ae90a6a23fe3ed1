"""How layers normalise while a network is looked at whose running statistics mean little."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Normalises by the statistics of each batch, without a trace in the running ones.

    Those of a shared network are of all cells together, which suits none of them; those of an
    untrained one are of nothing.
    """
    network.eval()
    layers = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    tracked = [layer.track_running_stats for layer in layers]
    for layer in layers:
        layer.training, layer.track_running_stats = True, False
    try:
        yield
    finally:
        for layer, before in zip(layers, tracked, strict=True):
            layer.training, layer.track_running_stats = False, before


@torch.no_grad()
def take_statistics(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Takes the running statistics anew: the means of those of some examples, by today's weights.

    While weights change fast, running statistics are those of weights that are gone. They mislead
    what is measured most in the first epochs. See Wu and Johnson 2021, Rethinking "Batch" in
    BatchNorm, arXiv 2105.07576, section 3. The network is in eval mode afterwards.

    Args:
        network: The network. Nothing happens where it normalises by no running statistics.
        batches: What it is shown, each as it takes it; read only if there is something to take.
    """
    network.eval()
    layers = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    layers = [layer for layer in layers if layer.track_running_stats]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    try:
        for layer in layers:
            layer.training = True
        shown = 0
        for batch in batches:
            shown += len(batch)
            for layer in layers:
                layer.momentum = len(batch) / shown  # each example counts as much
            network(batch)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.training, layer.momentum = False, momentum
