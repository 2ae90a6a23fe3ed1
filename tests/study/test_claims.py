"""Nothing is done twice, and nothing is lost: several workers, and ends at every moment."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage
from tests.study.shared_studies import SPACE, as_another_process, found, score, states, study_in

from naokit.base import EvaluationFailed, SpaceExhausted
from naokit.doors import Result
from naokit.space import Architecture
from naokit.spaces import Choice, Choices
from naokit.study import Study, claims, create_study
from naokit.study.proposing import Proposing

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


def both(architecture: Architecture) -> Result:
    return Result(score(architecture), {"cost": float(int(architecture.key[6:8], 16))})


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
