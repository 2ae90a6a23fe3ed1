"""A search's recipe against the final one: who is ranked how, and what chance explains."""

import dataclasses

import numpy as np
import pytest

from naokit.base import EvaluationFailed, InputError
from naokit.doors import Result
from naokit.evaluators import Training
from naokit.images.presets import PRESETS
from naokit.images.subject import ImageSubject
from naokit.runs import recipe_check
from naokit.runs.recipe_check import cells_that_fit, check_recipe
from naokit.spaces import ConvCells

CELLS = [ConvCells.small(nodes=1).sample(np.random.default_rng(seed)) for seed in range(6)]
SUBJECT = ImageSubject("digits", 2, 1)


def scored(monkeypatch: pytest.MonkeyPatch, final_sign: float = 1.0, failing: int = 0) -> None:
    """The search's recipe scores cells by their place, the final one by that or the reverse."""

    def evaluate(self: Training, architecture: object, seed: int) -> Result:
        place = [str(cell) for cell in CELLS].index(str(architecture))
        if place < failing:
            raise EvaluationFailed("diverged")
        return Result(place * (final_sign if self.recipe.name == "quick-final" else 1.0))

    monkeypatch.setattr(Training, "evaluate", evaluate)


@pytest.mark.parametrize(("sign", "correlation"), [(1.0, 1.0), (-1.0, -1.0)])
def test_the_correlation_of_the_ranks(
    monkeypatch: pytest.MonkeyPatch, sign: float, correlation: float
) -> None:
    scored(monkeypatch, sign)
    told: list[tuple[int, str]] = []
    found = check_recipe(
        PRESETS["quick"], CELLS, SUBJECT, on_cell=lambda number, name: told.append((number, name))
    )
    assert found.correlation == pytest.approx(correlation)
    assert found.trusted == (sign > 0)
    assert told[:3] == [(1, "quick-search"), (1, "quick-final"), (2, "quick-search")]
    assert [cell.architecture for cell in found.cells] == [str(cell) for cell in CELLS]


def test_what_chance_explains_is_that_of_shuffled_ranks() -> None:
    """Of six ranks 41 of the 720 orders correlate by .77 or more: Spearman's table, 5 %: .83."""
    ranks = np.arange(6.0)
    assert recipe_check._by_chance(ranks, ranks) == pytest.approx(0.77, abs=0.03)


def test_cells_that_fail_are_left_out_and_few_are_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scored(monkeypatch, failing=2)
    assert len(check_recipe(PRESETS["quick"], CELLS, SUBJECT).cells) == 4
    scored(monkeypatch, failing=3)
    with pytest.raises(InputError, match="3 of 6 cells came to a score by both recipes, too few"):
        check_recipe(PRESETS["quick"], CELLS, SUBJECT)


def test_equal_scores_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scored(monkeypatch, final_sign=0.0)
    found = check_recipe(PRESETS["quick"], CELLS, SUBJECT)
    assert (found.correlation, found.trusted) == (0.0, False)


def test_as_many_cells_as_fit() -> None:
    assert cells_that_fit(1.0, 9.0, 55.0) == 5
    assert cells_that_fit(1.0, 9.0, 1e6) == 8
    with pytest.raises(InputError, match=r"4 cells or more by both recipes, about 0\.011 hours"):
        cells_that_fit(1.0, 9.0, 39.0)


def test_cells_are_really_trained() -> None:
    preset = dataclasses.replace(
        PRESETS["quick"],
        recipe="quick",
        channels=2,
        final_channels=2,
        final_recipe="quick",
        final_epochs=1,
    )
    found = check_recipe(preset, CELLS[:4], SUBJECT)
    assert len({cell.search for cell in found.cells}) > 1
    assert found.metric == "validation accuracy, percent"
