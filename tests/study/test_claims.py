"""Nothing is done twice, and nothing is lost: several workers, and ends at every moment."""

import platform
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage

from naokit.base import EvaluationFailed, SpaceExhausted
from naokit.doors import Result
from naokit.evaluators.function import Function
from naokit.runs.studies import search_study
from naokit.space import Architecture
from naokit.spaces import Choice, Choices, ConvCells
from naokit.study import Study, claims, create_study, heartbeat, liveness
from naokit.study.ledger import ARCHITECTURE, OUTCOME
from naokit.study.proposing import Proposing

SPACE = ConvCells.small(nodes=1)
TINY = Choices("tiny", tuple(Choice(name, (0, 1, 2)) for name in "abc"))
ONE = Choices("one", (Choice("a", tuple(range(9))),))
WRITES = (
    "_create_new_trial",
    "set_trial_user_attr",
    "set_trial_system_attr",
    "_set_trial_param",
    "set_trial_state_values",
    "record_heartbeat",
)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def score(architecture: Architecture) -> float:
    return int(architecture.key[:6], 16) / 16**6


def both(architecture: Architecture) -> Result:
    return Result(score(architecture), {"cost": float(int(architecture.key[6:8], 16))})


def study_in(folder: Path, space: Any = SPACE, **settings: Any) -> Study:
    settings = {"method": "evolution", "seed": 1, **settings}
    return create_study(space, storage=f"sqlite:///{folder}/s.db", name="s", **settings)


def found(study: Study) -> list[tuple[str, float | None, str]]:
    return [(str(t.architecture), t.value, t.reason) for t in study.trials]


def states(study: Study) -> Counter[str]:
    return Counter(trial.state.name for trial in study.optuna.get_trials(deepcopy=False))


class Killed(BaseException):
    """The process is gone: nothing that it does afterwards reaches the storage."""


class Kill:
    """Ends the process at one of its writes, before or after it is made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes = 0
        self.at: float = float("inf")
        self.after = False
        self.dead = False
        for name in WRITES:
            monkeypatch.setattr(RDBStorage, name, self._counted(getattr(RDBStorage, name)))

    def _counted(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def write(storage: RDBStorage, *given: Any, **named: Any) -> Any:
            self.writes += 1
            if self.dead or (self.writes == self.at and not self.after):
                self.dead = True
                raise Killed
            done = operation(storage, *given, **named)
            if self.writes == self.at:
                self.dead = True
                raise Killed
            return done

        return write


def as_another_process(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """What is asked for from now on seems asked by a process that has ended, or so."""
    worker = liveness._worker.__wrapped__(liveness.os.getpid()) | changes
    monkeypatch.setattr(liveness, "_worker", lambda process: worker)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "method", ["evolution", "tpe", pytest.param("nsga2", marks=pytest.mark.slow)]
)
def test_killed_at_any_write_a_search_continues_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, after: bool
) -> None:
    made: list[str] = []

    def logged(architecture: Architecture) -> float:
        made.append(architecture.key)
        if score(architecture) < 0.2:
            raise EvaluationFailed("diverged")
        return score(architecture)

    kill = Kill(monkeypatch)
    whole = study_in(tmp_path, ONE, method=method)
    whole.optimize(logged, 1)
    begun = (tmp_path / "s.db").read_bytes()
    before = kill.writes
    whole.optimize(logged, 2)
    writes = kill.writes - before
    assert writes >= 4
    expected, redone = found(whole), 0
    for place in range(1, writes + 1):
        folder = tmp_path / str(place)
        folder.mkdir()
        (folder / "s.db").write_bytes(begun)
        made.clear()
        with monkeypatch.context() as context:
            as_another_process(context, ticks=1, started=1.0)
            study = study_in(folder, ONE, method=method)
            kill.writes, kill.at, kill.after = 0, place, after
            with pytest.raises(Killed):
                study.optimize(logged, 2)
            kill.at, kill.dead = float("inf"), False
        again = study_in(folder, ONE, method=method)
        again.optimize(logged, 2)
        assert found(again) == expected, place
        assert "RUNNING" not in states(again)
        redone += len(made) - 1
    # An evaluation is made again where its outcome had not been written, and there alone.
    assert redone == (0 if after else 1)


@pytest.mark.parametrize("settings", [{}, {"objectives": ["value", "cost:minimize"]}])
@pytest.mark.parametrize("sign", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("name", ["set_trial_user_attr", "set_trial_state_values", "get_trial"])
def test_interrupted_while_it_is_stored_a_result_is_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    sign: type[BaseException],
    settings: dict,
) -> None:
    """In one process, as in a notebook: what was stored is completed, not told again."""
    made: list[str] = []
    pressed: list[str] = []

    def logged(architecture: Architecture) -> Result:
        made.append(architecture.key)
        return both(architecture)

    study = study_in(tmp_path, **settings)
    operation = getattr(RDBStorage, name)

    def stores(storage: RDBStorage, *given: Any, **named: Any) -> Any:
        done = operation(storage, *given, **named)
        if len(made) == 2 and not pressed:
            pressed.append(name)
            raise sign
        return done

    monkeypatch.setattr(RDBStorage, name, stores)
    with pytest.raises(sign):
        study.optimize(logged, 5)
    assert states(study) == {"COMPLETE": 2}
    study.optimize(logged, 5)
    assert study.evaluations == len(made) == len(set(made)) == 5
    again = study_in(tmp_path, **settings)
    assert again.trials == study.trials
    assert all(
        trial.metrics["cost"] == both(trial.architecture).metrics["cost"] for trial in again.trials
    )


@pytest.mark.parametrize("name", ["record_heartbeat", "_get_trials"])
def test_interrupted_while_it_asks_nothing_stays_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    study = study_in(tmp_path)
    study.optimize(score, 2)
    operation, calls = getattr(RDBStorage, name), []

    def pressed(storage: RDBStorage, *given: Any, **named: Any) -> Any:
        done = operation(storage, *given, **named)
        calls.append(name)
        if len(calls) == (4 if name == "_get_trials" else 1):
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as context:
        context.setattr(RDBStorage, name, pressed)
        with pytest.raises(KeyboardInterrupt):
            study.optimize(score, 5)
    whole = create_study(SPACE, method="evolution", seed=1)
    whole.optimize(score, 5)
    study.optimize(score, 5)
    assert found(study) == found(whole)


def test_what_ends_between_two_looks_is_in_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial of another process ends just while this one reads what there is."""
    one, other = (
        study_in(tmp_path, TINY, method="random"),
        study_in(tmp_path, TINY, method="random"),
    )
    running = [other.ask()]
    get_trials = optuna.Study.get_trials

    def meanwhile(study: optuna.Study, *given: Any, **named: Any) -> Any:
        read = get_trials(study, *given, **named)
        if study is one.optuna and running:
            asked = running.pop()
            other.tell(asked.number, 1.0)
        return read

    monkeypatch.setattr(optuna.Study, "get_trials", meanwhile)
    asked = one.ask()
    assert asked.architecture.key not in {t.architecture.key for t in other.trials}


def test_a_lost_proposal_leaves_no_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (
        study_in(tmp_path, TINY, method="random"),
        study_in(tmp_path, TINY, method="random"),
    )
    following, rivals = Proposing.next, []

    def meanwhile(proposing: Proposing, *given: Any) -> Any:
        proposal = following(proposing, *given)
        if proposing is one._proposing and len(rivals) < 5:
            rivals.append(None)
            rivals[-1] = other.ask()
        return proposal

    monkeypatch.setattr(Proposing, "next", meanwhile)
    asked = [one.ask(), *rivals]
    assert len({a.architecture.key for a in asked}) == len(asked) == 3  # it loses once, not again
    assert states(one) == {"RUNNING": 3}
    for each in asked[1:]:
        other.tell(each.number, 1.0)
    one.tell(asked[0].number, 1.0)
    assert one.evaluations == 3


def test_those_that_ask_at_the_same_moment_propose_twice_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They get what one process would propose, whoever of them is faster."""

    def opened(storage: str | None) -> Study:
        return create_study(TINY, storage=storage, method="random", seed=3)

    studies = [opened(f"journal:///{tmp_path}/s.log") for _ in range(8)]
    at_once = threading.Barrier(len(studies))
    make, write, written = claims.Claims.make, claims.Claims.write, Counter[claims.Claims]()

    def makes(one: claims.Claims, *given: Any) -> int:
        at_once.wait(60)  # all have proposed the same
        number = make(one, *given)
        at_once.wait(60)
        return number

    def writes(one: claims.Claims, *given: Any) -> None:
        written[one] += 1
        write(one, *given)

    monkeypatch.setattr(claims.Claims, "make", makes)
    monkeypatch.setattr(claims.Claims, "write", writes)
    with ThreadPoolExecutor(len(studies)) as threads:
        asked = list(threads.map(Study.ask, studies))
    monkeypatch.undo()
    alone = opened(None)
    expected = {alone.ask().architecture.key for _ in studies}
    assert {one.architecture.key for one in asked} == expected
    assert list(written.values()) == [1] * (len(studies) - 1)


@pytest.mark.parametrize("method", ["evolution", pytest.param("tpe", marks=pytest.mark.slow)])
def test_threads_that_ask_and_tell_share_the_work(tmp_path: Path, method: str) -> None:
    study, asked, errors = study_in(tmp_path, TINY, method=method), [], []

    def work() -> None:
        try:
            while True:
                one = study.ask()
                asked.append(one.architecture.key)
                study.tell(one.number, score(one.architecture))
        except SpaceExhausted:
            return
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(asked) == len(set(asked)) == study.evaluations == 27


WORKER = """
import os, sys, time, optuna
from pathlib import Path
from naokit.base import SpaceExhausted
from naokit.spaces import ConvCells
from naokit.study import create_study
folder, method, way, evaluations = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
optuna.logging.set_verbosity(optuna.logging.ERROR)
def score(architecture):
    with (folder / "log").open("a") as log:
        log.write(f"{architecture.key}\\n")
    return int(architecture.key[:6], 16) / 16**6
space = ConvCells.small(nodes=1)
study = create_study(space, storage=f"sqlite:///{folder}/s.db", name="s", method=method, seed=1)
(folder / f"ready-{os.getpid()}").touch()
while not (folder / "go").exists():
    time.sleep(0.002)
if way == "ask":
    while study.evaluations < evaluations:
        asked = study.ask()
        study.tell(asked.number, score(asked.architecture))
else:
    if way == "enqueue":
        study.enqueue([space.architecture((place, *[0] * 7)) for place in (0, 1)])
        study.enqueue([space.architecture((0, 0, 0, place, *[0] * 4)) for place in range(4)])
    study.optimize(score, evaluations)
    if way == "repeat":
        study.repeat(score, best=2, times=4)
"""


def search_with(workers: int, folder: Path, method: str, way: str, evaluations: int) -> list[str]:
    """What several processes that begin at the same moment have evaluated."""
    study_in(folder, method=method)
    arguments = [sys.executable, "-c", WORKER, str(folder), method, way, str(evaluations)]
    processes = [
        subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) for _ in range(workers)
    ]
    while len(list(folder.glob("ready-*"))) < workers:
        assert all(process.poll() is None for process in processes)
        time.sleep(0.01)
    (folder / "go").touch()
    for process in processes:
        _, errors = process.communicate(timeout=280)
        assert process.returncode == 0, errors
    return (folder / "log").read_text().splitlines()


def test_processes_evaluate_nothing_twice(tmp_path: Path) -> None:
    made = search_with(3, tmp_path, "evolution", "enqueue", 24)
    assert len(made) == len(set(made))
    study = study_in(tmp_path)
    assert study.evaluations == len(made) == 24
    assert states(study)["COMPLETE"] == 24
    assert not states(study).keys() - {"COMPLETE", "FAIL"}  # those too many were given back
    assert Counter(trial.origin for trial in study.trials)["given"] == 5


@pytest.mark.slow
@pytest.mark.parametrize("way", ["optimize", "ask", "enqueue"])
@pytest.mark.parametrize("method", ["random", "evolution", "nao", "tpe", "local-search"])
def test_eight_processes_evaluate_nothing_twice(tmp_path: Path, method: str, way: str) -> None:
    made = search_with(8, tmp_path, method, way, 40)
    assert len(made) == len(set(made))
    study = study_in(tmp_path, method=method)
    assert 40 <= study.evaluations == len(made) <= (47 if way == "ask" else 40)
    assert "RUNNING" not in states(study)
    assert states(study)["FAIL"] <= 9  # those too many were given back


@pytest.mark.slow
def test_processes_repeat_the_best_together(tmp_path: Path) -> None:
    """Three further evaluations of each of the best two, whoever makes them."""
    made = Counter(search_with(4, tmp_path, "random", "repeat", 12))
    assert sum(count - 1 for count in made.values()) <= 2 * 3 + 3


def test_what_is_given_waits_where_another_is_at_it(tmp_path: Path) -> None:
    given = [TINY.architecture((a, 0, 0)) for a in range(3)]
    one, other = study_in(tmp_path, TINY), study_in(tmp_path, TINY)
    for study in (one, other):
        study.enqueue(given)
        study.enqueue(given)
    first, second, third = one.ask(), other.ask(), one.ask()
    assert [a.architecture for a in (first, second, third)] == given
    assert {a.origin for a in (first, second, third)} == {"given"}
    proposed = other.ask()
    assert proposed.origin != "given"
    one._claims.give_back(first.number)  # it came to nothing
    again = other.ask()
    assert (again.architecture, again.origin) == (given[0], "given")


def test_repeats_count_whoever_makes_them(tmp_path: Path) -> None:
    one, other = study_in(tmp_path, TINY), study_in(tmp_path, TINY)
    one.optimize(score, 3)
    seen: list[int] = []

    def meanwhile(architecture: Architecture) -> float:
        seen.append(1)
        if len(seen) == 1:
            other.repeat(score, best=1, times=4)
        return score(architecture)

    one.repeat(meanwhile, best=1, times=4)
    assert len(one.best.values) == 4
    assert len(one.trials) == 3 + 3


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
