"""What a search can afford here: a few steps measured, then multiplied. Nothing is written."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from lightning_fabric import Fabric

from naokit.base import Architecture, ImageSettings
from naokit.evaluators.train import build_seeded
from naokit.networks import count_macs
from naokit.presets import ImagePreset
from naokit.profiling import Estimate, measure_steps
from naokit.subjects import image_settings
from naokit.training.data import ImageData
from naokit.training.recipes import ImageRecipe, recipe

OTHER_SIZES = ((8, 1), (16, 1), (16, 2))
"""(F, N) that are measured beside a preset's own."""
SECONDS_A_NETWORK = 3.0
MOST_MACS = 1e9
"""For one image; a larger network is measured with fewer channels and counted up."""


@dataclass(frozen=True)
class Option:
    """A way to search, and what it costs here.

    Attributes:
        preset: the way.
        own: whether F and N are the preset's own, so that the command line knows it by name.
        evaluation: seconds of one evaluation; low and high: of the fastest and slowest network.
        final: seconds of the winner's final training.
    """

    preset: ImagePreset
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
    preset: ImagePreset,
    architectures: Sequence[Architecture],
    data: ImageData,
    fabric: Fabric,
) -> Option:
    """A preset's costs on this data, on the device of `fabric`.

    Args:
        preset: how the search is run.
        architectures: random ones of the space; the final training is measured on the first.
        data: the images.
        fabric: where.
    """
    each = costs(architectures, data, preset.recipe, preset.channels, preset.cells, fabric)
    (one,) = costs(  # the dearest to measure; the others are taken to differ as they do above
        architectures[:1],
        data,
        preset.final_recipe,
        preset.final_channels,
        preset.final_cells,
        fabric,
    )
    finals = [one.times(other.seconds / each[0].seconds) for other in each]
    return Option(preset, True, together(each), replace(together(finals), steps=one.steps))


def other_sizes(
    option: Option, architectures: Sequence[Architecture], data: ImageData, fabric: Fabric
) -> list[Option]:
    """The same with other F and N; the final training is the same."""
    preset = option.preset
    found = []
    for channels, cells in OTHER_SIZES:
        if (channels, cells) != (preset.channels, preset.cells):
            each = costs(architectures, data, preset.recipe, channels, cells, fabric)
            other = replace(preset, channels=channels, cells=cells)
            found.append(Option(other, False, together(each), option.final))
    return found


def costs(
    architectures: Sequence[Architecture],
    data: ImageData,
    recipe_name: str,
    channels: int,
    cells: int,
    fabric: Fabric,
) -> list[Estimate]:
    """Seconds of a training of each architecture by a recipe, building it included."""
    by = recipe(recipe_name)
    return [
        _cost(architecture, data, by, channels, cells, fabric) for architecture in architectures
    ]


def together(each: Sequence[Estimate]) -> Estimate:
    """The mean; low and high are the fastest's and the slowest's."""
    return Estimate(
        statistics.fmean(one.seconds for one in each),
        min(one.low for one in each),
        max(one.high for one in each),
        sum(one.steps for one in each),
    )


def _cost(
    architecture: Architecture,
    data: ImageData,
    by: ImageRecipe,
    channels: int,
    cells: int,
    fabric: Fabric,
) -> Estimate:
    """Seconds of one training; measured with fewer channels, by multiply-adds, if need be."""
    narrow = channels
    while narrow >= 4 and _macs(architecture, image_settings(data, by, narrow, cells)) > MOST_MACS:
        narrow //= 2
    began = time.perf_counter()
    settings = image_settings(data, by, narrow, cells)
    network = build_seeded(architecture, settings, 0)
    count_macs(network, data.image)  # every evaluation counts too
    built = time.perf_counter() - began
    steps = measure_steps(network, data, by, fabric=fabric, seconds=SECONDS_A_NETWORK)
    one = steps.estimate(by, len(data.train), len(data.validation))
    whole = Estimate(built + one.seconds, built + one.low, built + one.high, one.steps)
    if narrow == channels:
        return whole
    wide = _macs(architecture, image_settings(data, by, channels, cells))
    return whole.times(wide / _macs(architecture, settings))


def _macs(architecture: Architecture, settings: ImageSettings) -> int:
    """Multiply-adds of one image, counted on a network without weights."""
    with torch.device("meta"):
        network = architecture.space.build(architecture, settings)
    return count_macs(network, settings.image)


def recommended(options: Sequence[Option], seconds: float, images: int) -> Option | None:
    """The most thorough preset that fits whole; else the cheapest that fits at all; else None.

    Args:
        options: from the least to the most thorough.
        seconds: how much time there is.
        images: how many training images there are. A preset whose recipe takes a part of more
            images than these is not meant for them.
    """
    meant = [
        option
        for option in options
        if option.own and (recipe(option.preset.recipe).train_images or 0) <= images
    ]
    whole = [o for o in meant if o.affords(seconds)[0] >= o.preset.evaluations]
    some = [o for o in meant if o.affords(seconds)[0] > 0]
    if whole:
        return whole[-1]
    return min(some, key=lambda option: option.evaluation.seconds, default=None)
