"""Presets: how a search is run, from the number of evaluations to the winner's final training.

Each number that is not the paper's was measured on two processor cores (docs/results.md).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from naokit.base import Json, Reads, unknown_name

EMBEDDED: Mapping[Reads, str] = {"images": "digits", "text": "pydoc"}
"""Data that need no file and no network."""

FINAL_SHARE = 0.2
"""Of the hours of a search, kept for the final training.

By the presets' epochs, images and channels the whole of it takes a third of a run (quick) to two
thirds (small). Where the hours are too few for everything the search comes first, and a fifth is
enough to begin with: the same command continues.
"""


@dataclass(frozen=True)
class Preset(ABC):
    """How a search is run; `recipe` says how each network is trained.

    Attributes:
        name: of the preset.
        evaluations: how many architectures are trained.
        recipe: of each evaluation.
        repeat: how many of the best are evaluated again before one is called best.
        times: how often each of these is evaluated in all.
        baseline: whether random search gets as many evaluations on the same data.
        final_recipe: of the winner.
    """

    name: str
    evaluations: int
    recipe: str
    repeat: int
    times: int
    baseline: bool
    final_recipe: str

    @property
    @abstractmethod
    def final_epochs(self) -> int | None:
        """Epochs of the final training in place of the recipe's; None: as many as that has."""

    @abstractmethod
    def size(self) -> dict[str, Json]:
        """That of each evaluation's network, by name."""

    @abstractmethod
    def final_size(self) -> dict[str, Json]:
        """That of the winner's."""


@dataclass(frozen=True)
class ImagePreset(Preset):
    """How a search on images is run.

    Attributes:
        channels: F of each evaluation.
        cells: N of each evaluation.
        final_channels: F of the winner.
        final_cells: N of the winner.
        final_epochs: see `Preset`.
    """

    channels: int
    cells: int
    final_channels: int
    final_cells: int
    final_epochs: int | None = None

    def size(self) -> dict[str, Json]:
        """F and N."""
        return {"channels": self.channels, "cells": self.cells}

    def final_size(self) -> dict[str, Json]:
        """F and N of the winner."""
        return {"channels": self.final_channels, "cells": self.final_cells}


@dataclass(frozen=True)
class TextPreset(Preset):
    """How a search on text is run.

    Attributes:
        hidden: H of each evaluation.
        final_hidden: H of the winner.
        final_epochs: see `Preset`.
    """

    hidden: int
    final_hidden: int
    final_epochs: int | None = None

    def size(self) -> dict[str, Json]:
        """H."""
        return {"hidden": self.hidden}

    def final_size(self) -> dict[str, Json]:
        """H of the winner."""
        return {"hidden": self.final_hidden}


_PRESETS = (
    ImagePreset("quick", 20, "quick", 3, 3, True, "quick-final", 8, 1, 16, 1),
    ImagePreset("small", 20, "small", 3, 2, False, "small-final", 8, 1, 16, 1),
    # Section 2: 1,000 evaluations at N=3, F=32, 25 epochs; section 4: the winner at N=6, F=128.
    ImagePreset("paper", 1000, "search-2018", 1, 1, False, "cifar10-2018", 32, 3, 128, 6),
)
PRESETS: Mapping[str, ImagePreset] = {preset.name: preset for preset in _PRESETS}

_TEXT_PRESETS = (
    TextPreset("quick", 16, "text-quick", 3, 2, True, "text-quick-final", 48, 64),
    TextPreset("small", 40, "text-small", 3, 2, False, "text-small-final", 100, 200),
    # Section 2: the whole model, 600 epochs an evaluation; how many evaluations is not confirmed.
    TextPreset("paper", 1000, "text-search-2018", 1, 1, False, "ptb-2018", 850, 850),
)
TEXT_PRESETS: Mapping[str, TextPreset] = {preset.name: preset for preset in _TEXT_PRESETS}


def preset(name: str, reads: Reads = "images") -> Preset:
    """The preset of a name; raises InputError with the nearest names.

    Args:
        name: of the preset.
        reads: what the networks of the space read.
    """
    presets = presets_of(reads)
    if name not in presets:
        raise unknown_name("preset", name, presets)
    return presets[name]


def presets_of(reads: Reads) -> Mapping[str, Preset]:
    """All for networks that read this, from the least to the most thorough."""
    return PRESETS if reads == "images" else TEXT_PRESETS
