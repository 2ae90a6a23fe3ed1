"""Untrained language models, described by the training text."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from naokit import spaces
from naokit.evaluators import TrainText
from naokit.text.data import TextData, load_text
from naokit.text.describing import TextProbe
from naokit.text.recipes import RECIPES
from naokit.training.device import make_fabric

CELL = spaces.load("recurrent", nodes=3).parse("0 0 1 1 1 2")
FABRIC = make_fabric("cpu")


@pytest.fixture
def data(tmp_path: Path) -> TextData:
    words = np.random.default_rng(0).integers(0, 9, 9000).astype("U").tolist()
    for part, amount in (("train", 9000), ("valid", 600), ("test", 600)):
        lines = [" ".join(words[start : start + 9]) for start in range(0, amount, 9)]
        (tmp_path / f"{part}.txt").write_text("\n".join(lines), encoding="utf-8")
    return load_text(tmp_path)


def described(data: TextData) -> dict[str, float]:
    return dict(TrainText(data, "text-quick", hidden=16, device="cpu").descriptors(CELL))


def test_they_repeat_and_have_no_accuracy(data: TextData) -> None:
    found = described(data)
    assert found == described(data)
    assert tuple(found) == TrainText("pydoc").descriptor_names == ("ridge", "early_loss")


def test_what_comes_next_is_asked_of_text_that_was_not_learnt(data: TextData) -> None:
    recipe = RECIPES["text-quick"]
    probe = TextProbe(data, recipe, FABRIC)
    learnt = recipe.batch * (6 * recipe.bptt + 1)
    assert probe.answers.tolist() == data.train[learnt + 1 :][: 48 * 32].tolist()
    assert probe.tokens[:, 0].tolist() == data.train[learnt:][:32].tolist()
    assert probe.fitted == 32 * 32
    assert probe.task.streams.numel() == learnt
    assert probe.task.validation.tolist() == data.train[: recipe.bptt + 1].tolist()


def test_the_training_text_alone_is_read(data: TextData) -> None:
    other = replace(data, test=data.test[::-1].copy())
    assert described(other) == described(data)


def test_they_cost_little(data: TextData) -> None:
    assert TrainText("pydoc", "text-quick", device="cpu").descriptor_share < 0.03
    assert TrainText(data, "text-quick", device="cpu").descriptor_share < 0.2
