"""The depthwise convolution and its gradients against torch's own."""

import pytest
import torch
from torch.nn import functional as F

from naokit.networks.depthwise import DepthwiseConvolution


def gradients(
    layer: DepthwiseConvolution, images: torch.Tensor, *, own: bool
) -> tuple[torch.Tensor, ...]:
    """Output and both gradients, by the layer or by torch."""
    x = images.clone(memory_format=torch.preserve_format).requires_grad_()
    k = layer.weight
    padding = k.shape[-1] // 2
    y = layer(x) if own else F.conv2d(x, k, None, layer.stride, padding, 1, len(k))
    weight = torch.arange(y.numel(), dtype=y.dtype).view_as(y).sin()
    return (y, *torch.autograd.grad((y * weight).sum(), [x, k]))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("size", [(4, 4), (7, 5), (8, 9), (1, 3)])
def test_it_is_torchs_convolution_with_torchs_gradients(
    kernel: int, stride: int, size: tuple[int, int], layout: torch.memory_format
) -> None:
    layer = DepthwiseConvolution(6, kernel, stride).double()
    images = torch.randn(3, 6, *size, dtype=torch.float64).contiguous(memory_format=layout)
    for mine, expected in zip(
        gradients(layer, images, own=True), gradients(layer, images, own=False), strict=True
    ):
        torch.testing.assert_close(mine, expected, atol=1e-12, rtol=1e-12)


def test_the_fast_gradient_is_taken_in_the_fast_layout_alone() -> None:
    layer = DepthwiseConvolution(4, 5)
    images = torch.randn(2, 4, 8, 8)
    fast = images.contiguous(memory_format=torch.channels_last)
    assert "WideDepthwise" in type(layer(fast).grad_fn).__name__
    assert "Convolution" in type(layer(images).grad_fn).__name__
    with torch.no_grad():
        assert layer(fast).grad_fn is None
    assert gradients(layer.requires_grad_(), fast, own=True)[2].shape == (4, 1, 5, 5)


def test_a_map_that_needs_no_gradient_gets_none() -> None:
    layer = DepthwiseConvolution(4, 5)
    fast = torch.randn(2, 4, 8, 8).contiguous(memory_format=torch.channels_last)
    layer(fast).sum().backward()
    assert layer.weight.grad is not None
    assert fast.grad is None
