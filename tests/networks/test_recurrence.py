"""The sequence as one operation: its gradients against finite differences and the plain loop."""

from collections.abc import Callable
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from naokit.networks import ACTIVATIONS, RecurrentCell, RecurrentPlan, recurrence

NAO = RecurrentPlan(((0, "relu"), (0, "tanh"), (1, "sigmoid"), (1, "identity"), (3, "relu")))


def cell_of(plan: RecurrentPlan, inputs: int = 3, hidden: int = 4, seed: int = 0) -> RecurrentCell:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        cell = RecurrentCell(plan, inputs, hidden).double()
        for weight in cell.parameters():
            torch.nn.init.normal_(weight)
    return cell


def arguments(
    length: int, batch: int, inputs: int, hidden: int, *, masks: bool, seed: int = 0
) -> list[Tensor | None]:
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    sequence = drawn(length, batch, inputs).requires_grad_()
    state = drawn(batch, hidden).requires_grad_()
    both = [(drawn(batch, n) > 0).double() * 1.5 for n in (inputs, hidden)]
    return [sequence, state, *(both if masks else (None, None))]


def results(cell: RecurrentCell, given: list[Tensor | None]) -> list[Tensor]:
    """Outputs, last state, and gradients of everything that wants one."""
    outputs, last = cell(*given)
    weighted = (outputs * torch.arange(outputs.numel()).view_as(outputs).cos()).sum() + last.sum()
    wanted = [given[0], given[1], *cell.parameters()]
    return [outputs, last, *torch.autograd.grad(weighted, wanted)]


def plainly(cell: RecurrentCell, given: list[Tensor | None]) -> list[Tensor]:
    with mock.patch.object(cell, "known", False):
        return results(cell, given)


@st.composite
def nodes_of_plans(draw: Callable[..., int]) -> tuple[tuple[int, str], ...]:
    names = st.sampled_from(sorted(ACTIVATIONS))
    nodes = draw(st.integers(1, 7))
    return tuple((draw(st.integers(0, node)), draw(names)) for node in range(nodes))


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_finite_differences(activation: str, masks: bool) -> None:
    cell = cell_of(RecurrentPlan(((0, activation), (1, "tanh"), (1, activation))), 2, 3)
    sequence, state, *given = arguments(3, 2, 2, 3, masks=masks)

    def run(sequence: Tensor, state: Tensor, first: Tensor, weights: Tensor) -> Tensor:
        outputs: Tensor = recurrence.Recurrence.apply(
            sequence, state, first, weights, *given, cell._nodes()
        )
        return outputs

    everything = (sequence, state, cell.first, cell.weights)
    assert torch.autograd.gradcheck(run, everything)


@settings(max_examples=40, deadline=None)
@given(
    nodes=nodes_of_plans(),
    length=st.integers(1, 6),
    batch=st.integers(1, 3),
    inputs=st.integers(1, 4),
    masks=st.booleans(),
    seed=st.integers(0, 99),
)
def test_outputs_and_gradients_are_those_of_plain_operations(
    nodes: tuple[tuple[int, str], ...],
    length: int,
    batch: int,
    inputs: int,
    masks: bool,
    seed: int,
) -> None:
    cell = cell_of(RecurrentPlan(nodes), inputs, 4, seed)
    entering = arguments(length, batch, inputs, 4, masks=masks, seed=seed)
    fast, plain = results(cell, entering), plainly(cell, entering)
    assert "Recurrence" in type(cell(*entering)[0].grad_fn).__name__
    for mine, expected in zip(fast, plain, strict=True):
        torch.testing.assert_close(mine, expected, atol=1e-10, rtol=1e-10)


def test_weights_laid_out_for_onednn_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = RecurrentCell(NAO, 8, 16)  # small weights: nothing grows
    entering = [t if t is None else t.float().detach() for t in arguments(9, 5, 8, 16, masks=True)]
    entering[:2] = [t.requires_grad_() for t in entering[:2] if t is not None]
    monkeypatch.setattr(recurrence, "PACKED_FROM", 1)
    assert recurrence._worth_packing(cell.weights[0], 9)
    assert not recurrence._worth_packing(cell.weights[0], 1)
    assert not recurrence._worth_packing(cell.weights[0].double(), 9)
    for mine, expected in zip(results(cell, entering), plainly(cell, entering), strict=True):
        torch.testing.assert_close(mine, expected, atol=1e-5, rtol=1e-5)


def test_masks_get_no_gradient() -> None:
    cell = cell_of(NAO)
    sequence, state, *masks = arguments(2, 2, 3, 4, masks=True)
    for mask in masks:
        assert mask is not None
        mask.requires_grad_()
    outputs, _ = cell(sequence, state, *masks)
    outputs.sum().backward()
    assert [mask.grad for mask in masks if mask is not None] == [None, None]


def test_inputs_that_need_no_gradient_get_none_and_weights_theirs() -> None:
    cell = cell_of(NAO)
    given = [t if t is None else t.detach() for t in arguments(2, 2, 3, 4, masks=False)]
    cell(*given)[0].sum().backward()
    assert given[0] is not None
    assert given[0].grad is None
    assert cell.weights.grad is not None
    assert cell.weights.grad.abs().sum() > 0


def test_gradients_may_be_taken_twice_but_not_of_gradients() -> None:
    cell, given = cell_of(NAO), arguments(3, 2, 3, 4, masks=True)
    total = cell(*given)[0].square().sum()
    once, again = (torch.autograd.grad(total, cell.weights, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(once, again)
    (gradient,) = torch.autograd.grad(total, cell.weights, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()
