"""A model fitted to what was found: predictions, calibration, a map, and what choices are worth."""

import numpy as np
import optuna
import pytest

from naokit.report import model_check as checking
from naokit.report.choices import choices_of
from naokit.report.model_check import model_check
from naokit.report.reached import reached_in
from naokit.space import Architecture
from naokit.spaces import Choice, Choices, ConvCells
from naokit.study import Study, create_study

SPACE = Choices(
    "c",
    (Choice("width", (1, 2, 3, 4)), Choice("colour", ("red", "blue")), Choice("idle", (0, 1, 2))),
)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def telling(architecture: Architecture) -> float:
    width, colour, _ = architecture.choices
    return 10.0 * width - 3.0 * colour


def searched(evaluations: int = 14, score=telling) -> Study:
    study = create_study(SPACE, method="random", seed=0)
    study.optimize(score, evaluations)
    return study


def test_results_that_follow_from_the_choices_are_foretold() -> None:
    found = model_check(searched(), (0,))
    assert found is not None
    assert found.rank_correlation > 0.8
    assert (found.architectures, found.of, len(found.predictions)) == (14, 14, 14)
    assert all(one.low <= one.predicted <= one.high for one in found.predictions)
    inside = [one.inside for one in found.coverage]
    assert inside == sorted(inside)
    assert 0 < found.map.share <= 1
    assert found.map.path == (0,)


def test_predictions_are_on_the_scale_of_the_values_whichever_way_is_better() -> None:
    study = create_study(SPACE, method="random", direction="minimize")
    study.optimize(telling, 14)
    found = model_check(study, ())
    assert found is not None
    pairs = np.array([(one.value, one.predicted) for one in found.predictions])
    assert np.corrcoef(pairs.T)[0, 1] > 0.7
    assert pairs.min() >= min(pairs[:, 0])


def test_of_many_architectures_some_are_taken_and_the_path_is_kept(monkeypatch) -> None:
    monkeypatch.setattr(checking, "MOST", 8)
    found = model_check(searched(), (1, 12))
    assert found is not None
    assert found.architectures < found.of == 14
    assert {1, 12} <= {place.trial for place in found.map.places}


def test_of_few_or_equal_results_nothing_is_said() -> None:
    for study in (searched(4), searched(20, lambda _: 1.0)):
        assert model_check(study, ()) is None
        assert choices_of(study) is None


def test_the_position_that_decides_comes_first_and_one_that_does_not_last() -> None:
    found = choices_of(searched(24))
    assert found is not None
    assert found.explained > 0.8
    assert [one.name for one in found.positions] == ["width", "colour", "idle"]
    first = found.positions[0]
    assert (first.best.name, first.worst.name) == ("4", "1")
    assert first.best.mean > first.worst.mean
    assert sum(one.share for one in found.positions) == pytest.approx(1)


def test_choices_that_say_nothing_are_not_said_to() -> None:
    generator = np.random.default_rng(0)
    found = choices_of(searched(22, lambda _: float(generator.normal())))
    assert found is not None
    assert found.explained < 0.2


def test_operations_are_counted_in_what_is_computed() -> None:
    space = ConvCells.small(nodes=2)
    study = create_study(space, method="random")

    def pools(architecture: Architecture) -> float:
        return sum("max_pool" in label for g in architecture.graphs for label in g.labels)

    study.optimize(pools, 30)
    found = choices_of(study)
    assert found is not None
    assert found.operations[0].name == "max_pool_3x3"
    assert found.operations[0].correlation > 0.5


def test_what_was_stopped_counts_with_the_best_that_it_reported() -> None:
    study = create_study(SPACE, method="random", pruner="median")
    asked = study.ask()
    study.report(asked.number, 1, 5.0)
    study.report(asked.number, 2, 4.0)
    study.tell_stopped(asked.number)
    (one,) = reached_in(study)
    assert (one.value, one.stopped, one.trial) == (5.0, True, asked.number)
