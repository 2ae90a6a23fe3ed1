"""What an earlier naokit wrote opens, continues and exports: see `tests/kept/README.md`."""

import json
import tarfile
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from naokit.cli.app import app
from naokit.export import standalone
from naokit.kinds import load

KEPT = Path(__file__).parent / "kept" / "before-rooms.tar.gz"
FORMATS = ("--format", "safetensors", "--format", "python")
SEARCH = ("search", "--space", "conv-small", "--nodes", "2", "--data", "digits", "--no-baseline")
SIZE = ("--final-channels", "2", "--final-cells", "1", "--final-epochs", "2")


@pytest.fixture(autouse=True)
def _unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kept folders, in the working directory."""
    with tarfile.open(KEPT) as kept:
        kept.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)


def _said(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_search_is_shown() -> None:
    report = json.loads(Path("run/report.json").read_text())
    shown = json.loads(_said("show", "run", "--json"))
    assert shown["architecture"] == report["best"]["architecture"]
    assert shown["evaluations"] == 3
    assert shown["model"] == {}


def test_a_search_goes_on_where_it_stopped() -> None:
    """By what its preset was once."""
    before = json.loads(_said("show", "run", "--json"))["standings"]
    _said(*SEARCH, *SIZE, "--evaluations", "4", "--no-final", "--out", "run")
    after = json.loads(_said("show", "run", "--json"))
    assert after["evaluations"] == 4
    first = {row["trial"]: row["values"][0] for row in after["standings"]}
    assert all(first[row["trial"]] == row["values"][0] for row in before)


def test_a_training_is_known_to_be_done() -> None:
    saved = Path("talk/network/model.safetensors").read_bytes()
    words = ("--data", "words", "--recipe", "text-quick", "--hidden", "4", "--epochs", "1")
    report = json.loads(_said("train", "nao-rnn", *words, "--out", "talk", "--json"))
    assert report["epochs_done"] == 1
    assert len(Path("talk/training/log.csv").read_text().splitlines()) == 2
    assert Path("talk/network/model.safetensors").read_bytes() == saved


@pytest.mark.parametrize("folder", ["run", "talk"])
def test_a_network_is_exported(folder: str) -> None:
    _said("export", f"{folder}/network", *FORMATS, "--out", "again")
    network, alone = load("again"), standalone.read_standalone(Path("again/network.py"))
    example = torch.randint(0, 9, (5, 1)) if folder == "talk" else torch.rand(2, 1, 8, 8)
    found = [made(example) for made in (network, alone)]
    logits = [getattr(outputs, "logits", outputs) for outputs in found]
    assert torch.equal(*logits)


def test_a_stand_alone_file_still_computes_the_same() -> None:
    images = torch.rand(2, 1, 8, 8)
    alone = standalone.read_standalone(Path("run/network/network.py"))
    assert torch.equal(alone(images), load("run/network")(images))
