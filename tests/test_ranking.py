"""What the benchmark of shared scores against a table counts."""

import numpy as np
import pytest
from benchmarks.ranking import SPACE, agreement, agreements, connected, planned, sampling_of, sizes


@pytest.mark.parametrize(
    ("choices", "there"),
    [
        ((0, 0, 0, 1, 0, 0), True),  # straight from the input to the output
        ((1, 0, 2, 0, 0, 3), True),  # through both nodes
        ((1, 1, 1, 0, 0, 0), False),
        ((0, 0, 2, 0, 3, 4), False),
    ],
)
def test_a_cell_is_connected_where_a_path_leads_through(
    choices: tuple[int, ...], there: bool
) -> None:
    assert connected(SPACE.architecture(choices)) == there


def test_agreement_is_of_all_cells_and_of_the_best_tenth() -> None:
    true = np.arange(100.0)
    scores = np.where(true < 90, true, -true)  # the best tenth is last, and the wrong way round
    found = agreement(scores, true)
    assert found["best_tau"] == found["best_rho"] == -1
    assert 0.6 < found["tau"] < 0.7


def test_a_surer_cell_ranks_higher_by_its_loss_alone() -> None:
    generator = np.random.default_rng(0)
    cells = [SPACE.sample(generator) for _ in range(20)]
    labels = np.array([0, 1])
    logits = np.zeros((20, 2, 2))
    logits[:, [0, 1], labels] = np.linspace(0.1, 2, 20)[:, None]
    with pytest.warns(match="constant"):  # all are right
        found = agreements(logits, labels, cells, np.arange(20.0))
    assert found["loss"]["tau"] == found["accuracy and loss"]["tau"] == 1
    assert np.isnan(found["accuracy"]["rho"])


def test_largest_draws_from_the_largest_quarter() -> None:
    cells = [SPACE.architecture((choice, 0, 0, 0, 0, 0)) for choice in (2, 3, 0, 1)]
    drawn = set(sampling_of("largest", cells).draw(20, np.random.default_rng(0)))
    assert drawn == {cells[int(sizes(cells).argmax())]}


def test_runs_are_named_by_try_and_seed() -> None:
    assert planned(["largest-deep-1"]) == [("largest-deep", 1)]
    assert ("fair", 0) in planned([])
