"""Untrained image classifiers, described by the digits."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from naokit.base import EvaluationFailed, derive_seed
from naokit.evaluators import Train
from naokit.images.data import ImageData, Split
from naokit.images.describing import ImageProbe
from naokit.images.loading import load_images
from naokit.images.recipes import RECIPES
from naokit.images.subject import ImageSubject
from naokit.spaces import ConvCells
from naokit.training.describing import describe
from naokit.training.device import make_fabric

CELL = ConvCells.small(nodes=1).parse("0 0 1 0 0 3 1 4")
FABRIC = make_fabric("cpu")


def described(data: ImageData | str = "digits", recipe: str = "quick") -> dict[str, float]:
    return dict(Train(data, recipe, channels=4, device="cpu").descriptors(CELL))


def test_they_repeat_are_finite_and_say_something() -> None:
    torch.manual_seed(1)
    found = described()
    torch.manual_seed(2)
    assert described() == found
    assert (
        tuple(found) == ImageSubject.descriptor_names == ("ridge", "early_loss", "early_accuracy")
    )
    assert 0 < found["ridge"] < 1
    assert 0 <= found["early_accuracy"] <= 1


def test_they_cost_less_than_a_tenth_of_a_quick_evaluation() -> None:
    evaluator = Train("digits", "quick", device="cpu")
    data = evaluator.data
    an_epoch = 3 * len(data.train) + len(data.validation)
    assert evaluator.probe.passes == 3 * 3 * 48 + 192 + 128 + 128
    assert evaluator.descriptor_share == evaluator.probe.passes / (3 * an_epoch) < 0.1
    longer = Train("digits", replace(RECIPES["quick"], epochs=300), device="cpu")
    assert longer.descriptor_share == pytest.approx(evaluator.descriptor_share / 100)


def test_training_images_alone_are_looked_at() -> None:
    data = load_images("digits")
    zeros = replace(data.validation, images=np.zeros_like(data.validation.images))
    other = replace(data, validation=zeros, test=zeros)
    assert described(other) == described(data)


def test_what_judges_was_not_learnt_from() -> None:
    data = load_images("digits")
    probe = ImageProbe(data, RECIPES["quick"], FABRIC)
    order = np.random.default_rng(0).permutation(len(data.train))
    learnt, shown = order[:144], order[144 : 144 + 192 + 128]
    assert probe.answers.tolist() == data.train.labels[shown].tolist()
    assert sorted(probe.task.train.labels.tolist()) == sorted(data.train.labels[learnt].tolist())
    assert probe.task.recipe.epochs == RECIPES["quick"].epochs  # its rate, cut short


def test_of_few_images_a_share_is_looked_at() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    split = Split(images, np.arange(40) % 2)
    few = ImageData("few", split, split, split, ("a", "b"))
    assert set(described(few)) == set(ImageSubject.descriptor_names)
    assert Train(few, "quick", device="cpu").descriptor_share > 0.1


def test_an_auxiliary_head_and_own_networks_are_looked_at_too() -> None:
    probe = ImageProbe(load_images("digits"), RECIPES["quick"], FABRIC)
    own = nn.Sequential(nn.Flatten(), nn.Linear(64, 7), nn.ReLU(), nn.Linear(7, 10))
    features, logits = probe.look(own, judge=True)
    assert (features.shape, logits.shape) == ((128, 7), (128, 10))
    recipe = replace(RECIPES["quick"], auxiliary_weight=0.4)
    evaluator = Train("digits", recipe, channels=4, device="cpu")
    assert set(evaluator.descriptors(CELL)) == set(ImageSubject.descriptor_names)


def test_a_network_that_diverges_has_none() -> None:
    recipe = replace(RECIPES["quick"], learning_rate=1e30, clip=1e30)
    subject = ImageSubject("digits", 4, 1)
    network = subject.network(CELL, recipe, derive_seed("descriptors", CELL.key))
    with pytest.raises(EvaluationFailed, match="not finite"):
        describe(network, ImageProbe(subject.data, recipe, FABRIC), FABRIC, 0)
