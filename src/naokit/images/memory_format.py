"""The memory layout that a network trains in."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def memory_format(network: nn.Module, device: torch.device) -> torch.memory_format:
    """channels_last (1.5 to 2.8 times faster on separable cells), except where it is unsafe.

    oneDNN (3.12 in torch 2.13; its issue 6035) writes past its workspace in the weight gradient of
    a strided 1x1 convolution whose input channels fill no vector register: measured on AVX2 with
    2 to 7 of them, a corrupted heap on one thread, a hang or gradients without a right digit on
    two. No operation of naokit has such a convolution; a user's own may.
    """
    unsafe = device.type == "cpu" and any(map(_overruns, network.modules()))
    return torch.contiguous_format if unsafe else torch.channels_last


def laid_out(tensor: Tensor, layout: torch.memory_format) -> Tensor:
    """A copy of a tensor (B, C, H, W) whose strides are exactly those of `layout`.

    `contiguous` leaves a tensor of one channel or one pixel as it is, whose strides fit every
    layout; convolutions go by the strides, so equal images would train to different weights.
    """
    return torch.empty_like(tensor, memory_format=layout).copy_(tensor)


def lay_out(network: nn.Module, layout: torch.memory_format) -> None:
    """Gives every weight of four dimensions the strides of `layout`."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = laid_out(parameter.data, layout)


def _overruns(module: nn.Module) -> bool:
    lanes = 16 if torch.backends.cpu.get_cpu_capability().startswith("AVX512") else 8
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (1, 1)
        and max(module.stride) > 1
        and module.in_channels // module.groups < lanes
    )
