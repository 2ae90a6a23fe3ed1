"""A process is known again by what does not move; one that cannot be seen is not taken for dead."""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from naokit.study import liveness
from naokit.study.liveness import lives, this_worker

needs_proc = pytest.mark.skipif(not liveness.BOOT.exists(), reason="only Linux counts ticks")


@pytest.fixture(autouse=True)
def _asked_anew():
    liveness._worker.cache_clear()
    yield
    liveness._worker.cache_clear()


def test_this_process_lives_and_another_start_of_its_id_does_not() -> None:
    assert lives(this_worker()) is True
    assert lives(this_worker() | {"ticks": 1, "started": 1.0}) is False


@needs_proc
@pytest.mark.parametrize("step", [-3600.0, -1.0, 1.0, 30 * 86400.0])
def test_a_clock_that_is_set_changes_nothing(monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    worker = this_worker()
    began = psutil.Process().create_time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: began + step)
    monkeypatch.setattr(psutil, "boot_time", lambda: step)
    liveness._worker.cache_clear()
    assert lives(worker) is True


@needs_proc
def test_a_machine_that_was_started_anew_runs_nothing_of_before() -> None:
    assert lives(this_worker() | {"boot": "another"}) is False


@pytest.mark.parametrize("other", [{"host": "elsewhere"}, {"namespace": "pid:[1]"}])
def test_another_machine_or_container_cannot_be_seen(other: dict) -> None:
    if "ticks" not in this_worker() and "namespace" in other:
        pytest.skip("only Linux numbers processes anew in a container")
    assert lives(this_worker() | other) is None


def test_a_record_made_before_is_told_by_its_start_time() -> None:
    host, process = platform.node(), os.getpid()
    started = psutil.Process().create_time()
    assert lives({"host": host, "process": process, "started": started + 1.0}) is True
    assert lives({"host": host, "process": process, "started": started - 60.0}) is False
    assert lives({"host": "elsewhere", "process": process, "started": started}) is None


def test_where_no_ticks_are_counted_the_start_time_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(liveness, "BOOT", tmp_path / "none")
    worker = this_worker()
    assert "ticks" not in worker
    assert lives(worker) is True
    assert lives(worker | {"process": 2**22 + 1}) is False


@pytest.mark.parametrize("ticks", [True, False])
def test_a_process_that_ended_is_dead_also_while_nobody_has_waited_for_it(ticks: bool) -> None:
    sleeper = "import sys, time; sys.stdout.write('x'); sys.stdout.flush(); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", sleeper], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process, process.stdout:
        process.stdout.read(1)
        worker = liveness._worker.__wrapped__(process.pid)
        if not ticks:
            worker = {name: worker[name] for name in ("host", "process", "started")}
        assert lives(worker) is True
        process.kill()
        limit = time.monotonic() + 10
        while lives(worker) and time.monotonic() < limit:
            time.sleep(0.01)
        assert lives(worker) is False
        process.wait()
    assert lives(worker) is False
