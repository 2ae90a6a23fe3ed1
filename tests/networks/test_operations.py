"""What each operation computes, against formulas written out here."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from naokit.images.memory_format import memory_format
from naokit.networks import OPERATIONS, FactorizedReduce

both_strides = pytest.mark.parametrize("stride", [1, 2])
even_and_odd = pytest.mark.parametrize("side", [8, 7])


def settled(module: nn.Module) -> nn.Module:
    """The module in eval mode, its normalisations as if they had been trained."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for values in (part.weight.data, part.bias.data, part.running_mean, part.running_var):
                assert values is not None
                values.uniform_(0.5, 1.5)
    return module.eval()


def normalised(x: Tensor, part: nn.Module) -> Tensor:
    assert isinstance(part, nn.BatchNorm2d)
    mean, variance = part.running_mean, part.running_var
    assert mean is not None
    assert variance is not None
    scale = part.weight / (variance + 1e-5).sqrt()
    return scale[:, None, None] * (x - mean[:, None, None]) + part.bias[:, None, None]


def windows(x: Tensor, kernel: int, stride: int, value: float) -> Tensor:
    """(B, C, H', W', kernel * kernel): what each window sees, `value` beyond the border."""
    before, after = ((kernel - 1) // 2, kernel // 2)
    padded = F.pad(x, (before, after, before, after), value=value)
    return padded.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4)


@pytest.mark.parametrize("name", OPERATIONS)
@both_strides
@even_and_odd
def test_operations_keep_channels_and_halve_maps(name: str, stride: int, side: int) -> None:
    output = OPERATIONS[name](6, stride)(torch.randn(2, 6, side, side + 2))
    assert output.shape == (2, 6, -(-side // stride), -(-(side + 2) // stride))


@pytest.mark.parametrize(
    ("name", "kernel", "beyond"),
    [
        ("max_pool_2x2", 2, 0.0),
        ("max_pool_3x3", 3, -math.inf),
        ("max_pool_5x5", 5, -math.inf),
    ],
)
@both_strides
@even_and_odd
def test_maximum_pools(name: str, kernel: int, beyond: float, stride: int, side: int) -> None:
    x = torch.randn(2, 3, side, side) - 2
    expected = windows(x, kernel, stride, beyond).amax(-1)
    assert torch.equal(OPERATIONS[name](3, stride)(x), expected)


@pytest.mark.parametrize(
    ("name", "kernel"),
    [("avg_pool_2x2_padded", 2), ("avg_pool_3x3_padded", 3), ("avg_pool_5x5_padded", 5)],
)
@both_strides
@even_and_odd
def test_average_pools_that_count_the_padding(
    name: str, kernel: int, stride: int, side: int
) -> None:
    x = torch.randn(2, 3, side, side)
    expected = windows(x, kernel, stride, 0.0).mean(-1)
    torch.testing.assert_close(OPERATIONS[name](3, stride)(x), expected)


@both_strides
@even_and_odd
def test_the_average_pool_that_does_not_count_the_padding(stride: int, side: int) -> None:
    x = torch.randn(2, 3, side, side)
    seen = windows(torch.ones_like(x), 3, stride, 0.0).sum(-1)
    expected = windows(x, 3, stride, 0.0).sum(-1) / seen
    torch.testing.assert_close(OPERATIONS["avg_pool_3x3"](3, stride)(x), expected)


@pytest.mark.parametrize("kernel", [1, 3])
@both_strides
@even_and_odd
def test_convolutions(kernel: int, stride: int, side: int) -> None:
    operation = settled(OPERATIONS[f"conv_{kernel}x{kernel}"](4, stride))
    x = torch.randn(2, 4, side, side)
    weight = next(w for w in operation.parameters() if w.dim() == 4)
    seen = windows(x.relu(), kernel, stride, 0.0)
    expected = torch.einsum("bchwk,dck->bdhw", seen, weight.flatten(2))
    torch.testing.assert_close(operation(x), normalised(expected, list(operation.modules())[-1]))


@pytest.mark.parametrize("kernel", [3, 5])
@both_strides
@even_and_odd
def test_separable_convolutions(kernel: int, stride: int, side: int) -> None:
    operation = settled(OPERATIONS[f"sep_conv_{kernel}x{kernel}"](4, stride))
    x = torch.randn(2, 4, side, side)
    weights = [w for w in operation.parameters() if w.dim() == 4]
    norms = [part for part in operation.modules() if isinstance(part, nn.BatchNorm2d)]
    expected = x
    for half, step in enumerate((stride, 1)):
        depthwise, pointwise = weights[2 * half : 2 * half + 2]
        seen = windows(expected.relu(), kernel, step, 0.0)
        filtered = torch.einsum("bchwk,ck->bchw", seen, depthwise.flatten(1))
        mixed = torch.einsum("bchw,dc->bdhw", filtered, pointwise[:, :, 0, 0])
        expected = normalised(mixed, norms[half])
    torch.testing.assert_close(operation(x), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kernel", [3, 7])
@both_strides
@even_and_odd
def test_factored_convolutions_stride_over_columns_then_rows(
    kernel: int, stride: int, side: int
) -> None:
    operation = settled(OPERATIONS[f"conv_1x{kernel}_{kernel}x1"](4, stride))
    x = torch.randn(2, 4, side, side)
    wide, tall = (w for w in operation.parameters() if w.dim() == 4)
    first, second = (part for part in operation.modules() if isinstance(part, nn.BatchNorm2d))
    border = kernel // 2
    rows = F.pad(x.relu(), (border, border)).unfold(3, kernel, stride)
    between = normalised(torch.einsum("bchwk,dck->bdhw", rows, wide[:, :, 0]), first)
    columns = F.pad(between.relu(), (0, 0, border, border)).unfold(2, kernel, stride)
    expected = normalised(torch.einsum("bchwk,dck->bdhw", columns, tall[..., 0]), second)
    torch.testing.assert_close(operation(x), expected, atol=1e-4, rtol=1e-4)


def test_an_identity_is_nothing() -> None:
    x = torch.randn(1, 2, 3, 3)
    operation = OPERATIONS["identity"](2, 1)
    assert operation(x) is x
    assert not list(operation.parameters())


@even_and_odd
def test_a_factorized_reduction_reads_both_diagonals(side: int) -> None:
    reduce = settled(OPERATIONS["identity"](4, 2))
    assert isinstance(reduce, FactorizedReduce)
    x = torch.randn(2, 4, side, side)
    grids = [x[:, :, ::2, ::2], F.pad(x, (0, 1, 0, 1))[:, :, 1::2, 1::2]]
    halves = [
        torch.einsum("bchw,dc->bdhw", grid[:, :, : -(-side // 2), : -(-side // 2)], weight)
        for grid, weight in zip(
            grids, (reduce.even.weight[..., 0, 0], reduce.odd.weight[..., 0, 0]), strict=True
        )
    ]
    expected = normalised(torch.cat(halves, 1), reduce.normalise)
    torch.testing.assert_close(reduce(x), expected)


class Strided(nn.Module):
    """A factorized reduction as published: strided convolutions, one on the shifted map."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(channels_in, channels // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels_in, channels // 2, 1, stride=2, bias=False)
        self.normalise = nn.BatchNorm2d(channels, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        shifted = F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.normalise(torch.cat([self.even(x), self.odd(shifted)], dim=1))


@pytest.mark.parametrize("size", [(8, 8), (7, 7), (8, 5), (3, 2), (2, 2)])
@pytest.mark.parametrize(("channels_in", "channels"), [(4, 4), (6, 8), (24, 16)])
def test_picking_pixels_computes_what_strides_do(
    size: tuple[int, int], channels_in: int, channels: int
) -> None:
    """Outputs, gradients and running statistics, in the layout where strides are safe."""
    new, old = FactorizedReduce(channels_in, channels), Strided(channels_in, channels)
    old.load_state_dict(new.state_dict())
    _compare(new, old, torch.randn(5, channels_in, *size))


@even_and_odd
def test_a_halving_point_convolution_computes_what_strides_do(side: int) -> None:
    new = OPERATIONS["conv_1x1"](4, 2)
    old = nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 1, stride=2, bias=False), nn.BatchNorm2d(4))
    with torch.no_grad():
        old[1].weight.copy_(new[0].weight)
    _compare(new, old, torch.randn(5, 4, side, side))


def _compare(new: nn.Module, old: nn.Module, x: Tensor) -> None:
    found = []
    for module in (new.double(), old.double()):
        images = x.double().requires_grad_()
        output = module(images)
        (output * torch.linspace(-1, 1, output.numel()).view_as(output)).sum().backward()
        gradients = [parameter.grad for parameter in module.parameters()]
        found.append([output, images.grad, *gradients, *module.state_dict().values()])
    for mine, published in zip(*found, strict=True):
        torch.testing.assert_close(mine, published)


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_operation_needs_the_slow_layout(name: str) -> None:
    for channels in (2, 4, 6, 8):
        assert memory_format(OPERATIONS[name](channels, 2), torch.device("cpu")) == (
            torch.channels_last
        )
