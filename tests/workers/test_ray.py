"""A cluster of two small nodes on this machine: the same comes out as elsewhere."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import as_completed
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from naokit.base import EvaluationFailed, InputError
from naokit.doors import Evaluator, Result
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import create_study
from naokit.testing import WorkersContract
from naokit.workers import WORKER_DIED, Ray
from naokit.workers.devices import VISIBLE
from naokit.workers.ray import _Actor

ray = pytest.importorskip("ray", reason="needs naokit[ray]")

ONE = ConvCells.small(nodes=1).parse("0 0 1 0 0 3 1 4")
SMALL = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with one core each."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # else Ray writes a token into the home folder
        cluster = Cluster(initialize_head=True, head_node_args=SMALL)
        cluster.add_node(**SMALL)
        yield cluster
        cluster.shutdown()


class TestRay(WorkersContract):
    architecture = ONE

    @pytest.fixture(autouse=True)
    def _joined(self, cluster: Any) -> None:
        self.cluster = cluster

    def workers(self) -> Ray:
        return Ray(2, address=self.cluster.address)


def _wait_for(folder: Path, files: int) -> list[Path]:
    """The files of a folder, once there are so many."""
    ends = time.monotonic() + 60
    while len(found := list(folder.iterdir())) < files:
        assert time.monotonic() < ends
        time.sleep(0.05)
    return found


class Wild(Evaluator):
    """Does what the seed says; the value is the process."""

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        held = []
        if seed == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if seed == 2:
            sys.exit(3)
        if seed == 3:
            time.sleep(600)
        while seed == 4:
            held.append(np.ones(50 << 20, dtype=np.uint8))
        if seed == 5:
            child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
            child.start()
            return Result(float(child.pid or 0))
        return Result(float(os.getpid()), {"gpus": float(os.environ[VISIBLE] != "")})


@pytest.mark.parametrize(
    ("limits", "seed", "reason", "words"),
    [
        ({}, 1, WORKER_DIED, "Worker unexpectedly exits"),
        ({}, 2, WORKER_DIED, "Worker unexpectedly exits"),
        ({"seconds": 1}, 3, "out of time", "not done after 1 seconds"),
        ({"memory": 500 << 20}, 4, "out of memory", "bytes are held, of 524,288,000"),
    ],
)
def test_an_actor_that_ends_fails_its_evaluation_and_is_replaced(
    cluster: Any, limits: dict[str, int], seed: int, reason: str, words: str
) -> None:
    with Ray(1, address=cluster.address, **limits) as workers:
        first = workers.submit(Wild(), ONE, 0).result(60)
        assert first.metrics == {"gpus": 0}  # it asked for none
        child = psutil.Process(int(workers.submit(Wild(), ONE, 5).result(60).value))
        error = workers.submit(Wild(), ONE, seed).exception(60)
        assert isinstance(error, EvaluationFailed)
        assert error.reason == reason
        assert words in str(error)
        assert workers.submit(Wild(), ONE, 0).result(60).value != first.value
    assert not psutil.wait_procs([child], timeout=60)[1]


class Placed(Evaluator):
    """Says on which node it began, and ends where a file says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        (self.folder / ray.get_runtime_context().get_node_id()).touch()
        while not (self.folder / "go").exists():
            time.sleep(0.05)
        return Result(float(seed))


def test_a_node_is_lost_and_what_is_left_goes_on(cluster: Any, tmp_path: Path) -> None:
    third = cluster.add_node(**SMALL)
    with Ray(address=cluster.address) as workers:
        assert workers.slots == 3
        evaluator = Placed(tmp_path)
        lost = [workers.submit(evaluator, ONE, seed) for seed in range(3)]
        _wait_for(tmp_path, 3)
        joined = ray._private.worker.global_worker.node._raylet_socket_name
        nodes = (third, *cluster.worker_nodes)
        other = next(node for node in nodes if node._raylet_socket_name != joined)
        cluster.remove_node(other, allow_graceful=False)
        died = next(future for future in as_completed(lost, 60))
        assert isinstance(error := died.exception(), EvaluationFailed)
        assert error.reason == WORKER_DIED
        (tmp_path / "go").touch()
        more = [workers.submit(evaluator, ONE, seed) for seed in range(4)]
        assert [future.result(60).value for future in more] == [0, 1, 2, 3]
        study = create_study(ONE.space, method="random", seed=1)
        study.optimize(evaluator, 3, workers=workers)
        assert [trial.reason for trial in study.trials] == ["", "", ""]


def test_data_lie_in_the_object_store(cluster: Any) -> None:
    from naokit.evaluators import Train  # not for every actor of these tests

    class Seeing(Train):
        """The share of images that lie in the memory of the process alone."""

        def evaluate(self, architecture: Architecture, seed: int) -> Result:
            assert not self.data.train.images.flags.writeable
            return Result(float(self.data.train.images.flags.owndata))

    with Ray(1, address=cluster.address) as workers:
        assert workers.submit(Seeing(), ONE, 0).result(60).value == 0


class Elsewhere(Evaluator):
    """Cannot be made again."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        raise AssertionError

    def __reduce__(self) -> tuple[object, ...]:
        return _raise, (self.error,)


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("evaluator", "words"),
    [
        (Elsewhere(KeyError("x")), "cannot be made again in another process .*x.*: define it in"),
        (Elsewhere(InputError("there are no such data")), "^there are no such data$"),
        (Elsewhere(threading.Lock()), "the evaluator cannot be sent to another process"),
    ],
)
def test_what_cannot_be_used_there_is_said_in_one_line(
    cluster: Any, evaluator: Evaluator, words: str
) -> None:
    with Ray(1, address=cluster.address) as workers, pytest.raises(InputError, match=words):
        create_study(ONE.space, method="random").optimize(evaluator, 2, workers=workers)


def test_a_machine_without_naokit_is_said_in_one_line(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(_Actor):
        def __init__(self, *_: object, **__: object) -> None:
            raise ModuleNotFoundError("No module named 'naokit'")

    monkeypatch.setattr("naokit.workers.ray._Actor", Broken)
    with Ray(1, address=cluster.address) as workers:
        error = workers.submit(Wild(), ONE, 0).exception(60)
    assert isinstance(error, InputError)
    assert "No module named 'naokit'): each machine needs the same naokit" in str(error)


def test_room_is_counted_and_what_waits_for_it_is_said(cluster: Any) -> None:
    cluster.wait_for_nodes()  # Ray takes a while to miss one that another test has removed
    with Ray(3, address=cluster.address, cpus=0.5) as workers:
        assert (workers.slots, workers.room, workers.remarks) == (3, 4, ())
    with Ray(3, address=cluster.address) as workers:
        assert workers.remarks == ("3 workers are asked for; the cluster holds 2 now",)
    with pytest.raises(InputError, match="no room for a worker with 1 `cpus`, 1 `gpus`"):
        Ray(address=cluster.address, gpus=1)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nowhere", "`address` is 'nowhere'; expected auto, host:port or ray://host:port"),
        ("127.0.0.1:9", "nothing answers at `address` 127.0.0.1:9"),
        ("ray://127.0.0.1:9", "nothing answers at `address` ray://127.0.0.1:9"),
    ],
)
def test_an_address_that_is_not_there_is_said_in_one_line(address: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Ray(1, address=address)


def test_a_missing_extra_and_wrong_numbers_are_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InputError, match="`slots` is 0; expected 1 or more"):
        Ray(0)
    with pytest.raises(InputError, match="`cpus` is -1 and `gpus` 0; expected 0 or more"):
        Ray(1, cpus=-1)
    with pytest.raises(InputError, match="`seconds` is 0; expected more than 0"):
        Ray(1, seconds=0)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"Ray is not installed: pip install 'naokit\[ray\]'"):
        Ray(1)


LONG = """
import os, sys, time
from pathlib import Path
from naokit import create_study
from naokit.spaces import ConvCells
from naokit.workers import Ray
BEGUN = Path(sys.argv[1])
def slow(architecture):
    (BEGUN / str(os.getpid())).touch()
    time.sleep(600)
if __name__ == "__main__":
    with Ray(1, address=sys.argv[2] or None) as workers:
        create_study(ConvCells.small(), method="random").optimize(slow, 4, workers=workers)
"""


@pytest.mark.parametrize(
    ("where", "sign"),
    [("cluster", signal.SIGKILL), ("cluster", signal.SIGINT), ("here", signal.SIGKILL)],
)
def test_actors_end_with_their_driver(
    cluster: Any, tmp_path: Path, where: str, sign: signal.Signals
) -> None:
    script, begun = tmp_path / "long.py", tmp_path / "begun"
    begun.mkdir()
    script.write_text(LONG)
    address = cluster.address if where == "cluster" else ""
    driver = psutil.Popen(
        [sys.executable, script, begun, address], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    processes = []
    try:
        found = _wait_for(begun, 1)
        processes = [psutil.Process(int(found[0].name)), *driver.children(recursive=True)]
        driver.send_signal(sign)
        said = driver.communicate(timeout=60)[0].decode()
        assert not psutil.wait_procs(processes, timeout=60)[1]
        assert sign == signal.SIGKILL or said.splitlines()[-1] == "KeyboardInterrupt", said
    finally:
        for process in (driver, *processes):
            with suppress(psutil.NoSuchProcess):
                process.kill()
