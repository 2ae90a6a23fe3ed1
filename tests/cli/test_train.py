"""`naokit train` and `naokit transfer` as a user runs them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.cli.training import print_report
from naokit.evaluators import Train
from naokit.export import save
from naokit.export.results import Results
from naokit.images.bundle import ImageBundle
from naokit.images.recipes import ImageRecipe
from naokit.images.subject import ImageSubject
from naokit.images.task import ACCURACY
from naokit.report.contents import Saved
from naokit.runs.final import Job
from naokit.spaces import ConvCells
from naokit.training.checkpoint import read_tensors

TINY = ("0 0 1 3 0 1 1 4", "--nodes", "1", "--channels", "4", "--cells", "1")
SHORT = ("--recipe", "quick", "--epochs", "1")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def found(*arguments: object) -> dict:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "cache"))


def pictures(folder: Path, classes: int = 2, each: int = 8) -> Path:
    """Class folders of JPEGs of many sizes."""
    rng = np.random.default_rng(0)
    for label in range(classes):
        for number in range(each):
            place = folder / f"class{label}" / f"{number}.jpg"
            place.parent.mkdir(parents=True, exist_ok=True)
            width, height = rng.integers(100, 160, 2)
            pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place)
    return folder


def test_a_published_name_is_trained_and_its_transfer_begins_with_its_weights(
    tmp_path: Path,
) -> None:
    report = found("train", "naonet-b", *SHORT, "--channels", 2, "--cells", 1)
    assert report["folder"] == "runs/naonet-b-digits/network"
    assert (report["epochs"], report["complete"]) == (1, True)
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "other.npz", images=images, labels=np.arange(40) % 4)
    settings = ("--data", "other.npz", *SHORT, "--channels", 2, "--cells", 1)
    cold = found("transfer", "naonet-b", *settings, "--out", "cold")
    warm = found(
        "transfer", "runs/naonet-b-digits/network", *settings, "--warm-start", "--out", "warm"
    )
    assert cold["architecture"] == warm["architecture"] == report["architecture"]
    weights = [
        read_tensors(Path(folder) / "network" / "model.safetensors")[0]["stem.0.weight"]
        for folder in ("runs/naonet-b-digits", "cold", "warm")
    ]
    begun, without, with_start = (weight.flatten() for weight in weights)
    assert torch.dist(begun, with_start) < 0.5 * torch.dist(begun, without)
    assert cold["warm_start"] is None
    assert 0 < warm["warm_start"]["taken"] < warm["warm_start"]["of"]
    again = run("transfer", "naonet-b", *settings, "--warm-start", "--out", "none")
    assert again.exit_code == 2
    assert "no trained network to begin with" in again.stderr


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """What would be trained: nothing is."""
    noted: list[Job] = []

    def note(_: object, job: Job, *__: object, **___: object) -> SimpleNamespace:
        noted.append(job)
        return SimpleNamespace(to_json=dict)

    monkeypatch.setattr("naokit.cli.train.train_and_save", note)
    monkeypatch.setattr("naokit.cli.transfer.train_and_save", note)
    return noted


def size(jobs: list[Job], *command: object) -> dict[str, int]:
    found(*command)
    return dict(jobs.pop().subject.size())


@pytest.mark.parametrize(
    ("name", "recipe", "sizes"),
    [
        ("naonet-a", "cifar10-2018", {"channels": 128, "cells": 6}),
        ("naonet-a", "cifar100-2018", {"channels": 128, "cells": 6}),
        ("naonet-a", "cifar10-2018-128", {"channels": 128, "cells": 6}),
        ("naonet-b", "cifar10-2018-36", {"channels": 36, "cells": 6}),
        ("naonet-ws", "cifar10-ws-2018", {"channels": 36, "cells": 5}),
        ("naonet-ws", "cifar10-ws-2018-cutout", {"channels": 36, "cells": 5}),
        ("naonet-a", "imagenet-2018", {"channels": 42, "cells": 4}),
        ("naonet-a", "search-2018", {"channels": 32, "cells": 3}),
        ("nao-rnn", "ptb-2018", {"hidden": 850}),
        ("nao-rnn", "wikitext-2-2018", {"hidden": 700}),
        ("nao-rnn", "text-search-2018", {"hidden": 850}),
    ],
)
def test_a_published_recipe_has_its_size_unless_one_is_given(
    jobs: list[Job], name: str, recipe: str, sizes: dict[str, int]
) -> None:
    data = ("--data", "pydoc" if "hidden" in sizes else "digits", "--recipe", recipe)
    assert size(jobs, "train", name, *data) == sizes
    assert size(jobs, "transfer", name, *data) == sizes
    first = next(iter(sizes))
    given = {**sizes, first: 2}
    assert size(jobs, "train", name, *data, f"--{first}", 2) == given
    assert size(jobs, "transfer", name, *data, f"--{first}", 2) == given


def test_a_transfer_is_of_the_network_s_size(jobs: list[Job], trained: ImageBundle) -> None:
    save(trained, Path("own"))  # 4 and 1
    command = ("transfer", "own", "--data", "digits")
    assert size(jobs, *command) == {"channels": 4, "cells": 1}
    assert size(jobs, *command, "--cells", 3) == {"channels": 4, "cells": 3}
    published = (*command, "--recipe", "imagenet-2018")
    assert size(jobs, *published) == {"channels": 42, "cells": 4}
    assert size(jobs, *published, "--warm-start") == {"channels": 4, "cells": 1}
    assert size(jobs, "transfer", "naonet-b", *command[2:]) == {"channels": 16, "cells": 2}


def test_a_training_of_a_network_s_cell_is_of_its_size(
    jobs: list[Job], trained: ImageBundle
) -> None:
    save(trained, Path("own"))  # 4 and 1
    assert size(jobs, "train", "own", "--cells", 3) == {"channels": 4, "cells": 3}
    assert size(jobs, "train", "own", "--recipe", "cifar10-2018") == {"channels": 128, "cells": 6}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--out", "file"), "file/training/split.json cannot be written (Not a directory)"),
        (("--all-data",), "digits has a validation part of its own"),
        (("--processes", "3", "--set", "batch=2"), "3 processes cannot share batches of 2"),
    ],
)
def test_what_cannot_be_trained_is_told_in_one_line(options: tuple[str, ...], message: str) -> None:
    Path("file").touch()
    refused = run("train", *TINY, *SHORT, *options)
    assert refused.exit_code == 2
    assert message in refused.stderr


@pytest.mark.parametrize("option", ["--channels", "--cells"])
def test_no_size_is_zero(option: str) -> None:
    assert run("train", "naonet-b", *SHORT, option, 0).exit_code == 2
    assert run("transfer", "naonet-b", *SHORT, "--data", "digits", option, 0).exit_code == 2


def test_a_training_says_its_size_first() -> None:
    told = run("train", *TINY, "--recipe", "quick", "--epochs", 1, "--out", "out").stderr
    assert told.startswith("network: channels 4, cells 1; recipe: quick, epochs 1\n")


def test_a_transfer_has_the_options_of_a_training(jobs: list[Job]) -> None:
    options = ("--processes", 2, "--decoders", 1, "--all-data", "--tensorboard")
    assert found("transfer", "naonet-b", "--data", "digits", *options) == {}
    (job,) = jobs
    assert isinstance(job.subject, ImageSubject)
    assert (job.processes, job.subject.decoders, job.subject.all_data) == (2, 1, True)
    assert job.tensorboard


def test_pictures_of_any_size_train_by_the_imagenet_recipe(tmp_path: Path) -> None:
    """docs/specification.md, section 4.1: resized crops, colour jitter, large stem; on a folder."""
    folder = pictures(tmp_path / "pictures")
    (folder / "class0" / "broken.jpg").write_bytes(b"not a picture")
    command = ("train", *TINY, "--data", folder, "--recipe", "imagenet-2018", "--epochs", 1)
    sized = (*command, "--image-size", 96)
    refused = run(*sized)
    assert refused.exit_code == 2
    assert "broken.jpg cannot be decoded" in refused.stderr
    assert "--skip-bad" in refused.stderr
    report = found(*sized, "--skip-bad", "--out", "out", "--decoders", 0)
    assert len(report["skipped"]) == 1
    assert report["image_size"] == 96
    config = json.loads(Path("out/network/config.json").read_text())
    assert (config["network"]["stem"], config["network"]["image"]) == ("large", [3, 96, 96])
    measured = found("evaluate", "out", "--split", "validation")
    assert measured["images"] == 2
    other = run(*command, "--skip-bad")
    assert other.exit_code == 2
    assert "--image-size" in other.stderr


def test_a_search_takes_pictures_of_any_size(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pictures", each=12)
    evaluator = Train(folder, ImageRecipe("r", 1, 8), channels=2, cells=1, image_size=32)
    result = evaluator.evaluate(ConvCells.small(1).parse("0 0 1 3 0 1 1 4"), 0)
    assert 0 <= result.value <= 100
    assert evaluator.data.image == (3, 32, 32)


def test_rare_classes_weigh_as_much_with_balance(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "rare.npz", images=images, labels=np.arange(40) % 10 // 9)
    report = found("train", *TINY, *SHORT, "--data", "rare.npz", "--balance", "--out", "out")
    assert report["recipe"]["balance"] is True


def test_a_field_of_the_recipe_is_set_recorded_and_of_the_training_s_identity() -> None:
    command = ("train", *TINY, *SHORT, "--set", "train_images=200", "--out", "out")
    said = found(*command, "--set", "mixup=0.2")["recipe"]
    assert (said["name"], said["epochs"], said["mixup"], said["train_images"]) == (
        "quick",
        1,
        0.2,
        200,
    )
    config = json.loads(Path("out/network/config.json").read_text())
    assert config["results"]["recipe"] == said
    assert found(*command, "--set", "mixup=0.2")["recipe"] == said  # continues
    other = run(*command, "--set", "mixup=0.3")
    assert other.exit_code == 2
    assert "its recipe has mixup 0.2, this one 0.3" in other.stderr
    coarse = run(*command, "--set", "mixup=0.2", "--precision", "bf16-mixed")
    assert coarse.exit_code == 2
    assert "it computes in 32-true, this one in bf16-mixed (--precision)" in coarse.stderr
    moved = found("transfer", "out", "--data", "digits", *SHORT, "--set", "mixup=0.1", "--out", "t")
    assert moved["recipe"]["mixup"] == 0.1
    refused = run("train", *TINY, *SHORT, "--set", "mixup=much", "--out", "other")
    assert (refused.exit_code, Path("other").exists()) == (2, False)
    assert refused.stderr == "error: --set mixup: mixup of a recipe is a number, not 'much'\n"


def test_another_training_is_not_overwritten_without_force() -> None:
    first = found("train", *TINY, *SHORT, "--out", "out")
    again = found("train", *TINY, *SHORT, "--out", "out")
    assert again["validation_accuracy"] == first["validation_accuracy"]
    other = ("train", *TINY, "--recipe", "quick", "--epochs", "2", "--out", "out")
    refused = run(*other)
    assert refused.exit_code == 2
    assert "is of another training: its recipe has epochs 1, this one 2" in refused.stderr
    assert found(*other, "--force")["epochs"] == 2
    assert {path.name for path in Path("out").iterdir()} == {"training", "network"}
    Path("out/training/last.safetensors").unlink()
    lost = run(*other)
    assert lost.exit_code == 2
    assert "holds a network of another training" in lost.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--data", "digit"), "digit"),
        (("--device", "cuda"), "there is no cuda device"),
        (("--recipe", "imagenet-2018"), "are in memory: give --image-size, or another recipe"),
        (("--set", "learning_rate=1e30"), "not finite"),
    ],
)
def test_force_loses_nothing_where_the_new_training_comes_to_nothing(
    wrong: tuple[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    found("train", *TINY, *SHORT, "--out", "out")
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    refused = run("train", *TINY, *SHORT, *wrong, "--force", "--out", "out")
    assert refused.exit_code in (1, 2)
    assert said in refused.stderr
    after = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.slow
def test_a_forced_training_that_was_killed_gives_the_old_one_back() -> None:
    """kill -9 before the new training's first checkpoint; then commands without --force."""
    command = ("train", *TINY, *SHORT, "--out", "out")
    old = found(*command)
    longer = ("train", *TINY, "--recipe", "quick-final", "--out", "out")
    forced = [sys.executable, "-m", "naokit", *longer, "--force", "--processes", "2"]
    process = subprocess.Popen(forced, stderr=subprocess.DEVNULL)
    while not Path("out/training.set-aside").exists():
        assert process.poll() is None
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    for one in (process, *children):
        one.kill()
    process.wait()
    assert Path("out/training.set-aside").exists()
    refused = run(*longer)
    assert refused.exit_code == 2
    assert "is of another training" in refused.stderr
    assert found(*command) == old
    assert {path.name for path in Path("out").iterdir()} == {"training", "network"}


def test_an_epoch_is_counted_against_those_that_were_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = found("train", *TINY, "--recipe", "quick", "--epochs", 1, "--out", "out")
    cut = {**report, "complete": False, "recipe": {**report["recipe"], "epochs": 10}}
    print_report(Saved("", {}, "out", 0, {}, Results.from_json(ACCURACY, cut)))
    assert "epoch 1 of 10" in capsys.readouterr().out


@pytest.mark.parametrize("command", [("train",), ("transfer", "--data", "digits")])
def test_hours_that_end_in_the_first_epoch_leave_a_network(command: tuple[str, ...]) -> None:
    name, *data = command
    said = (name, *TINY, *data, "--recipe", "quick", "--out", "out")
    stopped = run(*said, "--hours", "0.0000001")
    assert stopped.exit_code == 0, stopped.output
    assert re.search(r"after 0\.\d+ of \d+ epochs: the same command continues", stopped.stdout)
    assert "was not measured: no time was left" in stopped.stdout
    assert found("evaluate", "out")["images"] > 0
    assert run("export", "out").exit_code == 0
    done = found(*said)
    assert (done["complete"], done["epochs_done"]) == (True, done["recipe"]["epochs"])
    assert done["test_accuracy"] is not None


def test_the_test_part_has_a_bar_of_its_own() -> None:
    told = run("train", *TINY, *SHORT, "--out", "out").stderr
    assert re.search(r"test part +━+ +(\d+)/\1 ", told)


def test_all_images_train_where_nothing_is_held_out(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", images=images, labels=np.arange(40) % 4)
    shown = run("train", *TINY, *SHORT, "--data", "mine.npz", "--all-data", "--out", "out")
    assert shown.exit_code == 0, shown.output
    assert "validation" not in shown.stdout
    assert not Path("out/training/split.json").exists()


@pytest.mark.slow
def test_an_interrupt_ends_every_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "naokit", "train", *TINY, "--recipe", "quick-final"]
    process = subprocess.Popen(
        [*command, "--processes", "2", "--out", "out"], stderr=subprocess.PIPE, text=True
    )
    while not Path("out/training/log.csv").exists():
        assert process.poll() is None
        time.sleep(0.2)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    process.terminate()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command continues" in errors
    assert not psutil.wait_procs(children, timeout=20)[1]


@pytest.mark.slow
def test_a_killed_training_continues_to_the_same_weights(tmp_path: Path) -> None:
    """kill -9 at three moments, each time the same command again."""
    command = [sys.executable, "-m", "naokit", "train", *TINY, "--recipe", "quick"]
    environment = {**os.environ, "NAOKIT_CACHE": str(tmp_path)}
    for wait in (4.0, 5.5, 7.0):
        process = subprocess.Popen([*command, "--out", "cut"], env=environment)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
    for out in ("cut", "whole"):
        subprocess.run([*command, "--out", out], env=environment, check=True)
    cut, whole = (
        read_tensors(Path(out) / "training/last.safetensors")[0] for out in ("cut", "whole")
    )
    assert all(torch.equal(tensor, cut[name]) for name, tensor in whole.items())
