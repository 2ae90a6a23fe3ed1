"""What processes leave behind: nothing, however they end and whatever they have begun."""

import ctypes
import multiprocessing
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from naokit.base import EvaluationFailed
from naokit.doors import Evaluator, Result
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import create_study
from naokit.workers import WORKER_DIED, Local

SPACE = ConvCells.small(nodes=1)
ONE = SPACE.parse("0 0 1 0 0 3 1 4")


class Parent(Evaluator):
    """Forks a process that sleeps, and says which; or ends, or hangs with Python's lock held."""

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        if seed == 1:
            sys.exit(3)
        if seed == 2:
            ctypes.PyDLL(None).sleep(600)
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
        child.start()
        assert child.pid is not None
        return Result(float(child.pid))


@pytest.mark.parametrize("wish", ["exit", "close", "time"])
def test_what_a_worker_has_forked_ends_with_it(wish: str) -> None:
    with Local(1, seconds=1.5) as workers:
        child = psutil.Process(int(workers.submit(Parent(), ONE, 0).result(60).value))
        if wish == "exit":
            error = workers.submit(Parent(), ONE, 1).exception(60)
            assert isinstance(error, EvaluationFailed)
            assert (error.reason, str(error)) == (WORKER_DIED, "its process ended with exit code 3")
        if wish == "time":
            error = workers.submit(Parent(), ONE, 2).exception(60)
            assert isinstance(error, EvaluationFailed)
            assert (error.reason, str(error)) == ("out of time", "not done after 1.5 seconds")
            assert workers.submit(Parent(), ONE, 0).result(60).value  # another takes its place
        if wish == "close":
            workers.close()
        assert not psutil.wait_procs([child], timeout=60)[1]


LONG = """
import ctypes, multiprocessing, sys, time
from naokit import create_study
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.workers import Local
def slow(architecture):
    multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,)).start()
    print("begun", flush=True)
    ctypes.PyDLL(None).sleep(600)  # which holds Python's lock
if __name__ == "__main__":
    with Local(2) as workers:
        create_study(ConvCells.small(), storage=sys.argv[1], method="random").optimize(
            slow, 4, workers=workers)
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path: Path, sign: signal.Signals) -> None:
    script, storage = tmp_path / "long.py", f"sqlite:///{tmp_path}/s.db"
    script.write_text(LONG)
    parent = psutil.Popen(
        [sys.executable, script, storage], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    assert [parent.stdout.readline() for _ in range(2)] == [b"begun\n"] * 2
    children = parent.children(recursive=True)
    try:
        parent.send_signal(sign)
        parent.wait(60)
        assert len(children) >= 4
        assert not psutil.wait_procs(children, timeout=60)[1]
    finally:
        parent.stdout.close()
        for process in (parent, *children):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    study = create_study(SPACE.__class__.small(), storage=storage, method="random")
    assert study.trials == []
    assert all(trial.state.is_finished() for trial in study.optuna.trials)
