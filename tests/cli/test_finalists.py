"""The last few of a search, told apart by longer trainings."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.images.presets import ImagePreset

SEARCH = ("search", "--preset", "tiny", "--nodes", "1", "--seed", "3", "--out", "run", "--no-final")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def _tiny(tmp_path: Path, few_digits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny = ImagePreset("tiny", 4, "quick", 2, 2, True, "quick-final", 2, 1, 2, 1, 4)
    monkeypatch.setattr("naokit.images.presets.PRESETS", {"tiny": tiny})


def test_the_best_few_are_trained_by_half_the_final_recipe_and_the_best_of_them_wins() -> None:
    done = run(*SEARCH, "--finalists", "4")
    assert done.exit_code == 0, done.output
    plan = json.loads(Path("run/settings.json").read_text())
    size = {"channels": 2, "cells": 1}
    assert plan["own"] == {"recipe": "quick-final", "size": size, "epochs": 2}
    assert (plan["repeat"], plan["times"], plan["baseline"]) == (4, 1, False)
    report = json.loads(Path("run/report.json").read_text())
    assert report["repeats"] == 0
    assert len(report["own"]["architectures"]) == 4
    assert report["best"]["architecture"] == report["own"]["architectures"][0]
    assert "trained longer; " in done.stdout
    assert "in the search)" in done.stdout
    assert "Trained longer and told apart: 4 architectures." in done.stdout
    assert "shared" not in done.stdout
    shown = run("show", "run").stdout
    assert "The best of the search, trained longer" in shown
    assert "shared weights" not in shown
    trials = len(report["own"]["shared"])
    assert run(*SEARCH, "--finalists", "4").exit_code == 0  # nothing is trained anew
    assert len(json.loads(Path("run/report.json").read_text())["own"]["shared"]) == trials


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--finalists", "3", "--baseline"), "judged by shorter trainings than its finalists"),
        (
            ("--finalists", "3", "--evaluator", "supernet", "--preset", "quick"),
            "--finalists is for searches that train",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(*SEARCH, *arguments)
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())
    assert not Path("run/settings.json").exists()
