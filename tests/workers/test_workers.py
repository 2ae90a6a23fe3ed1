"""Here or in other processes: the same comes out, and no process is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import optuna
import psutil
import pytest
from threadpoolctl import threadpool_info

from naokit.base import EvaluationFailed, InputError
from naokit.doors import Evaluator, Result
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import create_study
from naokit.testing import WorkersContract
from naokit.workers import WORKER_DIED, Here, Local

SPACE = ConvCells.small(nodes=1)
ONE = SPACE.parse("0 0 1 0 0 3 1 4")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


class TestHere(WorkersContract):
    architecture = ONE

    def workers(self) -> Here:
        return Here()


class TestLocal(WorkersContract):
    architecture = ONE

    def workers(self) -> Local:
        return Local(2)


class Strange(Exception):
    """Cannot be made again from what it says."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} {two}")


class Wild(Evaluator):
    """Does what the seed says."""

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        if seed == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if seed == 2:
            raise Strange(1, 2)
        if seed == 3:
            time.sleep(600)
        return Result(float(seed), {"process": float(os.getpid())})


def test_a_process_that_dies_is_a_failed_evaluation_and_is_replaced() -> None:
    with Local(1) as workers:
        first = workers.submit(Wild(), ONE, 0).result(60)
        error = workers.submit(Wild(), ONE, 1).exception(60)
        assert isinstance(error, EvaluationFailed)
        assert error.reason == WORKER_DIED
        assert str(error) == "its process was ended by signal 9 (killed)"
        after = workers.submit(Wild(), ONE, 4).result(60)
        assert after.value == 4
        assert after.metrics["process"] != first.metrics["process"]


class Threads(Evaluator):
    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        return Result(float(max(library["num_threads"] for library in threadpool_info())))


@pytest.mark.parametrize(("said", "processes", "threads"), [(None, 64, 1), ("1", 1, 1)])
def test_each_process_has_its_share_of_the_cores(
    monkeypatch: pytest.MonkeyPatch, said: str | None, processes: int, threads: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    if said is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    with Local(processes) as workers:
        assert workers.submit(Threads(), ONE, 0).result(60).value == threads


def test_an_error_that_cannot_be_sent_says_what_it_was() -> None:
    with Local(1) as workers, pytest.raises(RuntimeError, match="Strange: 1 2"):
        workers.submit(Wild(), ONE, 2).result(60)


def test_closing_ends_what_runs_at_once() -> None:
    workers = Local(1)
    began = workers.submit(Wild(), ONE, 0).result(60)
    future = workers.submit(Wild(), ONE, 3)
    closing = threading.Timer(0.3, workers.close)
    closing.start()
    with pytest.raises(EvaluationFailed):
        future.result(60)
    closing.join(60)
    assert not psutil.pid_exists(int(began.metrics["process"]))
    workers.close()


def test_what_waits_when_workers_are_closed_is_cancelled() -> None:
    workers = Local(1)
    running = workers.submit(Wild(), ONE, 3)
    waiting = workers.submit(Wild(), ONE, 4)
    while not running.running():
        time.sleep(0.01)
    workers.close()
    assert waiting.cancelled()
    assert isinstance(running.exception(60), EvaluationFailed)


def test_what_cannot_be_sent_is_said_in_one_line() -> None:
    with Local(1) as workers, pytest.raises(InputError, match="define it in a module"):
        create_study(SPACE, method="random").optimize(lambda a: 1.0, 2, workers=workers)
    with pytest.raises(InputError, match="`processes` is 0"):
        Local(0)


class Unmade(Evaluator):
    """Cannot be made again."""

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        raise AssertionError

    def __reduce__(self) -> tuple[object, ...]:
        return int, ("x",)


def test_what_cannot_be_made_again_is_said_in_one_line() -> None:
    with Local(1) as workers, pytest.raises(InputError, match="define it in a module that can be"):
        create_study(SPACE, method="random").optimize(Unmade(), 2, workers=workers)


class Crashing(Evaluator):
    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        if int(architecture.key[:2], 16) % 3 == 0:
            os._exit(3)
        return Result(1.0)


def test_a_study_goes_on_where_workers_die(tmp_path: Path) -> None:
    study = create_study(SPACE, storage=f"sqlite:///{tmp_path}/s.db", method="random", seed=2)
    with Local(2) as workers:
        study.optimize(Crashing(), 8, workers=workers)
        study.repeat(Crashing(), best=2, times=2, workers=workers)
    reasons = {trial.reason for trial in study.trials if trial.value is None}
    assert reasons == {"worker died"}
    assert study.evaluations == 8
    assert [len(standing.values) for standing in study.standings()[:3]] == [2, 2, 1]


class CrashingOnce(Evaluator):
    """Ends its process at the first evaluation of each seed, or at every one."""

    def __init__(self, folder: Path, *, always: bool = False) -> None:
        self.folder, self.always = folder, always

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        tried = self.folder / str(seed)
        begun = len(tried.read_text()) if tried.exists() else 0
        tried.write_text("x" * (begun + 1))
        if self.always or not begun:
            os._exit(3)
        return Result(1.0)


@pytest.mark.parametrize(("always", "reasons"), [(False, {""}), (True, {"worker died"})])
def test_an_evaluation_whose_worker_died_is_begun_again(
    tmp_path: Path, always: bool, reasons: set[str]
) -> None:
    study, begun = create_study(SPACE, method="random"), list[int]()
    with Local(2, retries=1) as workers:
        study.optimize(
            CrashingOnce(tmp_path, always=always),
            3,
            workers=workers,
            on_begin=lambda asked: begun.append(asked.number),
        )
    assert {trial.reason for trial in study.trials} == reasons
    assert study.evaluations == 3
    assert [tried.read_text() for tried in tmp_path.iterdir()] == ["xx"] * 3
    assert sorted(begun) == [0, 0, 1, 1, 2, 2]


SCRIPT = """
import os
from naokit.testing.workers import WorkersEvaluator
from naokit.workers import Local
from naokit.spaces import ConvCells
def main():
    architecture = ConvCells.small(nodes=1).parse("0 0 1 0 0 3 1 4")
    Local(1).submit(WorkersEvaluator(), architecture, 0).result()
"""


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (
            "main()",
            "a worker ended before it began, see above (its process ended with exit code 1)",
        ),
        (
            "main() if __name__ == '__main__' else os.kill(os.getpid(), 9)",
            "EvaluationFailed: its process was ended by signal 9 (killed)",
        ),
    ],
)
def test_a_worker_that_ends_before_it_begins_says_why(
    tmp_path: Path, rest: str, words: str
) -> None:
    script = tmp_path / "bare.py"
    script.write_text(SCRIPT + rest)
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert words in ended.stderr
