"""A search by weight sharing: killed at any stage it goes on exactly; its best are told apart."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from naokit.base import InputError
from naokit.cli.app import app
from naokit.doors import Trial
from naokit.evaluators import Supernet, Train
from naokit.export import Bundle
from naokit.images.presets import SHARED, ImagePreset
from naokit.images.recipes import RECIPES
from naokit.images.subject import ImageSubject
from naokit.kind import Kind
from naokit.kinds import KINDS, recipe_of
from naokit.presets import Preset, Sharing
from naokit.runs.final import Job
from naokit.runs.hours import Hours
from naokit.runs.plan import FinalTraining, OwnTraining, Plan
from naokit.runs.run import Run
from naokit.runs.search import search
from naokit.runs.watcher import Stage, Watcher
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import Study
from naokit.study.origins import RESCORED
from naokit.training.checkpoint import read_tensors
from naokit.training.loop import Epoch

SPACE = ConvCells.small(nodes=1)
RECIPE = dataclasses.replace(RECIPES["quick"], name="tiny-shared", epochs=3, train_images=128)
TRAINED = dataclasses.replace(RECIPES["quick"], name="tiny", epochs=1, train_images=128)
SIZE = {"channels": 2, "cells": 1}
ASKED: dict[str, Any] = {"rounds": 3, "pool": 8, "kept": 6, "examples": 100, "seed": 3}
COMMAND = ("search", "--evaluator", "supernet", "--preset", "tiny", "--nodes", "1", "--seed", "3")


@pytest.fixture(autouse=True)
def _here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_exports: None, few_digits: None
) -> None:
    monkeypatch.chdir(tmp_path)
    recipes = {**RECIPES, RECIPE.name: RECIPE, TRAINED.name: TRAINED}
    monkeypatch.setattr("naokit.images.recipes.RECIPES", recipes)
    sharing = Sharing(RECIPE.name, SIZE, 3, 8, 6, "uniform", 100)
    preset = ImagePreset(
        *("tiny", sharing.evaluations, "tiny", 5, 1, False, "tiny", 2, 1, 2, 1), sharing=sharing
    )
    monkeypatch.setattr("naokit.images.presets.SHARED", {**SHARED, "tiny": preset})


def plan_of(**others: Any) -> Plan:
    asked: dict[str, Any] = {
        "seed": 3,
        "evaluations": 12,
        "repeat": 5,
        "own": OwnTraining("tiny", SIZE),
        "final": FinalTraining("tiny", SIZE),
    }
    settings = Supernet(SPACE, ImageSubject("digits", **SIZE), RECIPE, **ASKED).settings()
    return Plan(dict(SPACE.settings()), dict(settings), **{**asked, **others})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def trials(study: Study | None) -> set[tuple[str, float | None, int]]:
    assert study is not None
    return {(str(t.architecture), t.value, t.round) for t in study.trials}


class Ends(Watcher):
    """Ends a run in its midst: after some epochs, evaluations or trainings, or before the last."""

    def __init__(self, epochs: int = 99, evaluations: int = 99, trained: int = 99) -> None:
        self.epochs, self.evaluations, self.trained = epochs, evaluations, trained
        self.own = False
        self.stages: list[str] = []

    def study_begins(self, stage: Stage) -> None:
        self.own = stage.method == "own"

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def shared_epoch(self, epoch: Epoch) -> None:
        self.epochs -= 1
        if not self.epochs:
            raise KeyboardInterrupt

    def told(self, study: Study, trial: Trial) -> None:
        left = "trained" if self.own else "evaluations"
        setattr(self, left, getattr(self, left) - 1)
        if not getattr(self, left):
            raise KeyboardInterrupt

    def train(self, architecture: Architecture, job: Job) -> Bundle:
        raise KeyboardInterrupt


def test_a_run_that_is_killed_at_every_stage_ends_as_one_that_is_not() -> None:
    plan = plan_of()
    whole = search(plan, "whole")
    for ends in (
        Ends(epochs=1),  # while the shared network is trained
        Ends(evaluations=3),  # while the first round is scored
        Ends(evaluations=10),  # while those that stay are scored again
        Ends(epochs=1),
        Ends(trained=2),  # while the best are told apart
        Ends(),  # before the final training
    ):
        with pytest.raises(KeyboardInterrupt):
            search(plan, "parts", watcher=ends)
    report = search(plan, "parts")
    one, other = Run.at("whole"), Run.at("parts")
    assert trials(one.study) == trials(other.study)
    assert trials(one.own) == trials(other.own)
    assert one.winner == other.winner
    assert report.findings == whole.findings
    assert report.exported is not None
    assert whole.exported is not None
    assert report.exported.results.test == whole.exported.results.test


def test_the_best_are_told_apart_by_trainings_of_their_own() -> None:
    report = search(plan_of(), "run", final=False)
    found, made = report.findings, Run.at("run")
    assert made.own is not None
    assert (made.own.evaluations, found.evaluations, found.repeats) == (5, 12, 12)
    leaders = {str(standing.architecture) for standing in made.study.standings()[:5]}
    assert found.own is not None
    assert set(found.own.architectures) == leaders
    best = made.own.best
    assert (found.best.architecture, found.best.value) == (str(best.architecture), best.mean)
    assert made.winner == best.architecture
    assert found.own.trust.architectures == 5
    assert len(found.own.trust.rounds) == 2
    assert made.report["own"]["architectures"] == list(found.own.architectures)
    again = search(plan_of(evaluations=14), "run", final=False)  # another round, and its best
    assert again.findings.evaluations == 14
    assert made.own.evaluations >= 5


def test_the_command_is_the_plan(tmp_path: Path) -> None:
    done = run(*COMMAND, "--out", "there")
    assert done.exit_code == 0, done.output
    assert "validation accuracy, percent, shared weights" in done.stdout
    assert "Trained by themselves and told apart: 5 architectures" in done.stdout
    assert "Rank correlation of scores by shared weights: from round to round" in done.stdout
    assert "Checked there/network/model.safetensors" in done.stdout
    search(plan_of(), "here", final=False)
    assert Run.at("here").plan == Run.at("there").plan
    assert trials(Run.at("here").own) == trials(Run.at("there").own)
    shown = json.loads(run("show", "there", "--json").stdout)
    assert shown["architecture"] == str(Run.at("there").winner) == shown["own"][0]["architecture"]
    assert shown["trust"]["architectures"] == 5
    assert shown["origins"][RESCORED] == 12
    assert "The best by shared weights, trained by themselves" in run("show", "there").stdout
    again = run(*COMMAND, "--out", "there", "--json")  # nothing is left to do
    assert json.loads(again.stdout)["own"]["trust"] == shown["trust"]


def test_the_shared_network_may_be_trained_for_longer() -> None:
    done = run(*COMMAND, "--epochs-in-all", "5", "--no-final", "--out", "run")
    assert done.exit_code == 0, done.output
    assert Run.at("run").plan.evaluator["recipe"]["epochs"] == 5
    assert Run.at("run").plan.epochs is None
    _, header = read_tensors(Path("run/supernet/last.safetensors"))
    assert json.loads(header["state"])["epochs"] == 5
    other = run(*COMMAND, "--no-final", "--out", "run")
    assert other.exit_code == 2
    assert "evaluator.recipe.epochs was 5, now 3" in other.stderr


def test_time_that_ends_is_said_and_the_same_command_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]

    class Late(Supernet):
        def prepare(self, pool: Any, number: int, seconds: float | None = None) -> None:
            now[0] += 1e9 * number  # it ends while the second round is prepared
            super().prepare(pool, number, 0.0 if number else seconds)

    with monkeypatch.context() as context:
        clock = SimpleNamespace(monotonic=lambda: now[0])
        context.setattr("naokit.runs.hours.time", clock)
        late = Late(SPACE, ImageSubject("digits", **SIZE), RECIPE, **ASKED)
        report = search(plan_of(), "run", evaluator=late, hours=Hours.of(1.0), final=False)
    assert report.unfinished == ("search", "trainings of the best")
    assert report.findings.evaluations == 8
    done = search(plan_of(), "run", final=False)
    assert done.unfinished == ()
    assert done.findings == search(plan_of(), "whole", final=False).findings


def test_the_final_training_may_begin_with_the_shared_weights() -> None:
    done = run(*COMMAND, "--warm-start", "--out", "run", "--json")
    assert done.exit_code == 0, done.output
    warm = json.loads(done.stdout)["final"]["warm_start"]
    assert warm["taken"] == warm["of"]
    assert Path("run/inherited/model.safetensors").exists()
    assert Run.at("run").plan.warm_start
    other = run(*COMMAND, "--warm-start", "--final-channels", "4", "--out", "other")
    assert other.exit_code == 2
    assert "whose size is channels 2, cells 1" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--baseline",), "run a search with --method random to compare"),
        (("--space", "nas-bench-graph"), "has no network to build"),
        (("--evaluator", "supernets"), "did you mean supernet"),
        (("--preset", "tine"), "did you mean tiny"),
        (("--objective", "latency"), "compared by their accuracy first"),
        (("--epochs-in-all", "2"), "trained in 3 rounds, of one epoch at"),
        (("--evaluator", "train", "--preset", "quick", "--warm-start"), "add --evaluator supernet"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    arguments: tuple[str, ...], message: str
) -> None:
    command = (
        [one for one in COMMAND if one not in ("--nodes", "1")]
        if "--space" in arguments
        else [*COMMAND]
    )
    done = run(*command, *arguments, "--out", "run")
    assert (done.exit_code, message in done.stderr) == (2, True), done.output
    assert not Path("run").exists()


def test_a_space_without_a_shared_network_is_refused() -> None:
    Path("mine.py").write_text(
        "import naokit\nfrom torch import nn\n\n\n"
        "class Mine(naokit.spaces.Choices):\n    def build(self, architecture, settings):\n"
        "        return nn.Flatten()\n\n\n"
        "SPACE = Mine('mine', (naokit.spaces.Choice('a', tuple(range(9))),))\n"
    )
    done = run("search", "--evaluator", "supernet", "--space", "mine.py:SPACE", "--out", "run")
    assert done.exit_code == 2
    assert "has no shared network; conv-small, conv-large" in done.stderr
    assert not Path("run").exists()


def test_a_plan_of_other_evaluators_shares_nothing() -> None:
    evaluator = Train("digits")
    plan = Plan(dict(SPACE.settings()), dict(evaluator.settings()), evaluations=1, warm_start=True)
    with pytest.raises(InputError, match="`warm_start` is for an evaluator that shares"):
        search(plan, "run", evaluator=evaluator)


def test_stages_are_told_in_order() -> None:
    watcher = Ends()
    with pytest.raises(KeyboardInterrupt):
        search(plan_of(), "run", watcher=watcher)
    round_ = ["proposing", "preparing", "evaluating"]
    assert watcher.stages == [*round_ * 3, "proposing"]


@pytest.mark.parametrize(
    ("kind", "preset"),
    [(kind, preset) for kind in KINDS.values() for preset in kind.shared_presets.values()],
)
def test_a_preset_names_recipes_and_counts_what_its_rounds_score(
    kind: Kind, preset: Preset
) -> None:
    sharing = preset.sharing
    assert sharing is not None
    assert preset.evaluations == sharing.evaluations
    assert set(sharing.size) == set(preset.size()) == set(kind.sizes)
    recipe = recipe_of(kind.reads, sharing.recipe)
    assert sharing.rounds <= recipe.epochs
    for name in (preset.recipe, preset.final_recipe):
        recipe_of(kind.reads, name)


def test_the_published_schedule_is_that_of_the_paper() -> None:
    paper = KINDS["images"].preset("paper", shared=True)
    assert paper.sharing is not None
    recipe = recipe_of("images", paper.sharing.recipe)
    assert (recipe.epochs // paper.sharing.rounds, paper.sharing.pool) == (30, 1000)
    assert (paper.sharing.pool - paper.sharing.kept, paper.evaluations) == (550, 3200)
    text = KINDS["text"].preset("paper", shared=True)
    assert text.sharing is not None
    recipe = recipe_of("text", text.sharing.recipe)
    assert (recipe.epochs // text.sharing.rounds, text.sharing.pool) == (200, 1000)
    assert text.sharing.pool - text.sharing.kept == 350
