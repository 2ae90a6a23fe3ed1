"""The LSTM for comparison: as large as the cell, called as the cell is."""

import pytest
import torch

from naokit.networks import (
    LanguageModel,
    LstmCell,
    RecurrentCell,
    RecurrentPlan,
    count_parameters,
    lstm_width,
    step_latencies_ms,
    step_macs,
)
from naokit.settings import LanguageSettings


@pytest.mark.parametrize("hidden", [1, 2, 7, 200, 700, 850])
def test_it_is_as_wide_as_the_parameters_allow(hidden: int) -> None:
    with torch.device("meta"):
        width = lstm_width(hidden)
        most = 26 * hidden**2
        assert count_parameters(LstmCell(hidden, hidden, width)) <= most
        assert count_parameters(LstmCell(hidden, hidden, width + 1)) > most


def test_the_model_has_as_many_parameters_as_that_of_a_cell() -> None:
    with torch.device("meta"):
        model = LanguageModel(LstmCell(850, 850, lstm_width(850)), LanguageSettings(10_000, 850))
    assert 0.99 * 27_295_000 < count_parameters(model) <= 27_295_000


def cell() -> LstmCell:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LstmCell(5, 4, 3)


def by_hand(
    cell: LstmCell, inputs: torch.Tensor, state: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The equations of an LSTM step by step; the mask lies on what is read of h."""
    outputs, (h, c) = [], state.chunk(2, dim=1)
    lstm = cell.lstm
    for step in inputs:
        summed = step @ lstm.weight_ih_l0.T + (h * mask) @ lstm.weight_hh_l0.T
        let_in, keep, new, show = (summed + lstm.bias_ih_l0 + lstm.bias_hh_l0).chunk(4, dim=1)
        c = keep.sigmoid() * c + let_in.sigmoid() * new.tanh()
        h = show.sigmoid() * c.tanh()
        outputs.append(h @ cell.projection.weight.T)
    return torch.stack(outputs), torch.cat([h, c], dim=1)


def test_it_computes_an_lstm_whose_state_goes_on() -> None:
    lstm, generator = cell(), torch.Generator().manual_seed(1)
    inputs = torch.randn(7, 2, 5, generator=generator)
    state = torch.randn(2, lstm.state_size, generator=generator)
    whole, last = lstm(inputs, state)
    expected, expected_last = by_hand(lstm, inputs, state, torch.ones(3))
    torch.testing.assert_close(whole, expected)
    torch.testing.assert_close(last, expected_last)
    first, between = lstm(inputs[:3], state)
    rest, between = lstm(inputs[3:6], between)
    one, end = lstm(inputs[6:], between)  # a single step goes another way
    torch.testing.assert_close(torch.cat([first, rest, one]), whole)
    torch.testing.assert_close(end, last)


def test_masks_lie_on_the_inputs_and_on_what_is_read_of_h_at_every_step() -> None:
    lstm, generator = cell(), torch.Generator().manual_seed(2)
    inputs = torch.randn(4, 2, 5, generator=generator)
    state = torch.randn(2, 6, generator=generator)
    on_inputs = torch.tensor([[2.0, 0, 2, 0, 2], [0.0, 2, 0, 2, 0]])
    on_state = torch.tensor([[2.0, 0, 2, 9, 9, 9], [9.0] * 6])  # c and the second row alter nothing
    found, last = lstm(inputs, state, on_inputs, on_state)
    expected, expected_last = by_hand(lstm, inputs * on_inputs, state, torch.tensor([2.0, 0, 2]))
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(last, expected_last)
    found.sum().backward()
    assert lstm.lstm.weight_hh_l0.grad is not None
    assert not lstm.lstm.weight_hh_l0.grad[:, 1].any()


def test_a_language_model_begins_with_its_state_and_trains_with_dropout() -> None:
    settings = LanguageSettings(11, 4, 0.5, 0.5, 0.5, 0.5, 0.1)
    model = LanguageModel(LstmCell(4, 4, lstm_width(4)), settings)
    assert model.start(3).shape == (3, 2 * lstm_width(4))
    spoken = model(torch.zeros(6, 3, dtype=torch.int64), model.start(3))
    assert spoken.logits.shape == (6, 3, 11)
    assert spoken.state.shape == model.start(3).shape
    spoken.logits.sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_the_products_of_one_token_are_counted() -> None:
    plan = RecurrentPlan(tuple((0, "relu") for _ in range(11)))
    model = LanguageModel(RecurrentCell(plan, 20, 20), LanguageSettings(50, 20))
    assert step_macs(model) == 50 * 20 + 26 * 20**2
    assert next(model.parameters()).device.type == "cpu"
    width = lstm_width(20)
    lstm = LanguageModel(LstmCell(20, 20, width), LanguageSettings(50, 20))
    assert step_macs(lstm) == 50 * 20 + 4 * width * (20 + width) + width * 20


def test_steps_are_timed() -> None:
    model = LanguageModel(LstmCell(4, 4, 3), LanguageSettings(11, 4)).eval()
    assert len(step_latencies_ms(model, 5, batch=2, steps=3)) == 5
