"""A small text, and a language model that learnt it, for the tests of the commands."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from naokit.cli.app import app
from naokit.images.presets import PRESETS, ImagePreset

Write = Callable[..., Path]


@pytest.fixture(scope="session")
def write_text() -> Write:
    """Writes a folder of random sentences of some words."""

    def write(folder: Path, words: str = "the cat dog sat ran on to", seed: int = 0) -> Path:
        generator = np.random.default_rng(seed)
        folder.mkdir(parents=True, exist_ok=True)
        for part, lines in (("train", 60), ("valid", 10), ("test", 10)):
            sentences = (" ".join(generator.choice(words.split(), 10)) for _ in range(lines))
            (folder / f"{part}.txt").write_text("\n".join(sentences) + "\n", encoding="utf-8")
        return folder

    return write


@pytest.fixture(scope="session")
def text_run(write_text: Write, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `text/` and `run/`, nao-rnn trained on it; copy what you change."""
    folder = tmp_path_factory.mktemp("language")
    write_text(folder / "text")
    words = ["train", "nao-rnn", "--data", str(folder / "text"), "--out", str(folder / "run")]
    words += ["--recipe", "text-quick", "--hidden", "8", "--epochs", "1"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(autouse=True)
def _undescribed(undescribed: None) -> None:
    """Descriptors are tested where they are made."""


@pytest.fixture
def tiny_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset of three short evaluations, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    small = ImagePreset("tiny", 3, "quick", 2, 2, True, "quick", 4, 1, 4, 1)
    monkeypatch.setattr("naokit.images.presets.PRESETS", {**PRESETS, "tiny": small})
