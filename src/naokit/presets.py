"""Presets: how a search is run, from the number of evaluations to the winner's final training.

Each number that is not the paper's was measured on two processor cores (docs/results.md).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from naokit.base import InputError, Json, Reads


@dataclass(frozen=True)
class Preset:
    """How a search on images is run; `recipe` says how each network is trained.

    Attributes:
        name: of the preset.
        evaluations: how many architectures are trained.
        recipe: of each evaluation.
        channels: F of each evaluation.
        cells: N of each evaluation.
        repeat: how many of the best are evaluated again before one is called best.
        times: how often each of these is evaluated in all.
        baseline: whether random search gets as many evaluations on the same data.
        final_recipe: of the winner.
        final_channels: F of the winner.
        final_cells: N of the winner.
    """

    name: str
    evaluations: int
    recipe: str
    channels: int
    cells: int
    repeat: int
    times: int
    baseline: bool
    final_recipe: str
    final_channels: int
    final_cells: int

    def size(self) -> dict[str, Json]:
        """That of each evaluation's network."""
        return {"channels": self.channels, "cells": self.cells}

    def final_size(self) -> dict[str, Json]:
        """That of the winner's."""
        return {"channels": self.final_channels, "cells": self.final_cells}


@dataclass(frozen=True)
class TextPreset:
    """How a search on text is run; see `Preset`.

    Attributes:
        name: of the preset.
        evaluations: how many architectures are trained.
        recipe: of each evaluation.
        hidden: H of each evaluation.
        repeat: how many of the best are evaluated again before one is called best.
        times: how often each of these is evaluated in all.
        baseline: whether random search gets as many evaluations on the same data.
        final_recipe: of the winner.
        final_hidden: H of the winner.
    """

    name: str
    evaluations: int
    recipe: str
    hidden: int
    repeat: int
    times: int
    baseline: bool
    final_recipe: str
    final_hidden: int

    def size(self) -> dict[str, Json]:
        """That of each evaluation's network."""
        return {"hidden": self.hidden}

    def final_size(self) -> dict[str, Json]:
        """That of the winner's."""
        return {"hidden": self.final_hidden}


_PRESETS = (
    Preset("quick", 20, "quick", 8, 1, 3, 3, True, "quick-final", 16, 1),
    Preset("small", 20, "small", 8, 1, 3, 2, False, "small-final", 16, 1),
    # Section 2: 1,000 evaluations at N=3, F=32, 25 epochs; section 4: the winner at N=6, F=128.
    Preset("paper", 1000, "search-2018", 32, 3, 1, 1, False, "cifar10-2018", 128, 6),
)
PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _PRESETS}

_TEXT_PRESETS = (
    TextPreset("quick", 16, "text-quick", 48, 3, 2, True, "text-quick-final", 64),
    TextPreset("small", 40, "text-small", 100, 3, 2, False, "text-small-final", 200),
    # Section 2: the whole model, 600 epochs an evaluation; how many evaluations is not confirmed.
    TextPreset("paper", 1000, "text-search-2018", 850, 1, 1, False, "ptb-2018", 850),
)
TEXT_PRESETS: Mapping[str, TextPreset] = {preset.name: preset for preset in _TEXT_PRESETS}


def preset(name: str, reads: Reads = "images") -> Preset | TextPreset:
    """The preset of a name; raises InputError with the nearest names.

    Args:
        name: of the preset.
        reads: what the networks of the space read.
    """
    presets: Mapping[str, Preset | TextPreset] = PRESETS if reads == "images" else TEXT_PRESETS
    if name not in presets:
        near = difflib.get_close_matches(name, presets, n=3, cutoff=0.4) or list(presets)
        raise InputError(f"there is no preset {name!r}; did you mean {' or '.join(near)}?")
    return presets[name]
