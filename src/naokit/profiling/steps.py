"""How long a training will take, from a few steps of the training loop itself.

The loop is run on a small part of the data. A hook notes when each forward pass begins: from one
to the next is one whole step (augmentation, forward, backward, optimizer), as the loop does it.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from naokit.networks import count_macs
from naokit.training.clock import PASSES
from naokit.training.data import ImageData, Split
from naokit.training.device import make_fabric
from naokit.training.feeding import EVALUATION_BATCH
from naokit.training.loop import train
from naokit.training.recipe import Recipe
from naokit.training.recipes import ImageRecipe
from naokit.training.stream import Stream
from naokit.training.text.data import TextData
from naokit.training.text.perplexity import COLUMN
from naokit.training.text.perplexity import EVALUATION_BATCH as COLUMNS
from naokit.training.text.recipes import TextRecipe

WARM_UP = 1
"""Steps before the measured ones: the first finds out how to compute."""
MOST_STEPS = 12
STEPS_AN_EPOCH = 3
"""So few that validation is measured too before the time is over."""
MACS_A_STEP = 5e8
"""For each second of measuring: several such steps fit (one thread of a busy processor)."""
IMAGES = 4
"""Dimensions of a batch of images (B, C, H, W); tokens have two (L, B)."""


@dataclass(frozen=True)
class Estimate:
    """Seconds that something will take.

    Attributes:
        seconds: the most likely.
        low: if everything went as in the faster quarter of the measured steps.
        high: likewise of the slower.
        steps: how many steps were measured.
    """

    seconds: float
    low: float
    high: float
    steps: int

    def times(self, factor: float) -> Estimate:
        """The estimate of something so many times as long."""
        return Estimate(factor * self.seconds, factor * self.low, factor * self.high, self.steps)


@dataclass(frozen=True)
class Steps:
    """What was measured of a training. An example is an image or a token.

    Attributes:
        training: seconds an example of each step.
        validation: seconds an example of each batch that is held out.
        examples: in a step, on average; fewer than by the recipe where that would take too long.
        start: seconds, once a training: what comes before the first step, and what that one takes
            longer.
    """

    training: tuple[float, ...]
    validation: tuple[float, ...]
    examples: int
    start: float

    def estimate(self, recipe: Recipe, examples: int, validation: int) -> Estimate:
        """How long a training by the recipe takes.

        Args:
            recipe: of the steps that were measured.
            examples: how many there are to train on.
            validation: how many are held out.
        """
        taken = min(examples, recipe.part or examples)
        quartiles = zip(_quartiles(self.training), _quartiles(self.validation), strict=True)
        low, middle, high = (
            self.start + recipe.epochs * (taken * one + validation * held_out)
            for one, held_out in quartiles
        )
        return Estimate(middle, low, high, len(self.training))


@dataclass(frozen=True)
class _Pass:
    """From the beginning of one forward pass to that of the next."""

    seconds: float
    examples: int
    training: bool

    @property
    def each(self) -> float:
        return self.seconds / self.examples


def measure_steps(
    network: nn.Module,
    data: ImageData | TextData,
    recipe: Recipe,
    *,
    fabric: Fabric | None = None,
    seconds: float = 10.0,
) -> Steps:
    """A few steps of `naokit.training.loop.train`; the network is trained by them.

    Args:
        network: to train.
        data: what to train on; a part of it is used.
        recipe: how.
        fabric: where; None: `make_fabric()`.
        seconds: about how long to measure; one step is always taken.
    """
    fabric = fabric or make_fabric()
    # The rate alters no time, but a high one might diverge.
    recipe = dataclasses.replace(recipe, learning_rate=1e-5)
    part: ImageData | TextData
    if isinstance(data, TextData):
        part, recipe = _few_tokens(data, recipe)
    else:
        import kornia.augmentation  # noqa: F401 - takes a second once a process, not each training

        part, recipe = _few_images(
            data, recipe, _images_a_step(network, data, recipe, fabric, seconds)
        )
    with _noted(network, fabric) as begun:
        began = time.perf_counter()
        train(network, part, recipe, seed=0, fabric=fabric, seconds=seconds)
        ended = time.perf_counter()
    ends = [moment for moment, *_ in begun[1:]] + [ended]
    passes = [
        _Pass(end - moment, examples, training)
        for (moment, examples, training), end in zip(begun, ends, strict=True)
    ]
    return _steps(passes, begun[0][0] - began)


def _steps(passes: Sequence[_Pass], before: float) -> Steps:
    """What the passes of a short training tell; `before`: seconds before the first."""
    steps = [one for one in passes if one.training]
    kept = steps[WARM_UP:] or steps[-1:]
    training = tuple(one.each for one in kept)
    usual = statistics.median(training)
    late = sum(one.seconds - one.examples * usual for one in steps[: len(steps) - len(kept)])
    validation = tuple(one.each for one in passes if not one.training)
    if not validation:  # no epoch was finished: a forward pass must be guessed
        validation = tuple(each / PASSES for each in training)
    examples = round(statistics.fmean(one.examples for one in kept))
    return Steps(training, validation, examples, before + max(0.0, late))


def _few_images(data: ImageData, recipe: Recipe, images: int) -> tuple[ImageData, Recipe]:
    """Short epochs of so many images a step."""
    assert isinstance(recipe, ImageRecipe)
    train = _first(data.train, STEPS_AN_EPOCH * images)
    epochs = math.ceil((WARM_UP + MOST_STEPS) / math.ceil(len(train) / images))
    held_out = min(EVALUATION_BATCH, PASSES * images)  # no longer than a training step takes
    part = dataclasses.replace(data, train=train, validation=_first(data.validation, held_out))
    return part, dataclasses.replace(recipe, epochs=epochs, batch=images, train_images=None)


def _few_tokens(data: TextData, recipe: Recipe) -> tuple[TextData, Recipe]:
    """Short epochs, in streams of the recipe's number and about its length."""
    assert isinstance(recipe, TextRecipe)
    part = dataclasses.replace(
        data,
        train=data.train[: recipe.batch * (STEPS_AN_EPOCH * recipe.bptt + 1)],
        validation=data.validation[: COLUMNS * COLUMN + 1],
    )
    epochs = math.ceil((WARM_UP + MOST_STEPS) / STEPS_AN_EPOCH)
    return part, dataclasses.replace(recipe, epochs=epochs, train_tokens=None)


def _images_a_step(
    network: nn.Module, data: ImageData, recipe: Recipe, fabric: Fabric, seconds: float
) -> int:
    """The recipe's batch, or on a processor as many images as surely leave time; at least 2.

    Counted, not timed: a busy machine should not alter what is measured.
    """
    if fabric.device.type != "cpu":
        return recipe.batch
    one = PASSES * count_macs(network, data.image)
    return min(recipe.batch, max(2, int(seconds * MACS_A_STEP / one)))


@contextmanager
def _noted(network: nn.Module, fabric: Fabric) -> Iterator[list[tuple[float, int, bool]]]:
    """When each forward pass begins, of how many examples, and whether it is one of training."""
    begun: list[tuple[float, int, bool]] = []

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        if fabric.device.type == "cuda":  # its work is queued
            torch.cuda.synchronize(fabric.device)
        images = given[0].ndim == IMAGES
        examples = len(given[0]) if images else given[0].numel()
        begun.append((time.perf_counter(), examples, module.training))

    handle = network.register_forward_pre_hook(note)
    try:
        yield begun
    finally:
        handle.remove()


def _first(split: Split | Stream, amount: int) -> Split | Stream:
    return split.take(np.arange(min(amount, len(split))))


def _quartiles(values: tuple[float, ...]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high
