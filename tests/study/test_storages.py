"""Studies on real databases: several processes, one of them killed, a server gone, a full disk."""

import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from benchmarks.postgresql import Server, wait_until
from tests.study.conftest import begun_server
from typer.testing import CliRunner

from naokit.base import InputError
from naokit.cli.app import app
from naokit.space import Architecture
from naokit.spaces import ConvCells, NasBench201
from naokit.study import Study, create_study, open_study, patience
from naokit.study.proposing import Proposing
from naokit.study.stored import SETTINGS

SPACE = ConvCells.small(nodes=1)
EVALUATIONS = 12

WORKER = """
import os, sys, time, optuna
from pathlib import Path
from naokit.spaces import ConvCells
from naokit.study import create_study
storage, method, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
optuna.logging.set_verbosity(optuna.logging.WARNING)
def score(architecture):
    time.sleep(0.1)
    with (folder / "log").open("a") as log:
        log.write(f"{os.getpid()} {architecture.key}\\n")
    return int(architecture.key[:6], 16) / 16**6
study = create_study(ConvCells.small(nodes=1), storage=storage, name="s", method=method, seed=1)
(folder / f"ready-{os.getpid()}").touch()
while not (folder / "go").exists():
    time.sleep(0.002)
study.optimize(score, 12)
"""


@pytest.fixture(params=["sqlite", "journal", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/s.db"
    if request.param == "journal":
        return f"journal:///{tmp_path}/s.log"
    server: Server = request.getfixturevalue("server")
    return server.database()


def study_in(storage: str, method: str = "evolution") -> Study:
    return create_study(SPACE, storage=storage, name="s", method=method, seed=1)


def score(architecture: Architecture) -> float:
    return int(architecture.key[:6], 16) / 16**6


def test_a_study_is_made_asked_told_and_resumed(storage: str) -> None:
    study = study_in(storage)
    first, second = study.ask(), study.ask()
    assert first.architecture.key != second.architecture.key
    study.tell(second.number, score(second.architecture))
    study.tell(first.number, None, "diverged")
    study.optimize(score, 6)
    again = study_in(storage)
    again.optimize(score, 10)
    assert again.evaluations == 10
    assert [trial.reason for trial in again.trials][:2] == ["diverged", ""]
    assert open_study(SPACE, storage, "s").trials == again.trials
    with pytest.raises(InputError, match="method was evolution, now random"):
        study_in(storage, "random")


def start_workers(storage: str, method: str, folder: Path) -> list[subprocess.Popen[str]]:
    """Two processes that search together from the same moment."""
    study_in(storage, method)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, storage, method, str(folder)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    wait_until(lambda: len(list(folder.glob("ready-*"))) == 2)
    (folder / "go").touch()
    return workers


def log_of(folder: Path) -> list[tuple[int, str]]:
    """Process and key of each evaluation that was made."""
    if not (folder / "log").exists():
        return []
    rows = [line.split() for line in (folder / "log").read_text().splitlines()]
    return [(int(process), key) for process, key in rows]


@pytest.mark.parametrize("method", ["random", "evolution"])
def test_two_processes_share_a_study(storage: str, method: str, tmp_path: Path) -> None:
    """Each makes about half."""
    workers = start_workers(storage, method, tmp_path)
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
    study = open_study(SPACE, storage, "s")
    made = log_of(tmp_path)
    assert study.evaluations == EVALUATIONS
    assert Counter(trial.architecture.key for trial in study.trials) == Counter(
        key for _, key in made
    )
    assert all(trial.value == score(trial.architecture) for trial in study.trials)
    shares = Counter(process for process, _ in made)
    assert sorted(shares) == sorted(worker.pid for worker in workers)
    assert min(shares.values()) >= 3


def test_one_of_two_processes_is_killed_and_nothing_is_lost(storage: str, tmp_path: Path) -> None:
    workers = start_workers(storage, "evolution", tmp_path)
    killed, other = workers
    wait_until(lambda: sum(process == killed.pid for process, _ in log_of(tmp_path)) >= 2)
    killed.kill()
    killed.communicate()
    before = {trial.number: trial for trial in open_study(SPACE, storage, "s").trials}
    _, errors = other.communicate(timeout=120)
    assert other.returncode == 0, errors
    study = study_in(storage)
    assert study.evaluations == EVALUATIONS
    assert before.items() <= {trial.number: trial for trial in study.trials}.items()
    assert "RUNNING" not in {trial.state.name for trial in study.optuna.trials}
    stored = Counter(trial.architecture.key for trial in study.trials)
    made = Counter(key for _, key in log_of(tmp_path))
    assert (stored - made).total() == 0
    assert (made - stored).total() <= 1  # made by the killed one, and not yet stored


def test_a_server_that_goes_is_one_line_and_the_same_search_continues(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 0.5)
    server = begun_server()
    storage = server.database()
    done: list[Architecture] = []

    def stops(architecture: Architecture) -> float:
        done.append(architecture)
        if len(done) == 3:
            server.stop()
        return score(architecture)

    with pytest.raises(InputError, match="cannot be read or written") as caught:
        study_in(storage).optimize(stops, 5)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="cannot be read or written"):
        study_in(storage)
    shutil.rmtree(server.home)


def test_a_server_that_is_started_anew_costs_no_evaluation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = begun_server()
    done: list[Architecture] = []
    said: list[str] = []

    def restarted(architecture: Architecture) -> float:
        done.append(architecture)
        if len(done) == 3:
            server.stop()
        return score(architecture)

    def waits(seconds: float) -> None:
        if server.process.poll() is not None:
            server.start_again()

    monkeypatch.setattr(patience, "sleep", waits)
    monkeypatch.setattr(patience._logger, "warning", said.append)
    study = study_in(server.database())
    study.optimize(restarted, 5)
    assert [trial.architecture for trial in study.trials] == done
    assert {trial.state.name for trial in study.optuna.trials} == {"COMPLETE"}
    assert len(done) == 5
    assert said
    study.optuna._storage._backend.engine.dispose()  # type: ignore[attr-defined]
    server.stop()
    shutil.rmtree(server.home)


def test_a_server_that_is_not_there_is_one_line() -> None:
    pytest.importorskip("psycopg", reason="no driver: pip install naokit[postgres]")
    with pytest.raises(InputError, match="cannot be read or written") as caught:
        study_in("postgresql+psycopg://naokit@/none?host=/nowhere")
    assert "\n" not in str(caught.value)


LIMITED = """
import resource, sys
from naokit.cli import main
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), hard))
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit files otherwise")
def test_a_full_disk_ends_with_2_and_the_same_command_continues(tmp_path: Path) -> None:
    """A file that may not grow, which SQLite cannot tell from a disk that is full."""
    space = NasBench201()
    generator = np.random.default_rng(0)
    rows = {str(space.sample(generator)): n for n in range(300)}
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["arch,acc", *(f"{name},{n}" for name, n in rows.items())]) + "\n")

    def options(out: str) -> list[str]:
        words = ["search", "--space", "nas-bench-201", "--table", str(table), "--metric", "acc"]
        return [
            *words,
            "--method",
            "evolution",
            "--evaluations",
            "24",
            "--out",
            f"{tmp_path}/{out}",
        ]

    def search(out: str) -> int:
        return CliRunner().invoke(app, options(out)).exit_code

    def trials(out: str) -> list[tuple[Architecture, float | None]]:
        study = open_study(space, f"sqlite:///{tmp_path}/{out}/study.db", "search")
        return [(trial.architecture, trial.value) for trial in study.trials]

    assert search("whole") == 0
    limit = (tmp_path / "whole" / "study.db").stat().st_size - 3 * 4096  # pages of SQLite
    start = [sys.executable, "-c", LIMITED, str(limit), *options("full")]
    full = subprocess.run(start, capture_output=True, text=True)
    errors = full.stderr
    assert full.returncode == 2, errors
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "check the address, the permissions and the free space" in line
    assert "Traceback" not in errors
    kept = trials("full")
    assert 1 <= len(kept) < 24
    assert search("full") == 0
    assert trials("full")[: len(kept)] == kept
    assert trials("full") == trials("whole")


def test_two_that_ask_at_the_same_moment_get_two_architectures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = f"sqlite:///{tmp_path}/s.db"
    one, other = study_in(storage), study_in(storage)
    asked = []
    following = Proposing.next

    def meanwhile(proposing: Proposing, *given: Any) -> Any:
        proposal = following(proposing, *given)
        if proposing is other._proposing and not asked:
            asked.append(one.ask())
        return proposal

    monkeypatch.setattr(Proposing, "next", meanwhile)
    asked.append(other.ask())
    first, second = asked
    assert first.architecture.key != second.architecture.key


def test_two_that_make_a_study_at_the_same_moment_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = f"sqlite:///{tmp_path}/s.db"
    optuna.storages.get_storage(storage)  # the tables
    made, loaded = threading.Event(), threading.Event()
    set_user_attr, load_study = optuna.Study.set_user_attr, optuna.load_study

    def late(study: optuna.Study, key: str, value: Any) -> None:
        if key == SETTINGS:
            made.set()
            loaded.wait(30)
            time.sleep(1)
        set_user_attr(study, key, value)

    def load(**arguments: Any) -> optuna.Study:
        study = load_study(**arguments)
        loaded.set()
        return study

    monkeypatch.setattr(optuna.Study, "set_user_attr", late)
    monkeypatch.setattr(optuna, "load_study", load)
    maker = threading.Thread(target=study_in, args=(storage,))
    maker.start()
    made.wait()
    try:
        study_in(storage)
    finally:
        maker.join()


def test_a_server_that_goes_between_two_evaluations_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 0.5)
    server = begun_server()
    study = study_in(server.database())
    try:
        with pytest.raises(InputError, match="cannot be read or written"):
            study.optimize(score, 3, on_trial=lambda _: server.stop())
    finally:
        shutil.rmtree(server.home)
