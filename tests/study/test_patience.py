"""A storage that is gone for a while costs nothing; what waiting does not mend ends at once."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from sqlalchemy import event
from sqlalchemy.exc import OperationalError, PendingRollbackError

from naokit.base import InputError
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import Study, create_study, patience

SPACE = ConvCells.small(nodes=1)
WRITES = ("_create_new_trial", "set_trial_user_attr", "set_trial_state_values")
READS = ("_get_trials", "get_trial", "get_study_user_attrs")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.001)


def score(architecture: Architecture) -> float:
    return int(architecture.key[:6], 16) / 16**6


def study_in(folder: Path, name: str = "s", **settings: Any) -> Study:
    settings = {"method": "evolution", "seed": 1, **settings}
    return create_study(SPACE, storage=f"sqlite:///{folder}/s.db", name=name, **settings)


def locked(said: str = "database is locked") -> StorageInternalError:
    error = StorageInternalError("An exception is raised during the commit.")
    error.__cause__ = OperationalError("COMMIT", {}, sqlite3.OperationalError(said))
    return error


class Failing:
    """Lets an operation of the database fail some times, before or after it is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, times: int, after: bool) -> None:
        self.left = 0
        self.times = times
        self.failed = 0
        operation: Callable[..., Any] = getattr(RDBStorage, name)

        def fails(storage: RDBStorage, *given: Any, **named: Any) -> Any:
            if not self.left:
                return operation(storage, *given, **named)
            self.left -= 1
            self.failed += 1
            if after:
                operation(storage, *given, **named)
            raise locked()

        monkeypatch.setattr(RDBStorage, name, fails)

    def begin(self) -> None:
        self.left = self.times


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_an_operation_that_fails_for_a_while_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, after: bool
) -> None:
    """Also where it was done, and only its answer was lost: nothing is done twice."""
    whole = create_study(SPACE, method="evolution", seed=1)
    whole.optimize(score, 6)
    failing = Failing(monkeypatch, name, 1 if after else 3, after)
    made: list[str] = []

    def counting(architecture: Architecture) -> float:
        made.append(architecture.key)
        if len(made) == 3:
            failing.begin()
        return score(architecture)

    study = study_in(tmp_path)
    study.optimize(counting, 4, on_trial=lambda trial: failing.begin())
    failing.begin()
    study.optimize(counting, 6)
    assert failing.failed >= (1 if name == "get_study_user_attrs" else 3)  # read once a search
    failing.left = 0
    assert len(made) == 6
    found = [(trial.number, trial.architecture, trial.value) for trial in study.trials]
    assert found == [(trial.number, trial.architecture, trial.value) for trial in whole.trials]
    assert {trial.state.name for trial in study.optuna.get_trials()} == {"COMPLETE"}


def test_it_is_said_once_that_the_storage_does_not_answer_and_once_that_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    failing = Failing(monkeypatch, "set_trial_user_attr", 4, after=False)
    monkeypatch.setattr(patience._logger, "warning", said.append)
    study = study_in(tmp_path)
    failing.begin()
    study.optimize(score, 1)
    assert len(said) == 2
    assert "does not answer (" in said[0]
    assert "database is locked" in said[0]
    assert "5 minutes" in said[0]
    assert "answers again" in said[1]


def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 0.05)
    failing = Failing(monkeypatch, "set_trial_user_attr", 10_000, after=False)
    study = study_in(tmp_path)
    failing.begin()
    with pytest.raises(InputError, match=r"cannot be read or written .*database is locked"):
        study.optimize(score, 1)
    assert failing.failed < 100
    failing.left = 0
    study.optimize(score, 2)
    assert study.evaluations == 2


@pytest.mark.parametrize(
    "said",
    [
        "no such table: trials",
        "attempt to write a readonly database",
        "database or disk is full",
        "disk I/O error",
        "unable to open database file",
        'FATAL: password authentication failed for user "x"',
        'FATAL: database "x" does not exist',
        "permission denied for table trials",
    ],
)
def test_what_waiting_does_not_mend_is_told_at_once(said: str) -> None:
    assert not patience.may_pass(locked(said))


@pytest.mark.parametrize(
    "said",
    [
        "database is locked",
        "database table is locked",
        "server closed the connection unexpectedly",
        "FATAL: terminating connection due to administrator command",
        "FATAL: the database system is starting up",
        'connection to server on socket "/run/x" failed: No such file or directory',
        "connection refused",
    ],
)
def test_what_may_pass_is_waited_for(said: str) -> None:
    assert patience.may_pass(locked(said))
    assert patience.may_pass(OperationalError("SELECT", {}, Exception(said)))


def test_a_table_that_is_gone_ends_the_search_at_once(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    study.optimize(score, 1)
    with sqlite3.connect(tmp_path / "s.db") as database:
        database.execute("drop table trial_user_attributes")
    database.close()
    with pytest.raises(InputError, match="no such table"):
        study.optimize(score, 2)


def test_ctrl_c_while_the_storage_is_gone_ends_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing(monkeypatch, "set_trial_user_attr", 10_000, after=False)
    study = study_in(tmp_path)

    def pressed(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(patience, "sleep", pressed)
    failing.begin()
    with pytest.raises(KeyboardInterrupt):
        study.optimize(score, 1)
    assert failing.failed <= 3


def test_a_file_that_another_process_holds_for_a_while_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_in(tmp_path)
    holder = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    engine = study.optuna._storage._backend.engine  # type: ignore[attr-defined]
    waits: list[float] = []

    @event.listens_for(engine, "checkout")
    def hurry(connection: Any, *_: Any) -> None:  # SQLite waits for five seconds itself
        connection.execute("pragma busy_timeout = 1")

    def holding(architecture: Architecture) -> float:
        holder.execute("begin immediate")
        return score(architecture)

    def released(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            holder.execute("rollback")

    monkeypatch.setattr(patience, "sleep", released)
    study.optimize(holding, 1)
    holder.close()
    assert len(waits) == 3
    assert waits == sorted(set(waits))
    assert study.evaluations == 1


def test_another_who_told_the_trial_is_not_taken_for_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_in(tmp_path)
    asked = study.ask()
    trial_id = study._claims.held[asked.number]
    state = optuna.trial.TrialState.FAIL
    other = study_in(tmp_path).optuna._storage
    other.set_trial_state_values(trial_id, state)
    with pytest.raises(UpdateFinishedTrialError):
        study.optuna._storage.set_trial_state_values(trial_id, state)


def test_a_connection_that_broke_in_a_transaction_is_given_up_for_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a server is started anew between two statements: each later one fails alike."""
    broken: list[bool] = []
    read, remove = RDBStorage._get_trials, RDBStorage.remove_session

    def reading(storage: RDBStorage, *given: Any, **named: Any) -> Any:
        if any(broken):
            raise PendingRollbackError("Can't reconnect until invalid transaction is rolled back")
        return read(storage, *given, **named)

    def removed(storage: RDBStorage) -> None:
        broken.clear()
        remove(storage)

    monkeypatch.setattr(RDBStorage, "_get_trials", reading)
    monkeypatch.setattr(RDBStorage, "remove_session", removed)
    study = study_in(tmp_path)
    study.optimize(score, 4, on_trial=lambda trial: broken.append(True))
    assert study.evaluations == 4
