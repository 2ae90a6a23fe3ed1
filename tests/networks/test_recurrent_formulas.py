"""The recurrent cell against one that is written node by node and number by number in numpy."""

import numpy as np
import pytest
import torch

from naokit.networks import RecurrentCell, RecurrentPlan

NAO = RecurrentPlan(
    (
        *((0, "relu"), (0, "relu"), (1, "relu"), (3, "tanh"), (4, "relu"), (4, "relu")),
        *((5, "relu"), (1, "relu"), (7, "relu"), (1, "relu"), (1, "identity")),
    )
)
NAO_WS = RecurrentPlan(
    (
        *((0, "relu"), (1, "relu"), (2, "sigmoid"), (1, "sigmoid"), (4, "relu"), (4, "relu")),
        *((4, "relu"), (7, "relu"), (8, "sigmoid"), (1, "tanh"), (4, "relu")),
    )
)
FUNCTIONS = {
    "tanh": np.tanh,
    "relu": lambda values: np.where(values > 0, values, 0),
    "sigmoid": lambda values: 1 / (1 + np.exp(-values)),
    "identity": lambda values: values,
}
STEPS, BATCH, INPUTS, HIDDEN = 6, 3, 5, 4


def waves(*shape: int, speed: float) -> np.ndarray:
    """Numbers in [-1, 1] that no library's generator can change."""
    return np.sin(speed * np.arange(1, np.prod(shape) + 1)).reshape(shape)


def highway(read: np.ndarray, kept: np.ndarray, weight: np.ndarray, name: str) -> np.ndarray:
    """docs/specification.md, section 1.4: s = before + gate * (value - before), one sequence."""
    size = len(weight[0]) // 2
    gate = FUNCTIONS["sigmoid"](kept @ weight[:, :size])
    return (1 - gate) * read + gate * FUNCTIONS[name](kept @ weight[:, size:])


def independent(
    plan: RecurrentPlan,
    first: np.ndarray,
    weights: np.ndarray,
    inputs: np.ndarray,
    state: np.ndarray,
    masks: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Outputs (L, B, H), sequence by sequence, in double precision."""
    outputs = np.zeros((len(inputs), *state.shape))
    for sequence in range(len(state)):
        before = state[sequence]
        x_mask, h_mask = masks[0][sequence], masks[1][sequence]
        for step in range(len(inputs)):
            joined = np.append(inputs[step, sequence] * x_mask, before * h_mask)
            values = {0: highway(before, joined, first, "tanh")}
            for node, (source, name) in enumerate(plan.nodes, 1):
                read = values[source]
                values[node] = highway(read, read * h_mask, weights[node - 1], name)
            before = sum(values[node] for node in range(1, len(values))) / len(plan.nodes)
            outputs[step, sequence] = before
    return outputs


def arrays(plan: RecurrentPlan) -> tuple[np.ndarray, ...]:
    """First weights, other weights, inputs and state."""
    return (
        waves(INPUTS + HIDDEN, 2 * HIDDEN, speed=0.7),
        waves(len(plan.nodes), HIDDEN, 2 * HIDDEN, speed=1.3),
        waves(STEPS, BATCH, INPUTS, speed=0.9),
        waves(BATCH, HIDDEN, speed=2.1),
    )


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, dtype=torch.float32)


def built(plan: RecurrentPlan) -> RecurrentCell:
    """The cell with the weights of `arrays`."""
    cell = RecurrentCell(plan, INPUTS, HIDDEN)
    with torch.no_grad():
        cell.first.copy_(tensor(arrays(plan)[0]))
        cell.weights.copy_(tensor(arrays(plan)[1]))
    return cell


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("plan", [NAO, NAO_WS], ids=["nao", "nao-ws"])
def test_the_cell_computes_what_the_formulas_say(plan: RecurrentPlan, *, masked: bool) -> None:
    first, weights, inputs, state = arrays(plan)
    x_mask = (waves(BATCH, INPUTS, speed=3.3) > 0) * 2.0 if masked else np.ones((BATCH, INPUTS))
    h_mask = (waves(BATCH, HIDDEN, speed=3.7) > 0) * 2.0 if masked else np.ones((BATCH, HIDDEN))
    cell = built(plan)
    masks = (tensor(x_mask), tensor(h_mask)) if masked else (None, None)
    outputs, last = cell(tensor(inputs), tensor(state), *masks)
    expected = independent(plan, first, weights, inputs, state, (x_mask, h_mask))
    np.testing.assert_allclose(outputs.detach().numpy(), expected, atol=1e-5)
    assert torch.equal(last, outputs[-1])
    assert cell.state_size == HIDDEN


@pytest.mark.parametrize(
    ("plan", "golden"),
    [
        (NAO, [0.065070, 0.095000, 0.068400, 0.001388]),
        (NAO_WS, [0.219497, 0.219251, 0.215935, 0.149555]),
    ],
    ids=["nao", "nao-ws"],
)
def test_outputs_are_golden(plan: RecurrentPlan, golden: list[float]) -> None:
    """The last output of the first sequence, without masks; from the formulas, in numpy."""
    _, _, inputs, state = arrays(plan)
    found, _ = built(plan)(tensor(inputs), tensor(state))
    np.testing.assert_allclose(found[-1, 0].detach().numpy(), golden, atol=1e-5)
