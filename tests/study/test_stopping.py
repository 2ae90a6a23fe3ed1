"""Evaluations that report each epoch: kept, stopped, continued, resumed."""

import math
from collections.abc import Sequence
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from naokit.base import Curve, EvaluationFailed, InputError
from naokit.doors import Evaluator, Reporter, Result
from naokit.space import Architecture
from naokit.spaces import Choice, Choices
from naokit.study import Study, create_study, open_study
from naokit.study.origins import CONTINUED
from naokit.study.pruning import Pruner, Seen
from naokit.study.stopping import Checkpoints
from naokit.workers import Local

SPACE = Choices("tens", (Choice("a", tuple(range(10))), Choice("b", tuple(range(10)))))
EPOCHS = 9


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


class Killed(BaseException):
    """Stands for what ends the process."""


class Curves(Evaluator):
    """The value of an architecture grows with each epoch; a file holds how far it came."""

    epochs = EPOCHS

    def __init__(self, killed_at: tuple[int, int] | None = None) -> None:
        self.killed_at, self.begun, self.trained = killed_at, 0, 0

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        return Result(self.value(architecture, EPOCHS), seconds=1.0)

    def evaluate_in_epochs(self, architecture: Architecture, seed: int, told: Reporter) -> Result:
        self.begun += 1
        assert told.folder is not None
        told.folder.mkdir(parents=True, exist_ok=True)
        file = told.folder / "epoch"
        kept = int(file.read_text()) if file.exists() else 0
        for epoch in range(1, EPOCHS + 1):
            if epoch <= kept:
                if told.report(epoch, self.value(architecture, epoch)):
                    return Result(math.nan, {"size": 3.0}, seconds=0.5)
                continue
            self.trained += 1
            file.write_text(str(epoch))
            if (self.begun, epoch) == self.killed_at:
                raise Killed
            if told.report(epoch, self.value(architecture, epoch)):
                return Result(math.nan, {"size": 3.0}, seconds=0.5)
        return self.evaluate(architecture, seed)

    def value(self, architecture: Architecture, epoch: int) -> float:
        a, b = architecture.choices
        return a + epoch * b / 10


def searched(storage: str | None = None, evaluations: int = 30, **others: object) -> Study:
    study = create_study(SPACE, storage=storage, method="random", pruner="asha", **others)  # type: ignore[arg-type]
    study.optimize(Curves(), evaluations)
    return study


def told(study: Study) -> list[tuple[object, ...]]:
    return [(str(t.architecture), t.value, t.stopped, t.origin, *t.curve) for t in study.trials]


def test_unpromising_ones_stop_and_the_budget_counts_each_architecture_once() -> None:
    study = searched()
    assert study.evaluations == 30
    stopped = [trial for trial in study.trials if trial.stopped]
    assert {trial.stopped for trial in stopped} == {1, 3}
    assert study.failed == 0
    assert all(trial.value is None and not trial.failed for trial in stopped)
    whole = [trial for trial in study.trials if trial.value is not None]
    assert all(list(trial.curve) == [*range(1, EPOCHS + 1)] for trial in whole)
    assert study.stopped + len(whole) == 30
    assert study.epochs < 30 * EPOCHS / 3
    assert study.best.mean == max(trial.value or 0 for trial in whole)


def test_optuna_sees_pruned_trials_with_their_curves(tmp_path: Path) -> None:
    study = searched(f"sqlite:///{tmp_path}/s.db")
    frozen = study.optuna.get_trials()
    for trial, one in zip(study.trials, frozen, strict=True):
        assert one.intermediate_values == trial.curve
        assert (one.state == TrialState.PRUNED) == bool(trial.stopped)
    read = open_study(SPACE, f"sqlite:///{tmp_path}/s.db", "naokit")
    assert told(read) == told(study)
    assert read.stopped == study.stopped


def test_a_stopped_one_goes_on_where_it_was_and_its_result_replaces_that() -> None:
    evaluator = Curves()
    study = create_study(SPACE, method="random", pruner="asha")
    study.optimize(evaluator, 40)
    again = [trial for trial in study.trials if trial.origin == CONTINUED]
    assert again
    for trial in again:
        first = next(t for t in study.trials if t.architecture == trial.architecture)
        assert 0 < first.stopped < max(trial.curve)
        assert first.curve.items() <= trial.curve.items()
    assert evaluator.trained == study.epochs  # nothing was trained twice


def test_methods_see_how_far_each_came() -> None:
    study = searched(evaluations=12)
    history = study.goals.observations(study._ledger.read().history, 0)
    assert len(history) == study.evaluations
    stopped = [one for one in history if one.stopped]
    assert len(stopped) == study.stopped
    for one in stopped:
        assert one.value == Curves().value(one.architecture, one.stopped)


@pytest.mark.parametrize("method", ["nao", "evolution", "tpe"])
def test_methods_search_on(method: str) -> None:
    study = create_study(SPACE, method=method, pruner="asha")
    study.optimize(Curves(), 25)
    assert study.evaluations == 25
    assert study.stopped > 5


@pytest.mark.parametrize("pruner", ["median", "hyperband", "successive-halving"])
def test_pruners_of_optunas_stop_too(pruner: str) -> None:
    study = create_study(SPACE, method="random", pruner=pruner)
    study.optimize(Curves(), 30)
    assert 0 < study.stopped < 30


@pytest.mark.parametrize("at", [(1, 5), (2, 1), (5, 1), (8, 2)])
def test_a_search_that_was_killed_goes_on_as_if_it_had_not(
    tmp_path: Path, at: tuple[int, int]
) -> None:
    storage = f"sqlite:///{tmp_path}/s.db"
    study = create_study(SPACE, storage=storage, method="nao", pruner="asha")
    with pytest.raises(Killed):
        study.optimize(Curves(at), 20, folder=tmp_path)
    goes_on = create_study(SPACE, storage=storage, method="nao", pruner="asha")
    goes_on.optimize(Curves(), 20, folder=tmp_path)
    whole = create_study(SPACE, method="nao", pruner="asha")
    whole.optimize(Curves(), 20)
    assert told(goes_on) == told(whole)


def test_a_lost_checkpoint_costs_time_and_nothing_else(tmp_path: Path) -> None:
    class Forgetful(Curves):
        def evaluate_in_epochs(
            self, architecture: Architecture, seed: int, told: Reporter
        ) -> Result:
            assert told.folder is not None
            (told.folder / "epoch").unlink(missing_ok=True)
            return super().evaluate_in_epochs(architecture, seed, told)

    study = create_study(SPACE, method="random", pruner="asha")
    study.optimize(Forgetful(), 30)
    assert told(study) == told(searched())


def test_epochs_in_all() -> None:
    study = create_study(SPACE, method="random", pruner="asha")
    study.optimize(Curves(), 100, epochs=40)
    assert 40 <= study.epochs < 40 + EPOCHS
    assert study.evaluations < 100
    before = study.evaluations
    study.optimize(Curves(), 100, epochs=40)
    assert study.evaluations == before


def test_repeats_are_whole_evaluations_of_others_seeds() -> None:
    study = searched()
    study.repeat(Curves(), best=2, times=3)
    assert [len(standing.values) for standing in study.standings()[:2]] == [3, 3]


def test_in_other_processes(tmp_path: Path) -> None:
    study = create_study(SPACE, method="random", pruner="asha")
    with Local(2) as workers:
        study.optimize(Curves(), 12, workers=workers, folder=tmp_path)
    assert study.evaluations == 12
    assert 0 < study.stopped < 12


def test_checkpoints_are_bounded_and_gone_at_the_end(tmp_path: Path) -> None:
    def watch(trial: object) -> None:
        assert (tmp_path / "trials").exists()

    study = create_study(SPACE, method="random", pruner="asha")
    study.optimize(Curves(), 10, folder=tmp_path, on_trial=watch)
    assert not (tmp_path / "trials").exists()


def test_the_least_promising_checkpoints_make_room(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    some = [SPACE.architecture((0, number)) for number in range(4)]
    for architecture in some:
        kept.of(architecture).mkdir(parents=True)
        (kept.of(architecture) / "weights").write_bytes(b"0" * 100)
    kept.bound(some, most=250)
    assert [kept.of(architecture).exists() for architecture in some] == [True, True, False, False]


class Own(Evaluator):
    """Reports what it is told to."""

    epochs = 3

    def __init__(self, *reports: tuple[int, float]) -> None:
        self.reports = reports

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        return Result(1.0)

    def evaluate_in_epochs(self, architecture: Architecture, seed: int, told: Reporter) -> Result:
        for epoch, value in self.reports:
            told.report(epoch, value)
        return Result(1.0)


def test_a_value_that_stops_being_finite_is_a_failure() -> None:
    study = create_study(SPACE, method="random", pruner="asha")
    study.optimize(Own((1, 1.0), (2, math.nan)), 1)
    (trial,) = study.trials
    assert (trial.value, trial.reason, trial.failed) == (None, "diverged", True)
    assert trial.curve == {1: 1.0}


def test_pruners_do_not_take_a_failed_evaluation_for_a_whole_one() -> None:
    class Watching(Pruner):
        """Remembers what it was shown of those that ended."""

        def __init__(self) -> None:
            self.ended: list[bool] = []

        def stops(self, mine: Curve, ended: Sequence[Seen], running: Sequence[Curve] = ()) -> bool:
            self.ended = [one.whole for one in ended]
            return False

    watching = Watching()
    study = create_study(SPACE, method="random", pruner=watching)
    study.optimize(Own((1, 1.0), (2, math.nan)), 1)
    study.optimize(Own((1, 1.0)), 3)
    assert watching.ended == [False, True]


def test_epochs_after_the_end_are_refused() -> None:
    study = create_study(SPACE, method="random", pruner="asha")
    with pytest.raises(InputError, match="epoch 4 is reported, but an evaluation has 3"):
        study.optimize(Own((1, 1.0), (4, 1.0)), 1)


def own_loop(study: Study, evaluations: int) -> None:
    """A loop of one's own: ask, train, report, tell."""
    for _ in range(evaluations):
        asked = study.ask()
        for epoch in range(1, EPOCHS + 1):
            value = Curves().value(asked.architecture, epoch)
            study.report(asked.number, epoch, value)
            if epoch < EPOCHS and study.should_stop(asked.number):
                study.tell_stopped(asked.number)
                break
        else:
            study.tell(asked.number, value)


def test_an_own_loop_stops_early(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/s.db"
    own_loop(create_study(SPACE, storage=storage, method="nao", pruner="asha"), 8)
    study = create_study(SPACE, storage=storage, method="nao", pruner="asha")
    own_loop(study, 8)
    assert study.evaluations == 16
    assert study.stopped > 4
    whole = create_study(SPACE, method="nao", pruner="asha")
    own_loop(whole, 16)
    assert told(whole) == told(study)


@pytest.fixture
def asked() -> tuple[Study, int]:
    study = create_study(SPACE, method="random", pruner="asha")
    return study, study.ask().number


def test_bad_reports(asked: tuple[Study, int]) -> None:
    study, number = asked
    study.report(number, 2, 1.0)
    for epoch in (2, 1, 0, -1, 2.5, True):
        with pytest.raises(InputError, match=f"reports epoch {epoch} after epoch 2: report whole"):
            study.report(number, epoch, 1.0)  # type: ignore[arg-type]
    with pytest.raises(EvaluationFailed, match="the value is inf after epoch 3"):
        study.report(number, 3, math.inf)
    study.tell(number, 1.0)
    for call in (study.should_stop, study.tell_stopped, lambda n: study.report(n, 4, 1.0)):
        with pytest.raises(InputError, match="waits for no result"):
            call(number)


def test_stopped_without_a_report(asked: tuple[Study, int]) -> None:
    study, number = asked
    assert not study.should_stop(number)
    with pytest.raises(InputError, match="has reported no epoch: call `report` before"):
        study.tell_stopped(number)
    study.tell(number, 1.0)


def test_budgets_that_fit_nothing() -> None:
    with pytest.raises(InputError, match="`epochs` is 8, fewer than the 9 of one evaluation"):
        create_study(SPACE, pruner="asha").optimize(Curves(), 10, epochs=8)
    with pytest.raises(InputError, match="`epochs` counts what evaluations report"):
        create_study(SPACE, pruner="asha").optimize(lambda architecture: 1.0, 10, epochs=8)
    with pytest.raises(InputError, match="`epochs` counts what evaluations report"):
        create_study(SPACE).optimize(Curves(), 10, epochs=80)


def test_a_study_keeps_its_pruner(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/s.db"
    create_study(SPACE, storage=storage, pruner="asha")
    with pytest.raises(InputError, match="pruner was asha, now median"):
        create_study(SPACE, storage=storage, pruner="median")
    with pytest.raises(InputError, match="leave it out where there are several objectives"):
        create_study(SPACE, objectives=["value", "size:minimize"], pruner="asha")
