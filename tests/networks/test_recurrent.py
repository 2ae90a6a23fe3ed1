"""The recurrent cell: when it goes which way, the same result either way, exporters."""

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from naokit.base import InputError
from naokit.networks import ACTIVATIONS, LanguageModel, RecurrentCell, RecurrentPlan
from naokit.settings import LanguageSettings

sys.path.append(str(Path(__file__).parents[2]))
from benchmarks.plain_recurrent import PlainRecurrentCell

NAO_RNN = RecurrentPlan(
    (
        *((0, "relu"), (0, "relu"), (1, "relu"), (3, "tanh"), (4, "relu"), (4, "relu")),
        *((5, "relu"), (1, "relu"), (7, "relu"), (1, "relu"), (1, "identity")),
    )
)
MIXED = RecurrentPlan(((0, "sigmoid"), (1, "tanh"), (0, "identity"), (2, "relu")))


def sequence(length: int, batch: int, width: int, hidden: int) -> tuple[Tensor, ...]:
    """Inputs, state, masks."""
    generator = torch.Generator().manual_seed(3)
    shapes = ((length, batch, width), (batch, hidden), (batch, width), (batch, hidden))
    inputs, state, *masks = (
        torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes
    )
    return inputs, state, *((mask > 0) * 2.0 for mask in masks)


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("plan", [NAO_RNN, MIXED])
def test_outputs_and_gradients_are_those_of_the_plain_cell(
    plan: RecurrentPlan, masks: bool
) -> None:
    cell = RecurrentCell(plan, 5, 7).double()
    for weight in cell.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    plain = PlainRecurrentCell(plan.nodes, 5, 7).double()
    plain.copy_from(cell.first, cell.weights)
    inputs, state, *both = sequence(4, 3, 5, 7)
    found = []
    for built in (cell, plain):
        entering = [inputs.clone().requires_grad_(), state.clone().requires_grad_()]
        outputs, last = built(*entering, *(both if masks else ()))
        (outputs.sin().sum() + last.square().sum()).backward()
        found.append([outputs, last, *(t.grad for t in entering), built.first.grad])
    by_weights = torch.stack([weight.grad for weight in plain.weights])
    torch.testing.assert_close(cell.weights.grad, by_weights, atol=1e-10, rtol=1e-10)
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-10, rtol=1e-10)


def test_without_gradients_nothing_is_kept_and_nothing_changes() -> None:
    cell = RecurrentCell(NAO_RNN, 5, 7).double()
    trained = cell(*sequence(4, 3, 5, 7))[0]
    assert "Recurrence" in type(trained.grad_fn).__name__
    with torch.no_grad():
        outputs, last = cell(*sequence(4, 3, 5, 7))
    assert outputs.grad_fn is None
    torch.testing.assert_close(outputs, trained.detach())
    torch.testing.assert_close(last, outputs[-1])
    frozen = cell.requires_grad_(False)(*sequence(4, 3, 5, 7))[0]
    assert frozen.grad_fn is None


def test_steps_one_by_one_are_the_sequence() -> None:
    cell = RecurrentCell(MIXED, 5, 7).double()
    inputs, state, *masks = sequence(4, 3, 5, 7)
    together, _ = cell(inputs, state, *masks)
    for step, expected in zip(inputs, together, strict=True):
        _, state = cell(step[None], state, *masks)
        torch.testing.assert_close(state, expected)


def test_an_activation_of_ones_own_is_differentiated_by_torch() -> None:
    plan = RecurrentPlan(((0, "tanh"), (1, "swish")))
    cell = RecurrentCell(plan, 5, 7, {**ACTIVATIONS, "swish": torch.nn.functional.silu}).double()
    assert not cell.known
    outputs, _ = cell(*sequence(4, 3, 5, 7))
    outputs.sum().backward()
    assert cell.weights.grad is not None
    assert cell.weights.grad[1].abs().sum() > 0
    inputs, state, *_ = (t.requires_grad_() for t in sequence(2, 1, 5, 7))
    assert torch.autograd.gradcheck(lambda *given: cell(*given)[0], (inputs, state))


def test_a_known_activation_under_another_name_is_known() -> None:
    plan = RecurrentPlan(((0, "squash"),))
    assert RecurrentCell(plan, 5, 7, {"squash": torch.tanh}).known
    assert RecurrentCell(NAO_RNN, 5, 7).known


@pytest.mark.parametrize("length", [1, 3])
def test_an_exporter_sees_plain_operations(length: int) -> None:
    model = LanguageModel(RecurrentCell(MIXED, 7, 7), LanguageSettings(11, 7)).eval()
    tokens, state = torch.arange(length)[:, None], model.start(1)
    exported = torch.export.export(model, (tokens, state))
    assert "Recurrence" not in str(exported.graph)
    logits = exported.module()(tokens, state)[0]
    torch.testing.assert_close(logits, model(tokens, state).logits)


def test_a_plan_that_cannot_be_built_is_refused() -> None:
    for nodes, message in (
        ((), "at least one node"),
        (((1, "tanh"),), "node 1 reads node 1; expected 0 to 0"),
        (((0, "swish"),), "activation 'swish'; expected tanh, relu"),
    ):
        with pytest.raises(InputError, match=message):
            RecurrentCell(RecurrentPlan(nodes), 5, 7)
