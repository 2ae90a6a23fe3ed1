"""A depthwise convolution whose weight gradient is fast on a CPU as well.

oneDNN (3.12 in torch 2.13) has a fast depthwise weight gradient for kernels of up to three columns
with at most one column of padding; a 5x5 one takes ten times as long as a 3x3 one. A kernel of
five columns is therefore differentiated in two parts, of three and of two columns, each on the map
shifted to where no padding is needed: 2.5 to 4 times faster (`benchmarks/results/networks.json`).

Shapes: B batch, C channels, H and W height and width, K side of the kernel.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.grad import conv2d_input, conv2d_weight

WIDEST = 3  # columns of a kernel whose weight gradient is fast


class DepthwiseConvolution(nn.Conv2d):
    """A convolution of each channel by itself; padding keeps the size of the map."""

    def __init__(self, channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False
        )
        self.wide = WIDEST < kernel <= 2 * WIDEST and stride == 1

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H2 W2"]:
        """The convolved map."""
        if self.wide and self.weight.requires_grad and torch.is_grad_enabled() and _fast(x):
            convolved: Tensor = _WideDepthwise.apply(x, self.weight)  # type: ignore[no-untyped-call]
            return convolved
        return super().forward(x)


def _fast(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.is_contiguous(memory_format=torch.channels_last)


class _WideDepthwise(torch.autograd.Function):
    """A depthwise convolution of stride 1 with half of the kernel as padding."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor]:
        x, weight = ctx.saved_tensors
        margin, groups = weight.shape[-1] // 2, len(weight)
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        for_x = None
        if ctx.needs_input_grad[0]:
            for_x = conv2d_input(x.shape, weight, gradient, 1, margin, 1, groups)
        parts = []
        for first in (0, WIDEST):
            size = weight[..., first : first + WIDEST].shape
            # Column `first` of the kernel reads `margin - first` columns left of where it writes.
            left, right = margin - first, size[-1] - 1 + first - margin
            shifted = F.pad(x, (left, right))
            parts.append(conv2d_weight(shifted, size, gradient, 1, (margin, 0), 1, groups))
        return for_x, torch.cat(parts, dim=3)
