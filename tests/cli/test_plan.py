"""`naokit plan` and what it rests on, `naokit profile` with a recipe, durations in words."""

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.cli.durations import between, spoken
from naokit.doors import Result as Evaluated
from naokit.evaluators import Training
from naokit.images.data import Split
from naokit.images.kind import Images
from naokit.images.loading import load_images
from naokit.images.presets import PRESETS, ImagePreset
from naokit.images.subject import ImageSubject
from naokit.networks import count_parameters
from naokit.presets import Sharing
from naokit.profiling import Estimate
from naokit.runs import planning
from naokit.runs.planning import Option, recommended
from naokit.settings import ImageSettings
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.text.kind import Text
from naokit.text.presets import TextPreset

Write = Callable[..., Path]
TINY = "0 0 1 0 0 0 1 0"
FAST = Estimate(10, 8, 12, 5)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def option(name: str, evaluation: Estimate, final: float = 100, *, own: bool = True) -> Option:
    return Option(PRESETS[name], own, evaluation, Estimate(final, final, final, 5))


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny = ImagePreset("tiny", 2, "quick", 1, 2, True, "quick", 4, 1, 4, 1)
    monkeypatch.setattr("naokit.images.presets.PRESETS", {"tiny": tiny})
    little = TextPreset("little", 2, "text-quick", 1, 2, True, "text-quick-final", 4, 8)
    monkeypatch.setattr("naokit.text.presets.PRESETS", {"little": little})
    images = [{"channels": 4, "cells": 1}, {"channels": 2, "cells": 1}]
    monkeypatch.setattr(Images, "other_sizes", images)
    monkeypatch.setattr(Text, "other_sizes", [{"hidden": 6}])
    monkeypatch.setattr(planning, "SECONDS_A_NETWORK", 0.05)


def planned(*arguments: str) -> dict[str, Any]:
    result = run("plan", "--data", "digits", "--nodes", "1", "--json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_plan_measures_multiplies_and_names_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("naokit.method.descriptors.SPENT", 0.75)
    found = planned("--hours", "1")
    row, other = found["options"]
    assert (row["preset"], row["channels"], row["cells"]) == ("tiny", 4, 1)
    assert (other["own"], other["channels"]) == (False, 2)
    each, final = row["evaluation"], row["final"]
    assert 0 < each["low"] <= each["seconds"] <= each["high"]
    # one of the best again, and random search with as many; a fifth is the final training's; eight
    # untrained networks are described for each evaluation, but not by random search
    assert final["seconds"] < 720
    assert 0.5 < row["described"] <= 0.75
    assert row["evaluations"] == int((3600 * 0.8 / each["seconds"] - 2) / (2 + row["described"]))
    assert row["evaluations_low"] <= row["evaluations"] <= row["evaluations_high"]
    words = found["next"].split()
    assert words[:2] == ["naokit", "search"]
    assert words[words.index("--evaluations") + 1] == str(row["evaluations_low"])
    assert words[6:10] == ["--nodes", "1", "--preset", "tiny"]
    assert not list(tmp_path.iterdir())


def test_a_plan_for_language_models(write_text: Write, tmp_path: Path) -> None:
    write_text(tmp_path / "text", "a cat sat on the mat and so did the dog")
    asked = ("plan", "--space", "recurrent", "--nodes", "2", "--data", "text", "--hours", "1")
    result = run(*asked, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    row, other = found["options"]
    assert (row["preset"], row["hidden"], row["final_hidden"]) == ("little", 4, 8)
    assert (other["own"], other["hidden"]) == (False, 6)
    assert 0 < row["evaluation"]["low"] <= row["evaluation"]["high"]
    assert row["final"]["seconds"] > row["evaluation"]["seconds"] > 0
    assert found["recommended"] == "little"
    text = run(*asked, "--tokens", "char", "--activations", "nao").stdout
    assert "hidden" in text
    assert "(naokit.evaluators)" in text
    assert "--nodes 2 --activations nao --tokens char --preset little" in text


def test_a_plan_for_people_says_what_it_rests_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("naokit.method.descriptors.SPENT", 0.75)
    result = run("plan", "--data", "digits", "--nodes", "1", "--hours", "0.0001")
    assert result.exit_code == 0, result.output
    assert "training steps, measured in" in result.stdout
    assert re.search(r"untrained networks is counted too: at most \d\d% of each", result.stdout)
    assert "No preset fits. The cheapest, tiny, takes" in result.stdout
    assert "the least that would fit is one evaluation in" in result.stdout
    assert "--preset tiny --evaluations 1 --hours 0.0" in result.stdout
    assert re.search(r"measuring +━+ +(\d)/\1 ", result.stderr)


def test_what_would_take_far_longer_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the first network measured, or by the multiply-adds of a cheaper preset alone."""
    tiny = ImagePreset("tiny", 2, "quick", 1, 2, True, "quick", 4, 1, 4, 1)
    dear = dataclasses.replace(tiny, name="dear", recipe="search-2018", channels=32, cells=3)
    monkeypatch.setattr("naokit.images.presets.PRESETS", {"tiny": tiny, "dear": dear})
    measured: list[int] = []
    cost = planning._cost

    def noted(architecture: Any, subject: ImageSubject, *arguments: Any) -> Estimate:
        measured.append(subject.channels)
        return cost(architecture, subject, *arguments)

    monkeypatch.setattr(planning, "_cost", noted)
    none = planned("--hours", "0.000001")
    assert measured == [4]
    assert none["recommended"] is None
    assert none["least"]["hours"] > 0.000001
    assert [row["evaluation"]["steps"] > 0 for row in none["options"]] == [True, False]
    measured.clear()
    hours = 3 * none["options"][0]["preset_seconds"] / 3600
    some = planned("--hours", str(hours))
    assert measured == [4, 4, 4, 4, 2]
    assert (some["recommended"], some["least"]) == ("tiny", None)
    assert some["options"][1]["evaluation"]["seconds"] > 3600 * hours


def test_the_least_that_would_fit_fits() -> None:
    least = planned("--hours", "0.000001")["least"]
    again = planned("--hours", str(2 * least["hours"]))
    assert again["recommended"] == least["preset"] == "tiny"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "digits", "--hours", "0"), "--hours must be above 0"),
        (("--data", "digits", "--hours", "1", "--preset", "nope"), "there is no preset 'nope'"),
        (("--data", "digits", "--hours", "1", "--space", "transnas-micro"), "no network to build"),
        (("--data", "digits", "--hours", "1", "--device", "abacus"), "there is no device 'abacus'"),
        (("--data", "nowhere.npz", "--hours", "1"), "nowhere.npz"),
        (
            ("--data", "digits", "--hours", "1e-5", "--nodes", "1", "--check-recipe"),
            "to check the recipe takes 4 cells or more by both recipes",
        ),
        (
            ("--data", "digits", "--hours", "1", "--evaluator", "supernet", "--check-recipe"),
            "--check-recipe is for searches that train each network by itself",
        ),
    ],
)
def test_bad_input_ends_with_2_and_one_line(arguments: tuple[str, ...], message: str) -> None:
    result = run("plan", *arguments)
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in line


def test_what_is_afforded_counts_repeats_random_search_and_the_final_training() -> None:
    quick, small = option("quick", FAST), option("small", FAST)
    # both: three times one of the best again; quick: random search beside it
    # a search of 1,000 seconds begins no evaluation in the last fifth
    assert quick.affords(1000) == (int(800 / 10 / 2 - 3), int(800 / 12 / 2 - 3), int(800 / 16 - 3))
    assert small.affords(1000)[0] == int(800 / 10 - 3)
    assert quick.affords(400)[0] == int(300 / 10 / 2 - 3)
    assert quick.affords(50) == (0, 0, 0)
    assert quick.seconds(20) == 10 * 2 * (20 + 3) / 0.8
    assert quick.seconds(1) == 100 + 10 * 2 * (1 + 1)  # one is evaluated once again, not thrice
    assert quick.affords(140)[0] == quick.affords(179)[0] == 1


def test_the_most_thorough_preset_that_fits_is_recommended() -> None:
    quick, small = option("quick", FAST), option("small", Estimate(20, 18, 22, 5))
    paper = option("paper", Estimate(5000, 5000, 5000, 5))
    options = [quick, small, paper, dataclasses.replace(small, own=False)]
    digits = load_images("digits")
    many = Split(np.zeros((5000, 1, 8, 8), np.uint8), np.arange(5000) % 10)
    few = ImageSubject(digits, 8, 1)
    there = ImageSubject(dataclasses.replace(digits, train=many), 8, 1)
    assert recommended(options, 3600, there) is small
    assert recommended(options, 3600, few) is quick  # small takes 5,000 images of more
    assert recommended(options, 400, there) is quick  # neither fits whole: the cheaper one
    assert recommended(options, 60, there) is None


def test_a_network_too_large_to_measure_is_counted_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    original = ImageSubject.settings

    def noted(subject: ImageSubject, by: Any) -> Any:
        seen.append(subject.channels)
        return original(subject, by)

    monkeypatch.setattr(ImageSubject, "settings", noted)
    monkeypatch.setattr(planning, "MOST_MACS", 1)
    assert planned("--hours", "1")["options"]
    assert min(seen) == 2


def test_profile_estimates_a_recipe() -> None:
    arguments = ("profile", TINY, "--nodes", "1", "--channels", "4", "--cells", "1", "--no-onnx")
    shown = run(*arguments, "--image", "1", "8", "8", "--json", "--recipe", "quick")
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    training = found["training"]
    assert (training["recipe"], training["images"], training["batch"]) == ("quick", 45_000, 64)
    assert training["low"] <= training["seconds"] <= training["high"]
    assert found["onnx"] is None
    text = run(*arguments, "--data", "digits", "--recipe", "quick").stdout
    assert "3 epochs of 900 images" in text
    assert "onnxruntime" not in text


def test_profile_says_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    shown = run("profile", TINY, "--nodes", "1", "--cells", "1", "--image", "1", "8", "8")
    assert "not installed: pip install 'naokit[export]'" in shown.stdout
    assert "--recipe NAME estimates it" in shown.stdout


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (5.12, "5.1 s"),
        (9.97, "10 s"),
        (89, "89 s"),
        (100, "1.7 min"),
        (3600 * 3.25, "3.2 h"),
        (86400 * 12.3, "12 days"),
        (86400 * 365.25 * 4.2, "4.2 years"),
    ],
)
def test_durations_have_two_digits_and_a_unit(seconds: float, text: str) -> None:
    assert spoken(seconds) == text


def test_a_range_says_its_unit_once() -> None:
    assert between(60, 65) == "60 to 65 s"
    assert between(60, 600) == "60 s to 10 min"
    assert between(5.11, 5.12) == "5.1 s"


def test_the_recipe_is_checked_and_what_it_says_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def evaluate(self: Training, architecture: Architecture, seed: int) -> Evaluated:
        return Evaluated(float(int(architecture.key[:8], 16)))

    monkeypatch.setattr(Training, "evaluate", evaluate)
    found = planned("--hours", "1", "--check-recipe")["check"]
    assert (found["recipe"], found["final_recipe"], found["trusted"]) == ("quick", "quick", True)
    assert (len(found["cells"]), found["correlation"]) == (8, pytest.approx(1.0))
    result = run("plan", "--data", "digits", "--nodes", "1", "--hours", "1", "--check-recipe")
    assert "rank correlation 1.00; chance alone stays below 0.6" in result.stdout
    assert "quick ranks these cells as quick does." in result.stdout


@pytest.fixture
def _shared(monkeypatch: pytest.MonkeyPatch) -> None:
    sharing = Sharing("quick-shared", {"channels": 2, "cells": 1}, 3, 8, 6, "uniform", 100)
    tiny = ImagePreset("tiny", 12, "quick", 2, 1, False, "quick", 4, 1, 4, 1, sharing=sharing)
    monkeypatch.setattr("naokit.images.presets.SHARED", {"tiny": tiny})
    text = Sharing("text-quick-shared", {"hidden": 8}, 3, 8, 6, "uniform", 400)
    little = TextPreset("little", 12, "text-quick", 2, 1, False, "text-quick", 4, 8, sharing=text)
    monkeypatch.setattr("naokit.text.presets.SHARED", {"little": little})
    monkeypatch.setattr("naokit.runs.shared_planning.SECONDS_A_NETWORK", 0.05)


@pytest.mark.usefixtures("_shared")
def test_a_search_by_weight_sharing_is_planned_with_all_its_parts() -> None:
    found = planned("--evaluator", "supernet", "--hours", "10")
    (row,) = found["options"]
    assert (row["rounds"], row["pool"], row["evaluations"], row["trained"]) == (3, 8, 12, 2)
    scoring = 24 * 60 / row["cells_a_minute"]
    assert row["scoring_seconds"] == pytest.approx(scoring)
    parts = row["shared"]["seconds"] + scoring + 2 * row["own"]["seconds"] + row["final"]["seconds"]
    assert row["seconds"] == pytest.approx(parts)
    settings = ImageSettings(classes=10, channels=2, cells=1, image=(1, 8, 8))
    shared = ConvCells.small(nodes=1).build_shared(settings)
    weights = 12 * count_parameters(shared) / 1e6
    assert weights < row["memory_mb"] < weights + 20  # an update of F=2 besides
    command = "naokit search --evaluator supernet --data digits --space conv-small --nodes 1"
    assert found["epochs_in_all"] == 300  # ten times those of its recipe, at most
    assert found["next"] == f"{command} --preset tiny"
    asked = ("plan", "--data", "digits", "--nodes", "1", "--hours", "10")
    said = run(*asked, "--evaluator", "supernet").stdout
    assert "suffice for 300 epochs of the shared network: add --epochs-in-all 300" in said


@pytest.mark.usefixtures("_shared")
def test_a_search_of_text_by_weight_sharing_is_planned_too() -> None:
    asked = ("plan", "--data", "pydoc", "--space", "recurrent", "--evaluator", "supernet")
    result = run(*asked, "--hours", "0.000001")
    assert result.exit_code == 0, result.output
    assert "Weight sharing here on pydoc" in result.stdout
    assert "None fits into 1e-06 hours" in result.stdout
