"""`--hours` limits a whole search; bars say how far it is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.cli.commands import run, table

from naokit.doors import Result as Score
from naokit.evaluators import Training
from naokit.images.bundle import ImageBundle
from naokit.runs import final
from naokit.space import Architecture
from naokit.training import loop

pytestmark = pytest.mark.usefixtures("tiny_preset")


def test_the_bar_of_a_search_that_is_done_is_full(tmp_path: Path) -> None:
    path = str(table(tmp_path / "t.csv"))
    command = ("search", "--space", "nas-bench-201", "--table", path, "--metric", "acc")
    done = run(*command, "--evaluations", "9", "--out", "out")
    assert done.exit_code == 0, done.output
    assert " 4/4 " in done.stderr


class _Clock:
    """A clock that stands still but for evaluations, which take a minute."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.final: list[float | None] = []
        train_final = final.train_final

        def evaluate(_: Training, architecture: Architecture, seed: int) -> Score:
            self.now += 60
            return Score(50 + seed % 10)

        def trained(architecture: Architecture, job: final.Job, **settings: Any) -> ImageBundle:
            self.final.append(job.seconds)
            return train_final(architecture, job, **settings)

        monkeypatch.setattr("time.monotonic", lambda: self.now)
        monkeypatch.setattr(Training, "evaluate", evaluate)
        monkeypatch.setattr(final, "train_final", trained)


def test_hours_limit_the_whole_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two studies of three evaluations and two repeats: ten minutes, then the final training.

    A fifth of three minutes is the final training's: no evaluation begins after 144 seconds.
    """
    monkeypatch.setattr("naokit.runs.winner.export", lambda *_, **__: [])  # takes seconds
    clock = _Clock(monkeypatch)
    command = ("search", "--preset", "tiny", "--nodes", "1", "--method", "random", "--out", "out")

    cut = run(*command, "--hours", "0.05", "--json")
    first = json.loads(cut.stdout)
    assert "--hours: the search gets 2.4 min, 36 s are kept for the final training" in cut.stderr
    assert first["unfinished"] == ["search", "random search"]
    assert (first["evaluations"], first["repeats"]) == (3, 0)
    assert not {"random", "verdict"} & first.keys()
    assert first["final"]["complete"]
    assert clock.final == [36]  # all of its share, though the last evaluation ended within it

    second = run(*command, "--hours", "0.05")
    assert second.exit_code == 0, second.output
    assert "Not finished: random search. The same" in second.stdout
    assert clock.final == [36, 36]

    third = json.loads(run(*command, "--hours", "0.1", "--json").stdout)
    assert third["unfinished"] == []
    assert third["random"]["evaluations"] == 3
    assert third["final"]["complete"]
    assert clock.final[2] == pytest.approx(360 - 240)


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        (0.02, [("random", 2, 3), ("best again", 0, 2)]),
        (0.045, [("random", 3, 3), ("best again", 0, 2)]),
        (1.0, [("random", 3, 3), ("best again", 2, 2)]),
    ],
)
def test_a_bar_says_what_was_evaluated_and_what_again(
    monkeypatch: pytest.MonkeyPatch, hours: float, shown: list[tuple[str, int, int]]
) -> None:
    _Clock(monkeypatch)
    command = ("search", "--preset", "tiny", "--nodes", "1", "--method", "random", "--no-final")
    said = run(*command, "--no-baseline", "--hours", str(hours)).stderr
    bars = re.findall(r"^(\S.*?) +[━╸╺]+ +(\d+)/(\d+) ", said, re.MULTILINE)
    assert [(name, int(done), int(total)) for name, done, total in bars] == shown


def test_a_bar_counts_no_more_repeats_than_there_are_architectures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _Clock(monkeypatch)
    command = ("search", "--preset", "tiny", "--nodes", "1", "--no-final", "--evaluations", "1")
    done = run(*command, "--no-baseline", "--hours", "0.01")
    assert re.search(r"best again +[━╸╺]+ +0/1 ", done.stderr)
    assert "Not finished: search" in done.stdout


def test_a_final_training_cut_in_its_first_epoch_is_unfinished_and_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(monkeypatch)
    step = loop._Run._step

    def slow(*arguments: Any) -> torch.Tensor:
        clock.now += 60
        return step(*arguments)

    monkeypatch.setattr(loop._Run, "_step", slow)
    command = ("search", "--preset", "tiny", "--nodes", "1", "--method", "random", "--out", "out")
    command = (*command, "--no-baseline", "--hours", "0.2")
    report = json.loads(run(*command, "--json").stdout)
    assert report["unfinished"] == ["final training"]
    assert clock.final == [pytest.approx(720 - 300)]
    assert 0 < report["final"]["epochs_done"] < 1
    assert not report["final"]["complete"]
    assert {Path(check["file"]).name for check in report["exports"]} >= {"model.onnx"}
    clock.now = 0.0
    monkeypatch.setattr("naokit.runs.winner.export", lambda *_, **__: [])  # takes seconds
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert re.search(r"Trained 1\.\d+ of \d+ epochs \(.* parameters\): ", done.stdout)
    longer = run("train", "out", "--hours", "0")
    assert re.search(r"after 1\.\d+ of \d+ epochs: the same command continues", longer.stdout)


def test_hours_that_are_over_before_the_first_evaluation() -> None:
    result = run("search", "--preset", "tiny", "--nodes", "1", "--hours", "0", "--out", "out")
    assert result.exit_code == 2
    assert "--hours ended before the first evaluation did" in result.stderr
