"""`naokit profile` of what was trained: that network, not another of the same cells."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.evaluators import Supernet
from naokit.export import Check
from naokit.files import read_json, write_json
from naokit.images.bundle import ImageBundle
from naokit.images.recipes import PUBLISHED_SIZES
from naokit.images.subject import ImageSubject
from naokit.kinds import kind_of
from naokit.networks import count_parameters
from naokit.runs.folder import SETTINGS, STUDY
from naokit.settings import ImageSettings
from naokit.spaces import ConvCells, RecurrentCells
from naokit.study import create_study

TINY = "0 1 1 4 0 3 1 0"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def _small_and_in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("naokit.images.costs.BATCHES", (1, 2))
    monkeypatch.setattr("naokit.text.costs.BATCH", 2)
    monkeypatch.setattr("naokit.text.costs.STEPS", 3)
    monkeypatch.setattr("naokit.text.costs.SECONDS", 0.1)
    monkeypatch.setattr("naokit.cli.profile_shared.SECONDS", 0.1)


def profiled(*arguments: object) -> dict[str, Any]:
    result = run("profile", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def untrained_run(space: ConvCells | RecurrentCells, genotype: str, data: str) -> Path:
    """A run that has searched and trained no network."""
    folder = Path("run")
    storage = f"sqlite:///{folder / 'study.db'}"
    preset = dataclasses.asdict(kind_of(space.reads).preset("quick"))
    settings = {"space": dict(space.settings()), "storage": storage, "data": data}
    write_json(folder / SETTINGS, {**settings, "preset": preset})
    study = create_study(space, storage=storage, name=STUDY, method="random", seed=0)
    study.add(space.parse(genotype), 1.0)
    return folder


@pytest.mark.parametrize("within", ["", "network"])
def test_a_trained_network_has_its_own_size(
    exported: tuple[Path, dict[str, Check]], trained: ImageBundle, tmp_path: Path, within: str
) -> None:
    shutil.copytree(exported[0], tmp_path / "trained" / "network")
    found = profiled(tmp_path / "trained" / within, "--no-onnx")
    assert found["parameters"] == count_parameters(trained.network)
    assert (found["channels"], found["cells"], found["classes"]) == (4, 1, 10)
    assert found["image"] == [1, 8, 8]
    shown = run("profile", "trained", "--no-onnx", "--channels", 8, "--classes", 3).stdout
    assert "F=8, N=1, 3 classes, images of 1 x 8 x 8 (channels, height, width)" in shown


def test_a_run_without_a_network_has_the_size_of_its_winner() -> None:
    folder = untrained_run(ConvCells.small(nodes=1), TINY, "digits")
    found = profiled(folder, "--no-onnx")
    assert (found["channels"], found["cells"], found["classes"]) == (16, 1, 10)
    assert found["image"] == [1, 8, 8]
    assert profiled(folder, "--no-onnx", "--image", 3, 16, 16)["image"] == [3, 16, 16]


@pytest.mark.slow
def test_a_genotype_has_the_size_that_a_published_recipe_is_for(
    exported: tuple[Path, dict[str, Check]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PUBLISHED_SIZES, "quick", {"channels": 2, "cells": 1})
    asked = ("--recipe", "quick", "--images", 100, "--image", 1, 8, 8, "--no-onnx")
    assert profiled("naonet-b", *asked)["channels"] == 2
    assert profiled("naonet-b", *asked, "--channels", 4)["channels"] == 4
    assert profiled(exported[0], "--recipe", "quick", "--images", 100, "--no-onnx")["channels"] == 4


def test_a_language_model_has_its_own_size(text_run: Path) -> None:
    found = profiled(text_run / "run")
    assert (found["vocabulary"], found["hidden"]) == (9, 8)
    assert profiled(text_run / "run", "--hidden", 12)["hidden"] == 12
    other = profiled(text_run / "run", "--data", text_run / "text", "--tokens", "char")
    assert other["vocabulary"] > 9
    assert other["hidden"] == 8


def test_a_search_for_language_models_has_the_size_of_its_winner(text_run: Path) -> None:
    space = RecurrentCells(nodes=3)
    found = profiled(untrained_run(space, "0 0 1 1 0 2", str(text_run / "text")))
    assert (found["vocabulary"], found["hidden"]) == (9, 64)


def test_pictures_of_any_size_are_shown_as_a_training_shows_them(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(15):
            pixels = generator.integers(0, 256, (12 + number, 14, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.png")
    (tmp_path / "pictures" / "dog" / "bad.png").write_text("no picture")
    asked = ("profile", TINY, "--nodes", 1, "--channels", 4, "--cells", 1, "--no-onnx")
    asked += ("--recipe", "quick", "--data", "pictures")
    refused = run(*asked, "--skip-bad")
    assert refused.exit_code == 2
    assert "--image-size" in refused.stderr
    found = profiled(*asked[1:], "--image-size", 8, "--skip-bad")
    assert (found["classes"], found["image"]) == (2, [3, 8, 8])
    assert found["training"]["images"] == 26  # of 30, two a class held out
    assert found["training"]["seconds"] > 0


def test_how_data_are_read_needs_data() -> None:
    result = run("profile", TINY, "--nodes", 1, "--image-size", 8)
    assert result.exit_code == 2
    assert "--image-size says how --data is read: give that as well" in result.stderr


def test_counts_come_first_and_alone_where_nothing_else_is_wanted(
    text_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published network (docs/specification.md, section 5.2), as fast as it is named."""
    small = ("--channels", 4, "--cells", 1, "--image", 1, 8, 8)
    asked = ("profile", TINY, "--nodes", 1, *small, "--no-onnx")
    whole, lines = run(*asked).stdout, profiled(*asked[1:])
    language = profiled("nao-rnn", "--hidden", 8, "--vocabulary", 20)

    def measured(*_: object, **__: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr("naokit.images.costs.torch_latency", measured)
    monkeypatch.setattr("naokit.images.costs.inference_bytes", measured)
    monkeypatch.setattr("naokit.text.costs.measure_language", measured)
    counts = run("profile", TINY, "--nodes", 1, *small, "--counts").stdout
    assert whole.startswith(counts)
    assert counts.splitlines()[1:2] == [f"parameters       {lines['parameters']:,}"]
    alone = profiled(TINY, "--nodes", 1, *small, "--counts")
    assert alone.items() <= lines.items()
    assert {"parameters", "auxiliary_parameters", "macs", "weights_mb"} <= alone.keys()
    published = profiled("naonet-a", "--cells", 6, "--channels", 36, "--classes", 10, "--counts")
    assert published["parameters"] == 11470150
    text = profiled("nao-rnn", "--hidden", 8, "--vocabulary", 20, "--counts")
    assert text.items() <= language.items()
    assert profiled(text_run / "run", "--counts")["vocabulary"] == 9
    refused = run("profile", TINY, "--nodes", 1, "--counts", "--no-onnx")
    assert refused.exit_code == 2


def test_what_is_known_is_said_before_the_rest_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("naokit.images.costs.torch_latency", interrupted)
    shown = run("profile", TINY, "--nodes", 1, "--channels", 4, "--cells", 1, "--image", 1, 8, 8)
    assert shown.exit_code == 130
    names = [line.split("  ")[0] for line in shown.stdout.splitlines()]
    assert names[1:5] == ["parameters", "auxiliary head", "multiply-adds", "weights"]
    assert names[5:] == ["memory, in use", "memory, training 11 MB with 128 images a step"]


def test_the_shared_network_of_a_space_is_profiled(few_digits: None) -> None:
    asked = (TINY, "--nodes", 1, "--shared", "--channels", 4, "--cells", 1)
    shared = ConvCells.small(nodes=1).build_shared(ImageSettings(10, 4, 1, (1, 8, 8)))
    counted = profiled(*asked, "--image", 1, 8, 8, "--counts")
    assert counted["parameters"] == count_parameters(shared)
    assert counted["weights_mb"] == pytest.approx(12 * count_parameters(shared) / 1e6)
    assert 0 < counted["cell_parameters"] < counted["parameters"]
    assert counted["training"] is None
    found = profiled(*asked, "--recipe", "quick", "--data", "digits")
    assert found["parameters"] == counted["parameters"]
    assert found["training"]["memory_mb"] > found["weights_mb"]
    assert found["training"]["cells_a_minute"] > 0
    shown = run("profile", *asked, "--recipe", "quick", "--data", "digits").stdout
    assert "parameters, of which this cell has" in shown
    assert f"were every cell like this one: {found['training']['epochs']} epochs" in shown


def test_a_preset_says_how_large_its_shared_network_is(text_run: Path) -> None:
    asked = ("nao-rnn", "--shared", "--recipe", "text-quick-shared", "--counts")
    found = profiled(*asked, "--data", text_run / "text")
    assert found["hidden"] == 48
    assert profiled(*asked, "--data", text_run / "text", "--hidden", 12)["hidden"] == 12


def test_a_search_by_weight_sharing_has_the_size_of_its_shared_network() -> None:
    space = ConvCells.small(nodes=1)
    sharing = kind_of("images").preset("quick", shared=True).sharing
    assert sharing is not None
    evaluator = Supernet.of(space, ImageSubject("digits", 6, 1), sharing, seed=0)
    folder = untrained_run(space, TINY, "digits")
    settings = read_json(folder / SETTINGS)
    write_json(folder / SETTINGS, {**settings, "evaluator": dict(evaluator.settings())})
    assert profiled(folder, "--shared", "--counts")["channels"] == 6


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--recipe", "quick"), "--recipe needs --data with --shared"),
        (("--no-onnx",), "--shared measures no latency"),
        (("--space", "hpo", "--counts"), "hpo"),
    ],
)
def test_what_a_shared_network_cannot_be_asked(options: tuple[str, ...], says: str) -> None:
    refused = run("profile", TINY, "--nodes", 1, "--shared", *options)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert says in refused.stderr
