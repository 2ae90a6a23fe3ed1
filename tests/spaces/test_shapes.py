"""Parts of a user's own whose shapes would only be broadcast."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import naokit
from naokit.base import InputError
from naokit.space import Architecture
from naokit.spaces import Activation, ConvCells, Operation, RecurrentCells


def cell(function: Callable[[Tensor], object]) -> Architecture:
    space = RecurrentCells(2, ("relu", Activation("own", function)), "mine")  # type: ignore[arg-type]
    return space.parse("0 1 1 0")


@pytest.mark.parametrize(
    ("function", "made"),
    [
        (lambda x: x.mean(dim=1, keepdim=True), r"\(3, 1\)"),
        (lambda x: x.mean(dim=0), r"\(4,\)"),
        (lambda x: x.sum(), r"\(\)"),
        (nn.functional.glu, r"\(3, 2\)"),
        (lambda x: (x, x), "tuple"),
    ],
)
def test_an_activation_of_another_shape_is_refused(function: Callable, made: str) -> None:
    message = rf"the activation own makes {made} of \(3, 4\); it must give \(3, 4\)"
    with pytest.raises(InputError, match=message):
        naokit.build(cell(function), vocabulary=5, hidden=4)


def test_an_activation_that_the_cell_does_not_use_is_not_tried() -> None:
    space = RecurrentCells(2, ("relu", Activation("own", lambda x: x.mean())), "mine")
    assert naokit.build(space.parse("0 0 1 0"), vocabulary=5, hidden=4)


def test_what_raises_is_told_where_it_is_run() -> None:
    def wants_more(x: Tensor) -> Tensor:
        raise RuntimeError("no kernel for this device")

    model = naokit.build(cell(wants_more), vocabulary=5, hidden=4)
    with pytest.raises(RuntimeError, match="no kernel"):
        model(torch.zeros(2, 1, dtype=torch.int64))


class Mean(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(self.dim, keepdim=True)


class Noisy(nn.BatchNorm2d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + torch.randn_like(x))


def network(build: Callable[[int, int], nn.Module], text: str = "0 0 1 0 0 0 1 0") -> nn.Module:
    space = ConvCells(1, (Operation("own", build), "identity"), "mine")
    return naokit.build(space.parse(text), classes=3, channels=4, cells=1, image=(1, 16, 16))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda c, s: Mean(1), r"stride 1 makes \(2, 1, 8, 8\) of \(2, 4, 8, 8\)"),
        (lambda c, s: nn.AdaptiveAvgPool2d(1), r"stride 1 makes \(2, 4, 1, 1\)"),
        (lambda c, s: nn.Conv2d(c, c, 1), r"stride 2 makes .* it must give \(2, 8, 4, 4\)"),
        (lambda c, s: nn.Conv2d(c, 1, 1, s), r"\(2, 1, 8, 8\)"),
    ],
)
def test_an_operation_of_another_shape_is_refused(build: Callable, message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(build)
    with torch.device("meta"), pytest.raises(InputError, match=message):  # as it is counted
        network(build)


def test_the_trial_leaves_no_trace() -> None:
    """No other weights, no averages, the mode and the generator as they were."""
    plain = network(lambda c, s: nn.Sequential(nn.AvgPool2d(s), nn.BatchNorm2d(c)))
    torch.manual_seed(0)
    tried = network(lambda c, s: nn.Sequential(nn.AvgPool2d(s), Noisy(c)))
    after = torch.rand(1)
    assert all(module.training for module in tried.modules())
    assert {k: v.shape for k, v in tried.state_dict().items()} == {
        k: v.shape for k, v in plain.state_dict().items()
    }
    for name, values in tried.state_dict().items():
        if name.endswith("num_batches_tracked"):
            assert not values
    torch.manual_seed(0)
    network(lambda c, s: nn.Sequential(nn.AvgPool2d(s), nn.BatchNorm2d(c)))
    assert torch.equal(torch.rand(1), after)
