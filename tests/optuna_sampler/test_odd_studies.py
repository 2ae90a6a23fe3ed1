"""NAOSampler where studies are odd: it goes on wherever Optuna lets a study be."""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState, create_trial

from naokit import NAOSampler
from naokit.optuna_sampler.parameters import Category, Number
from naokit.optuna_sampler.results import with_distances

LARGEST = sys.float_info.max
SMALLEST = 5e-324
EXTREMES = (1e308, -1e308, LARGEST, -LARGEST, math.inf, -math.inf, SMALLEST, -SMALLEST, 0.0, 1.0)


def sampler(**more: Any) -> NAOSampler:
    return NAOSampler(seed=0, warn_independent_sampling=False, **more)


def run(
    result: Callable[[int], float | Sequence[float]], trials: int = 10, objectives: int = 1
) -> optuna.Study:
    """A study of two parameters whose results depend on the number of the trial alone."""

    def objective(trial: optuna.Trial) -> float | Sequence[float]:
        trial.suggest_float("x", 0, 1)
        trial.suggest_categorical("k", ["a", "b"])
        return result(trial.number)

    study = optuna.create_study(sampler=sampler(), directions=["minimize"] * objectives)
    study.optimize(objective, n_trials=trials)
    return study


@pytest.mark.parametrize(
    "values",
    [
        (-1e308, 1e308),
        (-1e308, 1e308, 0.0),
        (LARGEST, -LARGEST, 1.0),
        (1e308,),
        (1e308, math.nextafter(1e308, math.inf), 9e307),
        (math.inf,),
        (math.inf, -math.inf, 1e308, -1e308),
        (math.nan, 1e308, -math.inf),
        (math.nan,),
        (SMALLEST, 1e-310, 0.0, -SMALLEST),
        (SMALLEST, LARGEST),
        (3.0,),
    ],
)
def test_values_may_be_any_number(values: tuple[float, ...]) -> None:
    assert len(run(lambda number: values[number % len(values)]).trials) == 10


@pytest.mark.parametrize(
    "rows",
    [
        ((1e308, -1e308), (-1e308, 1e308), (0.0, 0.0)),
        ((math.inf, -math.inf), (0.0, math.inf), (1.0, 2.0)),
        ((LARGEST, math.inf, SMALLEST), (0.0, -math.inf, 1.0), (-LARGEST, 1.0, 0.0)),
        ((1.0, 1.0),),
    ],
)
def test_so_may_those_of_several_objectives(rows: tuple[tuple[float, ...], ...]) -> None:
    study = run(lambda number: rows[number % len(rows)], objectives=len(rows[0]))
    assert len(study.trials) == 10


def test_the_scale_of_the_values_alters_nothing() -> None:
    quantiles = np.linspace(-2, 2, 9)
    merits = np.array([-8.0, -7, -3, -1, 0, 0.5, 1, 6, 7])
    found = with_distances(quantiles, merits)
    for scale in (2.0**1020, 2.0**-1000):
        assert (with_distances(quantiles, merits * scale) == found).all()


CHOICES, FLOATS, INTS = CategoricalDistribution, FloatDistribution, IntDistribution


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (CHOICES(["a", "b"]), CHOICES(["b", "c"])),
        (CHOICES(["a", "b"]), CHOICES(["c", "d", "e"])),
        (CHOICES(["a", "b"]), CHOICES(["z"])),
        (CHOICES(["z"]), CHOICES(["a", "b"])),
        (CHOICES([None, True, 1, 1.0, 0, False]), CHOICES([1, True, None])),
        (CHOICES([math.nan, 1, 2]), CHOICES([math.nan, 2, 3])),
        (CHOICES([float("nan"), 1]), CHOICES([1, 2])),
        (CHOICES(["a", 0, None]), FLOATS(1e-3, 1, log=True)),
        (CHOICES([None, 7, True]), INTS(1, 5)),
        (FLOATS(0, 1), CHOICES(["a", "b"])),
        (FLOATS(0, 1), INTS(1, 5)),
        (INTS(0, 3), FLOATS(0, 1)),
        (FLOATS(0, 1), FLOATS(-10, 10)),
        (FLOATS(0, 1), FLOATS(0.4, 0.6)),
        (FLOATS(-1, 1), FLOATS(1e-3, 1, log=True)),
        (FLOATS(1e-9, 1e3, log=True), FLOATS(0, 1)),
        (FLOATS(0, 1, step=0.1), FLOATS(0, 1, step=0.25)),
        (FLOATS(1e300, 1e308), FLOATS(0, 1e-300)),
        (FLOATS(1e-308, 1e308, log=True), FLOATS(1, 1 + 1e-15, log=True)),
        (FLOATS(-LARGEST, LARGEST), FLOATS(-1e308, 1e308)),
        (FLOATS(0, SMALLEST), FLOATS(0, 1e-320)),
        (FLOATS(SMALLEST, 1e308, log=True), FLOATS(SMALLEST, 1e-300, log=True)),
        (FLOATS(0, 1e9, step=1e-3), FLOATS(0, 1e9, step=1e-3)),
        (INTS(0, 3), INTS(0, 100)),
        (INTS(0, 100), INTS(1, 1000, log=True)),
        (INTS(0, 10, step=5), INTS(1, 10, step=3)),
        (INTS(0, 2**60), INTS(-(2**62), 2**62)),
    ],
)
def test_a_parameter_may_have_been_another_one(
    earlier: BaseDistribution, later: BaseDistribution
) -> None:
    """Trials that were added may have what an objective may not: Optuna checks the latter alone."""
    study = optuna.create_study(sampler=sampler())
    for distribution in (earlier, later):
        for number, value in enumerate(ends_of(distribution) * 3):
            study.add_trial(
                create_trial(params={"p": value}, distributions={"p": distribution}, value=number)
            )

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("y", 0, 1)
        return float(trial.number % 3 + (trial._suggest("p", later) is None))

    study.optimize(objective, n_trials=5)
    assert all(trial.state == TrialState.COMPLETE for trial in study.trials)


def ends_of(distribution: BaseDistribution) -> list[Any]:
    """Two values, or one where there are no more."""
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return [distribution.low, distribution.high]


def test_choices_that_are_no_more_are_learned_from_as_far_as_they_go() -> None:
    """The trials with a choice that is gone still say that less of `x` is better."""
    study = optuna.create_study(sampler=sampler())
    x = FloatDistribution(0, 1)
    for choices in (["a", "b"], ["b", "c"]):
        space = {"x": x, "k": CategoricalDistribution(choices)}
        for place in range(6):
            params = {"x": place / 5, "k": choices[place % 2]}
            study.add_trial(create_trial(params=params, distributions=space, value=place / 5))
    asked = study.ask({"x": x, "k": CategoricalDistribution(["b", "c"])})
    assert asked.params["k"] in ("b", "c")
    assert asked.params["x"] < 0.2
    assert Category(CategoricalDistribution(["b", "c"])).encode("b") == 0
    assert math.isnan(Category(CategoricalDistribution(["b", "c"])).encode("a"))


@pytest.mark.parametrize("value", [2**53 + 1, 2**60 + 3, 2**62 - 1, 0, -(2**61) - 1])
def test_large_integers_stay_integers_within_the_range(value: int) -> None:
    number = Number(IntDistribution(-(2**62), 2**62 - 1))
    assert number.distribution._contains(number.decode(number.encode(value)))
    stepped = Number(IntDistribution(3, 3 + 7 * 2**57, step=7))
    assert (stepped.decode(0.7313) - 3) % 7 == 0
    assert stepped.decode(1.0) == 3 + 7 * 2**57


def test_what_was_enqueued_beyond_a_range_is_survived() -> None:
    study = optuna.create_study(sampler=sampler())
    for x in (5.0, -1.0, 1e308, 0.5):
        study.enqueue_trial({"x": x, "i": 99})
    with pytest.warns(UserWarning, match="is out of range"):
        study.optimize(lambda t: t.suggest_float("x", 0, 1) + t.suggest_int("i", 0, 3), n_trials=9)


def test_trials_without_parameters_and_pruned_ones_with_odd_reports_are_survived() -> None:
    def objective(trial: optuna.Trial) -> float:
        if trial.number < 6:
            return 1.0
        trial.report(EXTREMES[trial.number % len(EXTREMES)], (0, 3, 2**40)[trial.number % 3])
        if trial.number % 3:
            raise optuna.TrialPruned
        return trial.suggest_float("x", 0, 1)

    study = optuna.create_study(sampler=sampler())
    study.optimize(objective, n_trials=16)
    assert len(study.trials) == 16


@pytest.mark.parametrize(
    "constraints",
    [
        ((math.inf, -math.inf), (1.0, -1.0)),
        ((1e308, -1e308), (-1e308, 1e308), (0.0, SMALLEST)),
        ((1.0,), (1.0, 2.0), ()),
    ],
)
def test_constraints_may_be_any_number_and_as_many_as_they_like(
    constraints: tuple[tuple[float, ...], ...],
) -> None:
    odd = sampler(constraints_func=lambda trial: constraints[trial.number % len(constraints)])
    study = optuna.create_study(sampler=odd)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=9)
    assert len(study.trials) == 9


NUMBERS = st.floats(-LARGEST, LARGEST)
WORDS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(), st.text(max_size=2))


@st.composite
def distributions(draw: st.DrawFn) -> BaseDistribution:
    kind = draw(st.sampled_from(["choices", "float", "log", "step", "int", "int log"]))
    if kind == "choices":
        return CategoricalDistribution(draw(st.lists(WORDS, min_size=1, max_size=4)))
    if kind in ("float", "log"):
        ends = st.floats(SMALLEST, LARGEST) if kind == "log" else NUMBERS
        low, high = sorted([draw(ends), draw(ends)])
        return FloatDistribution(low, high, log=kind == "log")
    low = draw(st.integers(1 if kind == "int log" else -(2**52), 2**52))
    high = low + draw(st.integers(0, 2**52))  # beyond 2**53 Optuna itself refuses some ends
    if kind == "step":
        return FloatDistribution(
            low % 1000, low % 1000 + 100, step=draw(st.sampled_from([0.1, 0.5, 20]))
        )
    return IntDistribution(low, high, log=kind == "int log")


@settings(max_examples=100)
@given(
    st.lists(distributions(), min_size=1, max_size=3),
    st.lists(st.sampled_from(EXTREMES) | NUMBERS, min_size=6, max_size=6),
)
def test_any_history_of_a_parameter_is_survived(
    history: list[BaseDistribution], values: list[float]
) -> None:
    study = optuna.create_study(sampler=sampler())
    for number, value in enumerate(values):
        distribution = history[number * len(history) // len(values)]
        ends = ends_of(distribution)
        params = {"p": ends[number % len(ends)], "x": number / 6}
        space = {"p": distribution, "x": FloatDistribution(0, 1)}
        study.add_trial(create_trial(params=params, distributions=space, value=value))
    asked = study.ask({"p": history[-1], "x": FloatDistribution(0, 1)})
    assert set(asked.params) == {"p", "x"}
