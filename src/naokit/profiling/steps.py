"""An estimate of how long a training will take, from a few steps of the training loop itself.

The loop runs on a small part of the data. A hook records when each forward pass begins: from one to
the next is one whole step (augmentation, forward, backward, optimizer), as the loop does it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from naokit.training.clock import PASSES
from naokit.training.loop import train
from naokit.training.recipe import Recipe
from naokit.training.task import Task

WARM_UP = 1
"""How many steps precede the measured ones: in the first one, libraries choose algorithms."""
MOST_STEPS = 12
STEPS_AN_EPOCH = 3
"""The steps of an epoch, few enough for validation to be measured before the time is over."""
SMALL_RATE = 1e-5
"""The learning rate, which does not change the time; with a high one the loss might diverge."""


@dataclass(frozen=True)
class Estimate:
    """An estimate of a time in seconds.

    Attributes:
        seconds: The most likely time.
        low: The time if every step were as fast as the faster quartile of the measured steps.
        high: The time if every step were as slow as the slower quartile of the measured steps.
        steps: The number of steps that were measured.
    """

    seconds: float
    low: float
    high: float
    steps: int

    def times(self, factor: float) -> Estimate:
        """The estimate of something that takes `factor` times as long."""
        return Estimate(factor * self.seconds, factor * self.low, factor * self.high, self.steps)


@dataclass(frozen=True)
class Steps:
    """The measured times of a short training. An example is an image or a token.

    Attributes:
        training: The seconds per example of each training step.
        validation: The seconds per example of each validation batch.
        examples: The mean number of examples in a step; it is smaller than the recipe's if such a
            step would take too long.
        start: The seconds that a training takes once: the time before the first step, and the extra
            time of that step.
    """

    training: tuple[float, ...]
    validation: tuple[float, ...]
    examples: int
    start: float

    def estimate(self, recipe: Recipe, examples: int, validation: int) -> Estimate:
        """How long a training by the recipe takes.

        Args:
            recipe: The recipe of the steps that were measured.
            examples: The number of training examples.
            validation: The number of validation examples.
        """
        taken = min(examples, recipe.part or examples)
        validation += min(taken, recipe.measured_besides)
        quartiles = zip(_quartiles(self.training), _quartiles(self.validation), strict=True)
        low, middle, high = (
            self.start + recipe.epochs * (taken * one + validation * held_out)
            for one, held_out in quartiles
        )
        return Estimate(middle, low, high, len(self.training))


@dataclass(frozen=True)
class _Pass:
    """The time from the beginning of one forward pass to that of the next."""

    seconds: float
    examples: int
    training: bool

    @property
    def each(self) -> float:
        return self.seconds / self.examples


def measure_steps(
    network: nn.Module, task: Task[Any, Any], fabric: Fabric, seconds: float = 10.0
) -> Steps:
    """Measures a few steps of `naokit.training.loop.train`; the network is trained by them.

    Args:
        network: The network that is trained.
        task: A short task on a part of the data (`Subject.short_task`).
        fabric: Where the training runs.
        seconds: About how long to measure; one step is always taken.
    """
    with _noted(network, task, fabric) as begun:
        began = time.perf_counter()
        train(network, task, seed=0, fabric=fabric, seconds=seconds)
        ended = time.perf_counter()
    ends = [moment for moment, *_ in begun[1:]] + [ended]
    passes = [
        _Pass(end - moment, examples, training)
        for (moment, examples, training), end in zip(begun, ends, strict=True)
    ]
    return _steps(passes, begun[0][0] - began)


def _steps(passes: Sequence[_Pass], before: float) -> Steps:
    """The times that follow from passes; `before` is the time in seconds before the first one."""
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


@contextmanager
def _noted(
    network: nn.Module, task: Task[Any, Any], fabric: Fabric
) -> Iterator[list[tuple[float, int, bool]]]:
    """For each forward pass its beginning, its number of examples, and whether it is training."""
    begun: list[tuple[float, int, bool]] = []

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        if fabric.device.type == "cuda":  # its work is queued
            torch.cuda.synchronize(fabric.device)
        begun.append((time.perf_counter(), task.examples(given[0]), module.training))

    handle = network.register_forward_pre_hook(note)
    try:
        yield begun
    finally:
        handle.remove()


def _quartiles(values: tuple[float, ...]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high
