"""Results as large as numbers are: no method, mean or verdict overflows."""

import json
import math
import sys
from functools import partial

import numpy as np
import pytest

from naokit.doors import Observation, Trial
from naokit.method import METHODS, MethodFactory
from naokit.method.fit import normalise
from naokit.method.nao import Nao
from naokit.report.contents import findings, noise
from naokit.space import Architecture
from naokit.spaces import Choice, Choices
from naokit.study import create_study
from naokit.study.goals import Goals, chebyshev, mean
from naokit.study.standings import Standing, standings

LARGEST = sys.float_info.max
VALUES = (1e308, -1e308, 0.0, LARGEST, -LARGEST, 5e-324, 1.0)
SPACE = Choices("three", tuple(Choice(name, (1, 2, 3, 4)) for name in "abc"))


# The methods of 2018 see these values through `normalise` alone; their fits take a minute.
@pytest.mark.parametrize(
    "make",
    [
        *(METHODS[name] for name in ("nao", "random", "evolution", "local-search")),
        partial(Nao, whole=False),
    ],
)
def test_every_method_goes_on(make: MethodFactory) -> None:
    proposer = make(SPACE, 0, 12)
    history: list[Observation] = []
    for number in range(12):
        architecture = proposer.propose(history).architecture
        history.append(Observation(architecture, VALUES[number % len(VALUES)]))
    assert len({trial.architecture.key for trial in history}) == 12


def test_targets_keep_order_and_share_whatever_the_scale() -> None:
    values = np.array([-3.0, 0, 1, 5])
    for scale in (2.0**1020, 2.0**-1000, 1.0):
        assert (normalise(values * scale) == normalise(values)).all()
    assert normalise(np.array(VALUES)).tolist() == pytest.approx(
        [0.778, 0.222, 0.5, 1, 0, 0.5, 0.5], abs=1e-3
    )
    assert (normalise(np.full(3, LARGEST)) == 0.5).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1e308, 1e308), 1e308),
        ((LARGEST, LARGEST, LARGEST), LARGEST),
        ((1e308, -1e308), 0.0),
        ((1.0, 2.0, 4.5), 2.5),
        ((math.inf, 1.0), math.inf),
    ],
)
def test_a_mean_is_one_of_numbers(values: tuple[float, ...], expected: float) -> None:
    architecture = SPACE.architecture((0, 0, 0))
    assert mean(values) == pytest.approx(expected)
    assert Standing(architecture, values, 0).mean == mean(values)
    trials = [Trial(n, architecture, v, values=(v, v)) for n, v in enumerate(values)]
    goals = Goals.of("maximize", ["a:maximize", "b:maximize"])
    assert [trial.values for trial in goals.front(trials)] == [(mean(values), mean(values))]
    assert standings(trials, 1.0)[0].mean == mean(values)


def test_both_infinities_have_no_mean() -> None:
    assert math.isnan(mean((math.inf, -math.inf)))


def test_several_objectives_are_ranks() -> None:
    table = np.array([[1e308, -1e308], [-1e308, 1e308], [LARGEST, LARGEST]])
    scores = chebyshev(table, np.random.default_rng(0))
    assert scores.argmax() == 2


def test_a_study_of_extremes_is_summed_up() -> None:
    study = create_study(SPACE, method="nao", evaluations=8)

    values = iter(VALUES * 3)

    def value(architecture: Architecture) -> float:
        del architecture
        return next(values)

    study.optimize(value, 8)
    study.repeat(value, best=2, times=3)
    evaluator = type("Any", (), {"metric": "value", "direction": "maximize"})()
    found = json.loads(json.dumps(findings(study, evaluator.metric).to_json(), allow_nan=False))
    assert math.isfinite(found["best"]["value"])
    spread = noise([study])
    assert spread is not None
    assert math.isfinite(spread)
