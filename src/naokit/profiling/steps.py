"""How long a training will take, from a few steps of the training loop itself.

The loop is run on a small part of the data. A hook notes when each forward pass begins: from one
to the next is one whole step (augmentation, forward, backward, optimizer), as the loop does it.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from naokit.networks import count_macs
from naokit.training.data import ImageData, Split
from naokit.training.device import make_fabric
from naokit.training.feeding import EVALUATION_BATCH
from naokit.training.loop import train
from naokit.training.recipes import ImageRecipe
from naokit.training.stream import Stream

WARM_UP = 1
"""Steps before the measured ones: the first finds out how to compute."""
MOST_STEPS = 12
STEPS_AN_EPOCH = 3
"""So few that validation is measured too before the time is over."""
MACS_A_STEP = 5e8
"""For each second of measuring: several such steps fit (one thread of a busy processor)."""
PASSES = 3
"""A step takes about as long as three forward passes."""


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
    """What was measured of a training, in seconds.

    Attributes:
        training: each step of `images` images.
        validation: each batch of validation images.
        images: in a step; fewer than the recipe's batch where that would take too long.
        start: once a training: what comes before the first step, and what that one takes longer.
    """

    training: tuple[float, ...]
    validation: tuple[float, ...]
    images: int
    start: float

    def estimate(self, recipe: ImageRecipe, images: int, validation: int) -> Estimate:
        """How long a training by the recipe takes.

        Args:
            recipe: of the steps that were measured.
            images: how many to train on.
            validation: how many are held out.
        """
        images = min(images, recipe.train_images or images)
        steps = math.ceil(images / recipe.batch) * recipe.batch / self.images
        batches = math.ceil(validation / EVALUATION_BATCH)
        quartiles = zip(_quartiles(self.training), _quartiles(self.validation), strict=True)
        low, middle, high = (
            self.start + recipe.epochs * (steps * step + batches * batch)
            for step, batch in quartiles
        )
        return Estimate(middle, low, high, len(self.training))


def measure_steps(
    network: nn.Module,
    data: ImageData,
    recipe: ImageRecipe,
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
    import kornia.augmentation  # noqa: F401 - takes a second once a process, not once a training

    fabric = fabric or make_fabric()
    images = _images_a_step(network, data, recipe, fabric, seconds)
    part = dataclasses.replace(
        data,
        train=_first(data.train, STEPS_AN_EPOCH * images),
        validation=_first(data.validation, EVALUATION_BATCH),
    )
    epochs = math.ceil((WARM_UP + MOST_STEPS) / math.ceil(len(part.train) / images))
    # The rate alters no time, but a high one might diverge.
    short = dataclasses.replace(
        recipe, epochs=epochs, batch=images, learning_rate=1e-5, train_images=None
    )
    with _noted(network, fabric) as begun:
        began = time.perf_counter()
        train(network, part, short, seed=0, fabric=fabric, seconds=seconds)
        ended = time.perf_counter()
    ends = [moment for moment, _ in begun[1:]] + [ended]
    spans = [(end - moment, kind) for (moment, kind), end in zip(begun, ends, strict=True)]
    steps = [span for span, training in spans if training]
    kept = steps[WARM_UP:] or steps[-1:]
    late = sum(steps) - sum(kept) - (len(steps) - len(kept)) * statistics.median(kept)
    validation = [span for span, training in spans if not training]
    if not validation:  # no epoch was finished: a forward pass must be guessed
        validation = [step / PASSES * EVALUATION_BATCH / images for step in kept]
    start = begun[0][0] - began + max(0.0, late)
    return Steps(tuple(kept), tuple(validation), images, start)


def _images_a_step(
    network: nn.Module, data: ImageData, recipe: ImageRecipe, fabric: Fabric, seconds: float
) -> int:
    """The recipe's batch, or on a processor as many images as surely leave time; at least 2.

    Counted, not timed: a busy machine should not alter what is measured.
    """
    if fabric.device.type != "cpu":
        return recipe.batch
    one = PASSES * count_macs(network, data.image)
    return min(recipe.batch, max(2, int(seconds * MACS_A_STEP / one)))


@contextmanager
def _noted(network: nn.Module, fabric: Fabric) -> Iterator[list[tuple[float, bool]]]:
    """When each forward pass begins, and whether it is one of training."""
    begun: list[tuple[float, bool]] = []

    def note(module: nn.Module, _: object) -> None:
        if fabric.device.type == "cuda":  # its work is queued
            torch.cuda.synchronize(fabric.device)
        begun.append((time.perf_counter(), module.training))

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
