"""Trials whose process is gone, or only seems so: found, done again, and never told twice."""

import platform
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage
from tests.study.shared_studies import SPACE, as_another_process, found, score, states, study_in

from naokit.evaluators.function import Function
from naokit.runs.studies import search_study
from naokit.space import Architecture
from naokit.study import Study, claims, create_study, heartbeat
from naokit.study.ledger import ARCHITECTURE, OUTCOME


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def test_a_worker_that_was_taken_for_dead_goes_on_and_its_result_is_kept(tmp_path: Path) -> None:
    one, other = study_in(tmp_path), study_in(tmp_path)

    def taken(architecture: Architecture) -> float:
        for frozen in other._ledger.read().running.values():
            claims.settle(other._ledger.stored, frozen)
        return score(architecture)

    one.optimize(taken, 3)
    assert one.evaluations == 3
    assert len(found(one)) == len(set(found(one))) == 3


@pytest.mark.parametrize("told", [False, True])
def test_what_another_does_again_is_its_own(tmp_path: Path, told: bool) -> None:
    one, other = study_in(tmp_path), study_in(tmp_path)
    asked = one.ask()
    for frozen in other._ledger.read().running.values():
        claims.settle(other._ledger.stored, frozen)
    again = other.ask()
    assert again.architecture.key == asked.architecture.key
    if told:
        other.tell(again.number, 0.5)
    mine = one.tell(asked.number, 0.5)
    assert (mine.architecture, mine.value) == (asked.architecture, 0.5)
    if not told:
        other.tell(again.number, 0.5)
    assert [trial.value for trial in one.trials] == [0.5]
    one.optimize(score, 3)
    assert one.evaluations == 3


def test_a_result_that_another_completed_is_not_told_again(tmp_path: Path) -> None:
    one, other = study_in(tmp_path), study_in(tmp_path)
    asked = one.ask()
    trial_id = one._claims.held[asked.number]
    outcome = {"values": [0.5], "metrics": {}, "seconds": 1.0}
    one.optuna._storage.set_trial_user_attr(trial_id, OUTCOME, outcome)
    (frozen,) = other._ledger.read().running.values()
    claims.settle(other._ledger.stored, frozen)
    claims.settle(other._ledger.stored, frozen)  # a third process does it at the same moment
    assert one.tell(asked.number, 0.5).value == 0.5
    assert [trial.value for trial in one.trials] == [0.5]


def test_a_dead_worker_of_this_machine_is_found_while_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = study_in(tmp_path)
    with monkeypatch.context() as context:
        as_another_process(context, ticks=1, started=1.0)
        lost = one.ask()
    assert study_in(tmp_path).ask().architecture == lost.architecture
    one._claims.held.clear()


def elsewhere(study: Study, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a process on another machine asks for."""
    with monkeypatch.context() as context:
        as_another_process(context, host="container-1")
        asked = study.ask()
    study._claims.held.clear()
    return asked


def later(study: Study, seconds: int) -> None:
    """Makes every sign of life, and every beginning, older."""
    engine = study.optuna._storage._backend.engine  # type: ignore[attr-defined]
    past = datetime.now() - timedelta(seconds=seconds)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"update trial_heartbeats set heartbeat = datetime(heartbeat, '-{seconds} seconds')"
        )
        connection.exec_driver_sql("update trials set datetime_start = ?", (str(past),))


def test_a_trial_of_another_machine_is_done_again_when_its_signs_of_life_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = elsewhere(study_in(tmp_path), monkeypatch)
    study = study_in(tmp_path)
    assert study.ask().architecture.key != lost.architecture.key
    assert study.release() == 0
    later(study, 600)
    assert study.ask().architecture.key != lost.architecture.key
    later(study, 600)
    monkeypatch.setattr(heartbeat, "BEAT", 0)  # it has looked less than a minute ago
    assert study.ask().architecture.key == lost.architecture.key


def test_in_a_journal_a_sign_of_life_is_a_number_that_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, now, monotonic = f"journal:///{tmp_path}/s.log", [0.0], time.monotonic
    one, other = (create_study(SPACE, storage=storage, method="evolution") for _ in range(2))
    lost = elsewhere(one, monkeypatch)
    trial_id = one._ledger.stored.id_of(one.optuna.trials[lost.number])
    monkeypatch.setattr(heartbeat.time, "monotonic", lambda: monotonic() + now[0])
    monkeypatch.setattr(heartbeat, "BEAT", 0)  # it may look at any time
    monkeypatch.setattr(heartbeat.Pulse, "_go_on", lambda self, signs: None)
    assert other.ask().architecture.key != lost.architecture.key
    now[0] += 600
    one._claims.pulse.begin(trial_id)
    assert other.ask().architecture.key != lost.architecture.key
    now[0] += 600
    assert other.release() == 0
    assert other.ask().architecture.key != lost.architecture.key
    now[0] += 600
    assert other.ask().architecture.key == lost.architecture.key


def test_what_no_sign_of_life_covers_is_said_and_can_be_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("naokit.study.abandoned._logger.warning", said.append)
    monkeypatch.setattr(heartbeat.Pulse, "begin", lambda self, trial_id: None)
    lost = elsewhere(study_in(tmp_path), monkeypatch)
    study_in(tmp_path)
    assert not said
    later(study_in(tmp_path), 86_400)
    study = study_in(tmp_path)
    assert len(said) == 1
    assert "1 trial of the study s runs on container-1 without a sign of life" in said[0]
    assert "--release-abandoned" in said[0]
    study._claims.give_back(study.ask().number)
    found = search_study(
        SPACE,
        Function(score, "maximize"),
        storage=f"sqlite:///{tmp_path}/s.db",
        method="evolution",
        seed=1,
        evaluations=1,
        name="s",
        release=True,
    )
    assert [trial.architecture.key for trial in found.trials] == [lost.architecture.key]
    assert study.release() == 0


def test_a_worker_shows_signs_of_life_until_it_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)
    beats: list[int] = []
    record = RDBStorage.record_heartbeat

    def beat(storage: RDBStorage, trial_id: int) -> None:
        record(storage, trial_id)
        beats.append(trial_id)

    monkeypatch.setattr(RDBStorage, "record_heartbeat", beat)
    study = study_in(tmp_path)
    asked = study.ask()
    limit = time.monotonic() + 30
    while len(beats) < 3 and time.monotonic() < limit:
        time.sleep(0.01)
    assert len(beats) >= 3
    assert study._claims.pulse.living() == set(beats)
    study.tell(asked.number, 1.0)
    thread = study._claims.pulse._thread
    assert thread is not None
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_a_trial_made_by_an_earlier_version_is_still_understood(tmp_path: Path) -> None:
    """Without ticks, and without values in the outcome; of dead processes and another host."""
    study = study_in(tmp_path)
    for host, outcome in (
        (platform.node(), None),
        (platform.node(), {"metrics": {}, "seconds": 1.0}),
        ("elsewhere", None),
    ):
        record = {
            "text": "",
            "choices": [0] * SPACE.grammar.length,
            "origin": "random",
            "worker": {"host": host, "process": 1, "started": 1.0},
        }
        attributes = {ARCHITECTURE: record} | ({OUTCOME: outcome} if outcome else {})
        state = optuna.trial.TrialState.RUNNING
        study.optuna.add_trial(optuna.trial.create_trial(state=state, user_attrs=attributes))
    assert states(study_in(tmp_path)) == {"FAIL": 2, "RUNNING": 1}
    assert study_in(tmp_path).evaluations == 0
