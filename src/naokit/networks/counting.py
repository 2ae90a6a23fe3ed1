"""What a network weighs: parameters, multiply-accumulates and milliseconds of one image."""

from __future__ import annotations

import time

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

WARM_UP = 3
"""Runs before the clock counts."""


def count_parameters(network: nn.Module, *, auxiliary: bool = False) -> int:
    """Parameters; without those of an auxiliary head unless asked for."""
    return sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if auxiliary or not name.startswith("auxiliary.")
    )


def count_macs(network: nn.Module, image: tuple[int, int, int]) -> int:
    """Multiply-accumulates of convolutions and linear layers for one image, in eval mode.

    Every module is in its own mode again afterwards. On the meta device nothing is computed.
    """
    modes = {module: module.training for module in network.modules()}
    parameter = next(network.parameters())
    network.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, *image, device=parameter.device, dtype=parameter.dtype))
    finally:
        for module, training in modes.items():
            module.training = training
    return int(counter.get_total_flops()) // 2  # two FLOPs a multiply-accumulate


@torch.inference_mode()
def latencies_ms(network: nn.Module, image: tuple[int, int, int], repeats: int = 20) -> list[float]:
    """Milliseconds of each run on one image (C, H, W) on the CPU, after the warm-up."""
    images = torch.randn(1, *image)
    found = []
    for run in range(WARM_UP + repeats):
        began = time.perf_counter()
        network(images)
        if run >= WARM_UP:
            found.append(1000 * (time.perf_counter() - began))
    return found
