"""Searches with many workers: processes of one machine, and commands that share a study."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from naokit import spaces
from naokit.cli.app import app
from naokit.study import open_study

EVALUATIONS = 30
TABLE = ("--space", "nas-bench-201", "--table", "t.csv", "--metric", "acc")
SEARCH = ("search", *TABLE, "--method", "evolution", "--evaluations", EVALUATIONS, "--out", "run")
SPACE = spaces.load("nas-bench-201")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(autouse=True)
def _a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    names = sorted({str(SPACE.sample(generator)) for _ in range(64)})
    rows = [f"{name},{number}" for number, name in enumerate(names)]
    Path("t.csv").write_text("\n".join(["arch,acc", *rows]) + "\n")


def test_processes_evaluate_what_this_process_proposes() -> None:
    found = run(*SEARCH, "--workers", 2, "--evaluation-minutes", 5, "--evaluation-gib", 4)
    assert found.exit_code == 0, found.output
    report = json.loads(Path("run/report.json").read_text())
    assert (report["evaluations"], report["failed"]) == (EVALUATIONS, 0)
    assert "workers: '2'" in Path("run/run.yaml").read_text()


def start(said: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "naokit", *map(str, arguments)]
    with Path(f"{said}.out").open("wb") as out, Path(f"{said}.err").open("wb") as errors:
        return subprocess.Popen(command, stdout=out, stderr=errors)


def test_the_same_command_several_times_and_a_worker_make_one_study() -> None:
    """As an array of jobs of a cluster does, whose jobs begin at the same moment."""
    storage = ("--storage", "sqlite:///s.db")
    assert run("worker", "--storage", "sqlite:///s.db").exit_code == 2  # there is no such file
    Path("s.db").touch()  # now the worker waits for the search
    worker = start("worker", "worker", *storage)
    while "waiting for a search in sqlite:///s.db" not in Path("worker.err").read_text():
        assert worker.poll() is None, Path("worker.err").read_text()
        time.sleep(0.05)
    searches = [start(f"search-{number}", *SEARCH, *storage) for number in range(2)]
    ended = [command.wait(120) for command in (worker, *searches)]
    assert ended == [0, 0, 0], [path.read_text() for path in Path.cwd().glob("*.err")]
    study = open_study(SPACE, "sqlite:///s.db", "search")
    keys = [trial.architecture.key for trial in study.trials]
    assert len(keys) == len(set(keys)) == study.evaluations == EVALUATIONS
    assert "RUNNING" not in {trial.state.name for trial in study.optuna.trials}
    assert f"the study holds {EVALUATIONS}" in Path("worker.out").read_text()
    assert json.loads(Path("run/report.json").read_text())["evaluations"] == EVALUATIONS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*SEARCH, "--devices", "cuda:0"), "--devices is for --workers N: give both or leave it"),
        ((*SEARCH, "--evaluation-gib", 1), "--evaluation-gib is for --workers N or ray: give both"),
        (
            (*SEARCH, "--workers", 2, "--gpus-per-worker", 1),
            "--gpus-per-worker is for --workers ray",
        ),
        (
            (*SEARCH, "--workers", "many"),
            "'many' is none; expected a number from 1 on, ray or ray:",
        ),
        ((*SEARCH, "--workers", "0"), "'0' is none; expected a number from 1 on, ray or ray:N"),
        (
            (*SEARCH, "--workers", "ray", "--ray-address", "127.0.0.1:9"),
            "nothing answers at --ray-address 127.0.0.1:9",
        ),
        (
            (*SEARCH, "--workers", 1, "--evaluation-minutes", 0),
            "--evaluation-minutes is 0; expected more than 0",
        ),
        ((*SEARCH, "--workers", 1, "--devices", "gpu"), "--devices names 'gpu'; expected cpu, cud"),
        (
            ("search", "--evaluator", "supernet", "--workers", 2, "--out", "run"),
            "keeps its state in one process: leave --workers out",
        ),
        (("worker", "--storage", "sqlite:///none.db"), "there is no study at none.db"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(
    arguments: tuple[object, ...], said: str
) -> None:
    found = run(*arguments)
    assert found.exit_code == 2
    (line,) = [line for line in found.output.splitlines() if line.startswith("error: ")]
    assert said in line
    assert not Path("run").exists()
    assert not Path("none.db").exists()
