"""The operations of the paper's cells, as in the official PyTorch code.

See docs/specification.md, section 1.2.

Every operation maps (B, C, H, W) to (B, C, ceil(H / stride), ceil(W / stride)).

Shapes: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from naokit.networks.depthwise import DepthwiseConvolution

OperationBuilder = Callable[[int, int], nn.Module]
"""(channels, stride) -> the operation."""

EPSILON = 1e-5  # of every batch normalisation: docs/specification.md, section 1.2


class PointConvolution(nn.Conv2d):
    """A 1x1 convolution of every `step`-th pixel.

    The pixels are picked before a convolution of stride 1, because a strided one is unsafe in the
    fast memory layout (`naokit.images.memory_format`).
    """

    def __init__(self, channels_in: int, channels: int, step: int = 1) -> None:
        super().__init__(channels_in, channels, 1, bias=False)
        self.step = step

    def forward(self, x: Float[Tensor, "B Ci H W"]) -> Float[Tensor, "B C H2 W2"]:
        """The convolved map."""
        picked = x if self.step == 1 else x[:, :, :: self.step, :: self.step]
        return super().forward(picked)


class FactorizedReduce(nn.Module):
    """Halves the map: 1x1 convolutions of the pixels (0, 0), (2, 2), ... and (1, 1), (3, 3), ..."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.even = PointConvolution(channels_in, channels // 2, step=2)
        self.odd = PointConvolution(channels_in, channels // 2)
        self.normalise = nn.BatchNorm2d(channels, eps=EPSILON)

    def forward(self, x: Float[Tensor, "B Ci H W"]) -> Float[Tensor, "B C H2 W2"]:
        """The halved map."""
        height, width = x.shape[2:]
        # A side of odd length has one pixel less there: the published code pads with zeros.
        shifted = F.pad(x[:, :, 1::2, 1::2], (0, width % 2, 0, height % 2))
        halved: Tensor = self.normalise(torch.cat([self.even(x), self.odd(shifted)], dim=1))
        return halved


class AfterReLU(nn.Sequential):
    """Layers that follow a ReLU.

    A caller that has already rectified the map calls `rectified`, so that branches that read the
    same map share the rectified one.
    """

    def forward(self, x: Float[Tensor, "B Ci H W"]) -> Float[Tensor, "B C H2 W2"]:
        """The output of the layers for the map, which is rectified first."""
        return self.rectified(F.relu(x))

    def rectified(self, x: Float[Tensor, "B Ci H W"]) -> Float[Tensor, "B C H2 W2"]:
        """The output of the layers for a map that is already rectified."""
        for layer in self:
            x = layer(x)
        return x


class ReLUConvNormalise(AfterReLU):
    """ReLU, 1x1 convolution and batch normalisation, which bring a cell's input to C channels."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels, 1, bias=False),
            nn.BatchNorm2d(channels, eps=EPSILON),
        )


class PaddedPool(nn.Module):
    """A 2x2 pool whose input gets a row and a column of zeros at the bottom and right."""

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H2 W2"]:
        """The pooled map."""
        pooled: Tensor = self.pool(F.pad(x, (0, 1, 0, 1)))
        return pooled


def separable(kernel: int) -> OperationBuilder:
    """ReLU, depthwise convolution, pointwise convolution and normalisation, twice.

    The second time has stride 1.
    """

    def half(channels: int, stride: int) -> list[nn.Module]:
        return [
            DepthwiseConvolution(channels, kernel, stride),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels, eps=EPSILON),
        ]

    return lambda channels, stride: AfterReLU(
        *half(channels, stride), nn.ReLU(inplace=True), *half(channels, 1)
    )


def convolution(kernel: int) -> OperationBuilder:
    """ReLU, convolution and normalisation."""

    def build(channels: int, stride: int) -> nn.Module:
        padding = kernel // 2
        return AfterReLU(
            PointConvolution(channels, channels, stride)
            if kernel == 1
            else nn.Conv2d(channels, channels, kernel, stride, padding, bias=False),
            nn.BatchNorm2d(channels, eps=EPSILON),
        )

    return build


def factored(kernel: int) -> OperationBuilder:
    """A 1xk convolution, then a kx1 one, each with ReLU and normalisation."""

    def build(channels: int, stride: int) -> nn.Module:
        padding = kernel // 2
        return AfterReLU(
            nn.Conv2d(channels, channels, (1, kernel), (1, stride), (0, padding), bias=False),
            nn.BatchNorm2d(channels, eps=EPSILON),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, (kernel, 1), (stride, 1), (padding, 0), bias=False),
            nn.BatchNorm2d(channels, eps=EPSILON),
        )

    return build


def max_pool(kernel: int) -> OperationBuilder:
    """The largest value; only a 2x2 pool counts zeros beyond the border."""
    if kernel == 2:
        return lambda _, stride: PaddedPool(nn.MaxPool2d(2, stride))
    return lambda _, stride: nn.MaxPool2d(kernel, stride, kernel // 2)


def average_pool(kernel: int, *, count_padding: bool) -> OperationBuilder:
    """The mean; the large space counts the zeros beyond the border, the small one does not."""
    if kernel == 2:
        return lambda _, stride: PaddedPool(nn.AvgPool2d(2, stride))
    return lambda _, stride: nn.AvgPool2d(
        kernel, stride, kernel // 2, count_include_pad=count_padding
    )


def identity(channels: int, stride: int) -> nn.Module:
    """The map itself, or a factorized reduction if the map has to be halved."""
    return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels)


OPERATIONS: dict[str, OperationBuilder] = {
    "sep_conv_3x3": separable(3),
    "sep_conv_5x5": separable(5),
    "avg_pool_3x3": average_pool(3, count_padding=False),
    "max_pool_3x3": max_pool(3),
    "identity": identity,
    "conv_1x1": convolution(1),
    "conv_3x3": convolution(3),
    "conv_1x3_3x1": factored(3),
    "conv_1x7_7x1": factored(7),
    "max_pool_2x2": max_pool(2),
    "max_pool_5x5": max_pool(5),
    "avg_pool_2x2_padded": average_pool(2, count_padding=True),
    "avg_pool_3x3_padded": average_pool(3, count_padding=True),
    "avg_pool_5x5_padded": average_pool(5, count_padding=True),
    "sep_conv_7x7": separable(7),
}
