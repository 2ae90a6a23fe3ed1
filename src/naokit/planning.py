"""What a search can afford here: a few steps measured, then multiplied. Nothing is written."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from lightning_fabric import Fabric

from naokit.base import Architecture, Json, Reads
from naokit.evaluators.train import build_seeded
from naokit.presets import Preset
from naokit.profiling import Estimate, measure_steps
from naokit.subjects import Subject
from naokit.training.recipe import Recipe
from naokit.training.recipes import recipe_of

OTHER_SIZES: Mapping[Reads, Sequence[Mapping[str, Json]]] = {
    "images": (
        {"channels": 8, "cells": 1},
        {"channels": 16, "cells": 1},
        {"channels": 16, "cells": 2},
    ),
    "text": ({"hidden": 50}, {"hidden": 100}, {"hidden": 200}),
}
"""Those that are measured beside a preset's own."""
SECONDS_A_NETWORK = 3.0
MOST_MACS = 1e9
"""For one image; a larger network is measured with fewer channels and counted up."""


@dataclass(frozen=True)
class Option:
    """A way to search, and what it costs here.

    Attributes:
        preset: the way.
        own: whether the size is the preset's own, so that the command line knows it by name.
        evaluation: seconds of one evaluation; low and high: of the fastest and slowest network.
        final: seconds of the winner's final training.
    """

    preset: Preset
    own: bool
    evaluation: Estimate
    final: Estimate

    def affords(self, seconds: float) -> tuple[int, int, int]:
        """How many evaluations fit besides the final training: likely, at least, at most."""
        return (
            self._fit(seconds, self.evaluation.seconds, self.final.seconds),
            self._fit(seconds, self.evaluation.high, self.final.high),
            self._fit(seconds, self.evaluation.low, self.final.low),
        )

    def seconds(self, evaluations: int) -> float:
        """What a search of so many evaluations takes in all, the final training included."""
        return self.final.seconds + self.evaluation.seconds * self._searches * (
            evaluations + self.repeats
        )

    def _fit(self, seconds: float, evaluation: float, final: float) -> int:
        left = (seconds - final) / evaluation / self._searches
        return max(0, int(left - self.repeats))

    @property
    def repeats(self) -> int:
        """Evaluations of the best few again."""
        return self.preset.repeat * (self.preset.times - 1)

    @property
    def _searches(self) -> int:
        """Random search beside it costs as much again."""
        return 2 if self.preset.baseline else 1


def measure(
    preset: Preset, architectures: Sequence[Architecture], subject: Subject, fabric: Fabric
) -> Option:
    """A preset's costs on this data, on the device of `fabric`.

    Args:
        preset: how the search is run.
        architectures: random ones of the space; the final training is measured on the first.
        subject: the data, of any size.
        fabric: where.
    """
    by, final = (recipe_of(subject.reads, name) for name in (preset.recipe, preset.final_recipe))
    each = costs(architectures, subject.again(preset.size()), by, fabric)
    (one,) = costs(  # the dearest to measure; the others are taken to differ as they do above
        architectures[:1], subject.again(preset.final_size()), final, fabric
    )
    finals = [one.times(other.seconds / each[0].seconds) for other in each]
    return Option(preset, True, together(each), replace(together(finals), steps=one.steps))


def other_sizes(
    option: Option, architectures: Sequence[Architecture], subject: Subject, fabric: Fabric
) -> list[Option]:
    """The same for other sizes of the evaluations; the final training is the same."""
    by = recipe_of(subject.reads, option.preset.recipe)
    found = []
    for size in OTHER_SIZES[subject.reads]:
        if size != option.preset.size():
            each = costs(architectures, subject.again(size), by, fabric)
            other = replace(option.preset, **size)
            found.append(Option(other, False, together(each), option.final))
    return found


def costs(
    architectures: Sequence[Architecture], subject: Subject, by: Recipe, fabric: Fabric
) -> list[Estimate]:
    """Seconds of a training of each architecture by a recipe, building it included."""
    return [_cost(architecture, subject, by, fabric) for architecture in architectures]


def together(each: Sequence[Estimate]) -> Estimate:
    """The mean; low and high are the fastest's and the slowest's."""
    return Estimate(
        statistics.fmean(one.seconds for one in each),
        min(one.low for one in each),
        max(one.high for one in each),
        sum(one.steps for one in each),
    )


def _cost(architecture: Architecture, subject: Subject, by: Recipe, fabric: Fabric) -> Estimate:
    """Seconds of one training; measured on a narrower network, by multiply-adds, if need be."""
    narrow = subject
    while _macs(architecture, narrow, by) > MOST_MACS and (half := narrow.halved()) is not None:
        narrow = half
    began = time.perf_counter()
    network = build_seeded(architecture, narrow.settings(by), 0)
    narrow.figures(network)  # every evaluation counts too
    built = time.perf_counter() - began
    data = narrow.data
    steps = measure_steps(network, data, by, fabric=fabric, seconds=SECONDS_A_NETWORK)
    one = steps.estimate(by, len(data.train), len(data.validation))
    whole = Estimate(built + one.seconds, built + one.low, built + one.high, one.steps)
    if narrow is subject:
        return whole
    return whole.times(_macs(architecture, subject, by) / _macs(architecture, narrow, by))


def _macs(architecture: Architecture, subject: Subject, by: Recipe) -> float:
    """Multiply-adds of one image or token, counted on a network without weights."""
    with torch.device("meta"):
        network = architecture.space.build(architecture, subject.settings(by))
    return subject.figures(network)["macs"]


def recommended(options: Sequence[Option], seconds: float, subject: Subject) -> Option | None:
    """The most thorough preset that fits whole; else the cheapest that fits at all; else None.

    Args:
        options: from the least to the most thorough.
        seconds: how much time there is.
        subject: the data. A preset whose recipe takes a part of more training images or tokens
            than there are is not meant for them.
    """
    there = len(subject.data.train)
    meant = [
        option
        for option in options
        if option.own and (recipe_of(subject.reads, option.preset.recipe).part or 0) <= there
    ]
    whole = [o for o in meant if o.affords(seconds)[0] >= o.preset.evaluations]
    some = [o for o in meant if o.affords(seconds)[0] > 0]
    if whole:
        return whole[-1]
    return min(some, key=lambda option: option.evaluation.seconds, default=None)
