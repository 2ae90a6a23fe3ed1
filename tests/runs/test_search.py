"""A whole run from Python: interrupted, continued, and equal to the command line's."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from naokit import evaluators, spaces
from naokit.base import InputError
from naokit.cli.app import app
from naokit.doors import Trial
from naokit.evaluators import Train
from naokit.export import Bundle
from naokit.images.presets import FORMER
from naokit.report.contents import Report
from naokit.runs.final import Job, train_final
from naokit.runs.plan import FinalTraining, Plan
from naokit.runs.run import Run, plan_in
from naokit.runs.search import search
from naokit.runs.watcher import Watcher
from naokit.space import Architecture
from naokit.study import Study

EVALUATIONS = 3
COMMAND = (
    *("search", "--nodes", "1", "--evaluations", str(EVALUATIONS), "--seed", "3", "--out", "there"),
    *("--final-channels", "2", "--final-cells", "1", "--final-epochs", "1", "--no-baseline"),
)


@pytest.fixture(autouse=True)
def _here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_exports: None, few_digits: None
) -> None:
    """An empty working directory, and a preset that is soon done."""
    monkeypatch.chdir(tmp_path)
    short = dataclasses.replace(FORMER["quick"], repeat=2, times=2)
    monkeypatch.setattr("naokit.images.presets.PRESETS", {"quick": short})


def plan_of(evaluator: Train) -> Plan:
    return Plan(
        dict(spaces.load("conv-small", nodes=1).settings()),
        dict(evaluator.settings()),
        seed=3,
        evaluations=EVALUATIONS,
        repeat=2,
        times=2,
        final=FinalTraining("quick-final", {"channels": 2, "cells": 1}, epochs=1),
    )


class Interrupts(Watcher):
    """Stops a run after so many evaluations, and before the final training if they all end."""

    def __init__(self, after: int) -> None:
        self.left, self.remarks, self.stages = after, list[str](), list[str]()

    def remark(self, line: str) -> None:
        self.remarks.append(line)

    def study_begins(self, stage: object) -> None:
        self.stages.append(stage.method)

    def told(self, study: Study, trial: Trial) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt

    def train(self, architecture: Architecture, job: Job) -> Bundle:
        raise KeyboardInterrupt


def trials(study: Study) -> list[tuple[str, float | None, str]]:
    return [(str(trial.architecture), trial.value, trial.origin) for trial in study.trials]


def test_a_run_from_python_is_the_command_line_s(tmp_path: Path) -> None:
    plan = plan_of(Train("digits"))
    for after in (2, 100):  # within the search, then before the final training
        with pytest.raises(KeyboardInterrupt):
            search(plan, "here", watcher=Interrupts(after))
    assert Run.at("here").plan == plan
    with pytest.raises(InputError, match="there is no file"):
        _ = Run.at("here").report
    report = search(plan, "here")  # its evaluator made again from its settings
    assert isinstance(report, Report)
    assert report.unfinished == ()

    done = CliRunner().invoke(app, COMMAND)
    assert done.exit_code == 0, done.output
    mine, theirs = Run.at("here"), Run.at(tmp_path / "there")
    assert mine.plan == theirs.plan == plan_in(mine.study) == plan_in(theirs.study)
    assert trials(mine.study) == trials(theirs.study)
    assert mine.winner == theirs.winner
    assert mine.report == json.loads(json.dumps(report.to_json()))
    same = ("best", "evaluations", "repeats", "noise", "final", "method", "space", "metric")
    assert {n: mine.report[n] for n in same} == {n: theirs.report[n] for n in same}
    image = torch.rand(2, 1, 8, 8)
    assert torch.equal(mine.network(image), theirs.network(image))


def test_a_plan_of_a_study_is_enough_for_another_process() -> None:
    evaluator = Train("digits")
    plan = dataclasses.replace(plan_of(evaluator), evaluations=1, repeat=0)
    search(plan, "run", evaluator=evaluator, final=False)
    found = plan_in(Run.at("run").study)
    space, again = spaces.from_settings(found.space), evaluators.from_settings(found.evaluator)
    assert space == Run.at("run").space
    assert again.settings() == evaluator.settings()
    assert not Path("run/network").exists()


def test_a_run_goes_on_with_more_evaluations_and_no_other_end() -> None:
    evaluator = Train("digits")
    plan = dataclasses.replace(plan_of(evaluator), evaluations=1, repeat=0, baseline=True)
    watched = Interrupts(100)
    search(plan, "run", evaluator=evaluator, final=False, watcher=watched)
    assert watched.stages == ["nao", "random"]
    more = dataclasses.replace(plan, evaluations=2)
    report = search(more, "run", evaluator=evaluator, final=False)
    assert (report.findings.evaluations, Run.at("run").plan) == (2, more)
    assert plan_in(Run.at("run").study) == more
    other = dataclasses.replace(more, final=FinalTraining("quick-final", {"channels": 4}, 1))
    with pytest.raises(InputError, match="begun with final channels 2, not 4: give `final_ch"):
        search(other, "run", evaluator=evaluator)
    with pytest.raises(InputError, match="made with other settings: seed was 3, now 4"):
        search(dataclasses.replace(more, seed=4), "run", evaluator=evaluator)


def test_a_run_of_a_table_is_planned_alike(tmp_path: Path) -> None:
    table = tmp_path / "known.csv"
    table.write_text("a,b,score\n0,x,1\n1,x,3\n0,y,2\n1,y,2.5\n")
    command = ("search", "--space", "choices", "--table", str(table), "--metric", "score")
    command += ("--architecture-column", "a,b", "--evaluations", "4", "--out", "there")
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    plan = Run.at("there").plan
    assert plan.final is None
    report = search(plan, "here")
    assert report.findings.best.value == 3.0
    assert trials(Run.at("here").study) == trials(Run.at("there").study)


def test_what_is_asked_of_a_run_that_is_none_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("naokit.study.limits.SECONDS", 0.5)
    with pytest.raises(InputError, match="is not a run"):
        Run.at("nowhere")
    evaluator = Train("digits")
    plan = dataclasses.replace(plan_of(evaluator), limits=("parameters<=1",))
    with pytest.raises(InputError, match="loosen the limits"):
        search(plan, "run", evaluator=evaluator)
    assert not Path("run").exists()
    with pytest.raises(InputError, match="networks are compared by their accuracy first"):
        search(dataclasses.replace(plan, objectives=("macs",)), "run", evaluator=evaluator)
    missing = dataclasses.replace(plan, evaluator={"evaluator": "mine"})
    with pytest.raises(InputError, match="cannot be made again"):
        search(missing, "run")


def test_the_winner_is_trained_by_whoever_watches() -> None:
    seconds: list[float | None] = []

    class Trains(Watcher):
        def train(self, architecture: Architecture, job: Job) -> Bundle:
            seconds.append(job.seconds)
            return train_final(architecture, job)

    evaluator = Train("digits")
    plan = dataclasses.replace(plan_of(evaluator), evaluations=1, repeat=0)
    report = search(plan, "run", evaluator=evaluator, watcher=Trains())
    assert seconds == [None]
    assert report.exported is not None
    assert report.exported.results.complete
