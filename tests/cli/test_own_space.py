"""A network of a user's own space, to the end and to strangers."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import naokit
from naokit.base import InputError
from naokit.cli.app import app
from naokit.spaces import own_code

CELLS = """import pathlib
from torch import nn
from naokit.spaces import ConvCells, Operation
(pathlib.Path(__file__).parent / "ran").touch()
def tiny(channels, stride):
    return nn.Conv2d(channels, channels, 1, stride)
CELLS = ConvCells(1, (Operation("tiny", tiny), "identity"), "mine")
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def forget(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another user begins."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    monkeypatch.setattr(own_code, "_HERE", [])


def test_its_code_is_run_only_for_who_named_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    forget(tmp_path / "config", monkeypatch)
    (tmp_path / "home").mkdir()
    file = tmp_path / "home" / "mine.py"
    file.write_text(CELLS)
    sizes = ("--channels", 2, "--cells", 1, "--recipe", "quick", "--epochs", 1)
    trained = run("train", "0 0 1 0 0 1 1 0", "--space", "home/mine.py:CELLS", *sizes, "--out", "x")
    assert trained.exit_code == 0, trained.output
    config = json.loads(Path("x/network/config.json").read_text())
    assert config["space"]["source"] == "mine.py:CELLS"

    monkeypatch.setattr(own_code, "_HERE", [])  # a new process, in another folder
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    honest = (
        ("evaluate", "../x"),
        ("export", "../x", "--format", "safetensors"),
        ("show", "../x"),
        ("train", "../x", *sizes, "--out", "again"),
    )
    for command in honest:
        assert run(*command).exit_code == 0, command
    assert str(tmp_path) not in Path("../x/network/config.json").read_text()

    forget(tmp_path / "other", monkeypatch)
    shutil.copy(file, elsewhere)  # also one that came with the network
    (tmp_path / "home" / "ran").unlink()
    for command in (*honest, ("profile", "../x"), ("predict", "../x", "mine.py")):
        refused = run(*command)
        assert refused.exit_code == 2, command
        assert refused.stderr.count("\n") == 1
        assert "not run; if you trust it" in refused.stderr
    with pytest.raises(InputError, match="not run"):
        naokit.Pretrained.from_pretrained("../x/network")
    assert not [*tmp_path.rglob("ran")]

    shown = run("show", "../x", "--space", "mine.py:CELLS")
    assert shown.exit_code == 0, shown.output
    assert run("evaluate", "../x").exit_code == 0
    assert not (tmp_path / "home" / "ran").exists()
    assert run("show", "../x", "--space", "conv-large").exit_code == 2
