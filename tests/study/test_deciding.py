"""Which architecture is best under noise, and whose evaluation once more tells most."""

import numpy as np
import pytest
from scipy.stats import norm

from naokit.doors import Evaluator, Result
from naokit.space import Architecture
from naokit.spaces import Choice, Choices
from naokit.study import create_study
from naokit.study.deciding import Beliefs

SPACE = Choices("ten", (Choice("a", tuple(range(10))), Choice("b", tuple(range(4)))))


def test_without_repeats_the_order_is_that_of_the_values() -> None:
    values = [[3.0], [9.0], [5.0], [-2.0]]
    assert np.argsort(Beliefs.of(values).means).tolist() == [3, 0, 2, 1]


def test_one_lucky_value_counts_less_than_the_mean_of_several() -> None:
    others = [[float(value)] for value in range(80, 91)]
    found = Beliefs.of([[93.0], [92.5, 92.0, 93.0], [91.0, 87.0], *others])
    assert found.best == 1
    assert found.means[0] < 0.93 / 0.93  # in units of the largest


def test_means_and_variances_are_those_of_the_normal_model() -> None:
    """Against the textbook's formula with the variances that were estimated."""
    values = [[80.0], [84.0, 86.0], [90.0], [95.0, 91.0], [70.0]]
    found = Beliefs.of(values)
    total = (np.quantile([80, 84, 90, 95, 70], 0.8413) - 84) ** 2 / 95**2
    noise = (2 / 95**2 + 8 / 95**2 + total) / 4
    between = total - noise
    assert found.noise == pytest.approx(noise)
    for same, mean, variance in zip(values, found.means, found.variances, strict=True):
        precision = 1 / between + len(same) / noise
        assert variance == pytest.approx(1 / precision)
        assert mean == pytest.approx((84 / 95 / between + sum(same) / 95 / noise) / precision)


def test_the_gain_is_the_mean_rise_of_the_best() -> None:
    """Against draws of the next evaluation of each."""
    found = Beliefs(np.array([1.0, 0.8, 0.2]), np.array([0.3, 0.5, 0.1]), 0.4)
    draws = np.random.default_rng(0).standard_normal(200_000)
    for place, gain in enumerate(found.gains()):
        change = found.variances[place] / np.sqrt(found.variances[place] + found.noise)
        moved = found.means[place] + change * draws
        rest = np.delete(found.means, place).max()
        assert gain == pytest.approx(np.maximum(moved, rest).mean() - 1.0, abs=0.003)


def test_the_probability_is_that_of_draws() -> None:
    found = Beliefs(np.array([1.0, 0.8, 0.2]), np.array([0.3, 0.5, 0.1]), 0.4)
    draws = norm.rvs(found.means, np.sqrt(found.variances), (200_000, 3), random_state=0)
    assert found.probability() == pytest.approx((draws.argmax(axis=1) == 0).mean(), abs=0.005)


def test_what_cannot_lead_is_not_evaluated_again() -> None:
    values = [[95.0, 95.2], [94.9], [70.0], *[[float(value)] for value in range(80, 90)]]
    gains = Beliefs.of(values).gains()
    assert gains.argmax() in (0, 1)
    assert gains[2] < gains[1] / 100


@pytest.mark.parametrize(
    "values", [[[1.0]], [[1.0], [1.0]], [[0.0, 0.0], [0.0]], [[1e308], [-1e308, 1e308]]]
)
def test_equal_values_one_alone_and_large_ones_do_not_break(values: list[list[float]]) -> None:
    found = Beliefs.of(values)
    assert np.isfinite(found.means).all()
    assert np.isfinite(found.gains()).all()
    assert 0 <= found.probability() <= 1


class Noisy(Evaluator):
    """The first choice plus noise of the seed."""

    def __init__(self, noise: float = 1.0) -> None:
        self.noise, self.seeds = noise, list[int]()

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        self.seeds.append(seed)
        return Result(architecture.choices[0] + self.noise * np.random.default_rng(seed).normal())


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_repeats_go_where_they_tell_most_and_the_search_goes_on_the_same(direction: str) -> None:
    evaluator = Noisy()
    evaluator.direction = direction  # type: ignore[assignment]
    study = create_study(SPACE, method="random", direction=direction)  # type: ignore[arg-type]
    study.optimize(evaluator, 12)
    assert study.sure() is None
    study.decide(evaluator, 7)
    assert len(study.trials) == 19
    assert study.evaluations == 12
    assert len(set(evaluator.seeds)) == 19
    assert 0 < (study.sure() or 0) < 1
    again = [trial for trial in study.trials if trial.origin == "repeat"]
    firsts = sorted((t.value or 0 for t in study.trials[:12]), reverse=direction == "maximize")
    places = [
        firsts.index(next(t.value or 0 for t in study.trials if t.architecture == one.architecture))
        for one in again
    ]
    assert places[0] == 0  # the best is evaluated twice at least
    assert max(places) < 8  # and the poor ones never are
    study.decide(evaluator, 7)
    assert len(study.trials) == 19


def test_decisions_that_were_interrupted_go_on_as_if_they_had_not_been(tmp_path) -> None:
    def study_of(name: str):
        return create_study(SPACE, storage=f"sqlite:///{tmp_path}/s.db", name=name, method="random")

    for repeats in (2, 3, 8):
        study_of("parts").optimize(Noisy(), 10)
        study_of("parts").decide(Noisy(), repeats)
    whole = study_of("whole")
    whole.optimize(Noisy(), 10)
    whole.decide(Noisy(), 8)
    parts = study_of("parts")
    assert [(str(t.architecture), t.value) for t in parts.trials] == [
        (str(t.architecture), t.value) for t in whole.trials
    ]
