"""NAOSampler: Optuna's own suite for samplers, and what it promises besides."""

import contextlib
import logging
import math
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)
from optuna.trial import TrialState

from naokit import NAOSampler
from naokit.optuna_sampler.history import History
from naokit.optuna_sampler.parameters import ParameterSpace


class TestOptunaSuite(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: NAOSampler(seed=0)


class TestOptunaSuiteWithoutAStart(BasicSamplerTestCase, RelativeSamplerTestCase):
    """The suite's relative tests have one result: only so is it the model that answers."""

    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: NAOSampler(seed=0, n_startup_trials=1)


def mixed(trial: optuna.Trial) -> float:
    """Conditional, with an int, a log float and choices that are no strings; 0 at best."""
    kind = trial.suggest_categorical("kind", [None, True, 3])
    loss = (math.log10(trial.suggest_float("rate", 1e-5, 1, log=True)) + 3) ** 2 / 4
    if kind is None:
        return loss + 1 + trial.suggest_float("share", 0, 1)
    if kind is True:
        return loss + (trial.suggest_int("depth", 1, 21, step=2) - 7) ** 2 / 50
    return loss + 0.5 + abs(trial.suggest_float("other", -1, 1, step=0.25))


def best_after(
    sampler: BaseSampler, trials: int, objective: Callable[[optuna.Trial], float] = mixed
) -> float:
    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=trials)
    return study.best_value


def test_it_is_ahead_of_random_and_not_behind_tpe() -> None:
    seeds = range(3)
    ours = [best_after(NAOSampler(seed=seed), 25) for seed in seeds]
    random = [best_after(RandomSampler(seed=seed), 50) for seed in seeds]
    tpe = [best_after(TPESampler(seed=seed), 25) for seed in seeds]
    assert statistics.fmean(ours) < statistics.fmean(random)  # with half of the trials
    assert statistics.fmean(ours) < statistics.fmean(tpe) + 0.1


def test_equal_seeds_propose_alike_and_others_differ() -> None:
    def values(seed: int) -> list[dict]:
        study = optuna.create_study(sampler=NAOSampler(seed=seed))
        study.optimize(mixed, n_trials=10)
        return [trial.params for trial in study.trials]

    assert values(1) == values(1)
    assert values(1) != values(2)


def test_without_a_seed_samplers_differ_and_reseeding_changes_one() -> None:
    sampler = NAOSampler()
    before = sampler._seed
    sampler.reseed_rng()
    assert len({before, sampler._seed, NAOSampler()._seed}) == 3


RESUME = """
import sys, optuna
sys.path.insert(0, {folder!r})
from test_sampler import mixed
from naokit import NAOSampler
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(storage={storage!r}, study_name="s", sampler=NAOSampler(seed=4))
study.optimize(mixed, n_trials=2)
"""


def test_a_study_resumed_in_another_process_goes_on_alike(tmp_path: Path) -> None:
    def study(name: str) -> optuna.Study:
        storage = f"sqlite:///{tmp_path}/{name}.db"
        return optuna.create_study(storage=storage, study_name="s", sampler=NAOSampler(seed=4))

    whole, halves = study("whole"), study("halves")
    whole.optimize(mixed, n_trials=9)
    halves.optimize(mixed, n_trials=7)
    code = RESUME.format(
        folder=str(Path(__file__).parent), storage=f"sqlite:///{tmp_path}/halves.db"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [t.params for t in whole.trials] == [t.params for t in halves.get_trials()]


def test_nothing_finite_is_proposed_twice_while_there_is_something_new() -> None:
    def objective(trial: optuna.Trial) -> float:
        if trial.suggest_categorical("kind", ["plain", "wide"]) == "plain":
            return trial.suggest_int("depth", 1, 4)
        return trial.suggest_float("width", 0, 1, step=0.25) + trial.suggest_int(
            "log", 1, 2, log=True
        )

    study = optuna.create_study(sampler=NAOSampler(seed=0))
    study.optimize(objective, n_trials=14)
    assert len({tuple(t.params.items()) for t in study.trials}) == 14  # 4 + 5 * 2: all there are
    study.optimize(objective, n_trials=2)
    assert len(study.trials) == 16


@pytest.mark.parametrize("ending", [ValueError, KeyboardInterrupt, optuna.TrialPruned])
def test_one_that_ended_early_does_not_stand_for_all_that_begins_alike(ending: type) -> None:
    begun: list[int] = []

    def objective(trial: optuna.Trial) -> float:
        kind = trial.suggest_categorical("kind", ["good", "bad"])
        if kind == "good":
            begun.append(trial.number)
            if len(begun) == 1:
                raise ending
        return (kind == "good") - (trial.suggest_int("x", 0, 30) / 30 - 0.6) ** 2

    study = optuna.create_study(sampler=NAOSampler(seed=0), direction="maximize")
    while len(study.trials) < 20:
        with contextlib.suppress(KeyboardInterrupt):
            study.optimize(objective, n_trials=20 - len(study.trials), catch=ValueError)
    assert study.best_value > 0.99


def test_a_branch_that_always_ends_early_is_proposed_less_and_less() -> None:
    def objective(trial: optuna.Trial) -> float:
        if trial.suggest_categorical("kind", ["good", "bad"]) == "bad":
            raise ValueError
        return -trial.suggest_int("x", 0, 50)

    study = optuna.create_study(sampler=NAOSampler(seed=0), direction="maximize")
    study.optimize(objective, n_trials=30, catch=ValueError)
    assert sum(trial.state == TrialState.FAIL for trial in study.trials[10:]) < 10


@pytest.mark.parametrize("before", [7, 20])  # some of the values of n, or all
def test_a_parameter_that_was_added_later_is_searched_like_any_other(before: int) -> None:
    def old(trial: optuna.Trial) -> float:
        return (trial.suggest_int("n", 0, 9) - 4) ** 2

    study = optuna.create_study(sampler=NAOSampler(seed=0))
    study.optimize(old, n_trials=before)
    study.optimize(lambda trial: old(trial) + trial.suggest_int("m", 0, 30) * 11 % 31, n_trials=30)
    new = study.trials[before:]
    assert len({tuple(trial.params.values()) for trial in new}) == 30
    assert len({trial.params["n"] for trial in new}) > 5
    assert study.best_value <= 1


def test_choices_of_every_kind_come_back_as_they_are() -> None:
    choices = [None, False, 2, 2.5, "x"]
    study = optuna.create_study(sampler=NAOSampler(seed=0))
    study.optimize(lambda t: choices.index(t.suggest_categorical("c", choices)), n_trials=12)
    assert study.best_params == {"c": None}
    assert {repr(t.params["c"]) for t in study.trials} == {repr(choice) for choice in choices}


def test_failed_pruned_infinite_and_undefined_results_are_survived() -> None:
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        trial.report(x, 1)
        if trial.number % 6 == 1:
            raise optuna.TrialPruned
        if trial.number % 6 == 2:
            raise ValueError
        return {3: math.nan, 4: math.inf, 5: -x}.get(trial.number % 6, x)

    study = optuna.create_study(sampler=NAOSampler(seed=0))
    study.optimize(objective, n_trials=24, catch=(ValueError,))
    assert {t.state for t in study.trials} == {
        TrialState.COMPLETE,
        TrialState.PRUNED,
        TrialState.FAIL,
    }


def test_fewer_evaluations_fail_than_with_a_sampler_blind_to_failures() -> None:
    def objective(trial: optuna.Trial) -> float:
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        if x > 0.6:
            raise ValueError
        return y + (x - 0.3) ** 2

    def failures(sampler: BaseSampler) -> int:
        study = optuna.create_study(sampler=sampler)
        study.optimize(objective, n_trials=25, catch=(ValueError,))
        return sum(t.state == TrialState.FAIL for t in study.trials)

    ours, blind = (
        sum(failures(make(seed=seed)) for seed in range(2)) for make in (NAOSampler, TPESampler)
    )
    assert ours < 0.8 * blind


def disc(trial: optuna.Trial) -> float:
    """The smallest sum inside of a disc: the constraint holds the optimum."""
    x, y = trial.suggest_float("x", -1, 1), trial.suggest_float("y", -1, 1)
    trial.set_user_attr("constraint", [x * x + y * y - 0.3])
    return x + y


@pytest.mark.parametrize("way", ["constraints_func", "set_constraint"])
def test_constraints_are_respected_more_often_than_by_random(way: str) -> None:
    def objective(trial: optuna.Trial) -> float:
        value = disc(trial)
        if way == "set_constraint":
            trial.set_constraint("disc", trial.user_attrs["constraint"][0])
        return value

    def of_trial(trial: optuna.trial.FrozenTrial) -> list[float]:
        return trial.user_attrs["constraint"]

    def kept(sampler: BaseSampler) -> tuple[float, float]:
        study = optuna.create_study(sampler=sampler)
        study.optimize(objective, n_trials=25)
        inside = [t.value for t in study.trials[5:] if of_trial(t)[0] <= 0]
        return len(inside), min(inside, default=2)

    function = of_trial if way == "constraints_func" else None
    ours = [kept(NAOSampler(seed=seed, constraints_func=function)) for seed in range(3)]
    random = [kept(RandomSampler(seed=seed)) for seed in range(3)]
    assert sum(many for many, _ in ours) > 1.3 * sum(many for many, _ in random)
    assert statistics.fmean(best for _, best in ours) < statistics.fmean(best for _, best in random)


def test_two_objectives_cover_more_than_random() -> None:
    def objective(trial: optuna.Trial) -> tuple[float, float]:
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        return x, -(1 + y) * (1 - math.sqrt(x / (1 + y)))

    def area(sampler: BaseSampler) -> float:
        study = optuna.create_study(sampler=sampler, directions=["minimize", "maximize"])
        study.optimize(objective, n_trials=25)
        total, height = 0.0, -2.0
        for first, second in sorted(tuple(t.values) for t in study.best_trials):
            total += (1 - first) * max(0.0, second - height)
            height = max(height, second)
        return total

    ours, random = (
        statistics.fmean(area(make(seed=seed)) for seed in range(3))
        for make in (NAOSampler, RandomSampler)
    )
    assert ours > random + 0.05


def test_parallel_workers_do_not_propose_alike() -> None:
    study = optuna.create_study(sampler=NAOSampler(seed=0))
    space = {"x": FloatDistribution(0, 1), "k": CategoricalDistribution(["a", "b"])}
    for _ in range(6):
        trial = study.ask(space)
        study.tell(trial, trial.params["x"])
    asked = [study.ask(space) for _ in range(4)]
    assert len({trial.params["x"] for trial in asked}) == 4
    late = study.ask()
    late.suggest_float("x", 0, 1)  # what it will ask for besides is known to the others already
    history = History(ParameterSpace(space), study.get_trials())
    assert history.running.shape == (5, 2)
    assert not np.isnan(history.running).any()


def test_threads_share_a_sampler() -> None:
    study = optuna.create_study(sampler=NAOSampler(seed=0))
    study.optimize(mixed, n_trials=12, n_jobs=2)
    assert len(study.trials) == 12


def test_a_fall_back_is_said_unless_it_is_not_to_be() -> None:
    said: list[str] = []
    ear = logging.Handler()
    ear.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = optuna.logging.get_logger("optuna.naokit")
    logger.addHandler(ear)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        for name, warn in (("x", True), ("new", True), ("new", False)):
            sampler = NAOSampler(seed=0, warn_independent_sampling=warn)
            study = optuna.create_study(sampler=sampler)
            study.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=6)
            study.optimize(lambda t, name=name: t.suggest_float(name, 0, 1), n_trials=1)
    finally:
        logger.removeHandler(ear)
    assert [text[:19] for text in said] == ["The parameter 'new'"]


def test_importing_it_loads_no_torch() -> None:
    code = "import sys, naokit; naokit.NAOSampler(seed=0); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
