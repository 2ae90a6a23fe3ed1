"""Presets for images: how a search is run, up to the winner's final training.

Each number that is not the paper's was measured on two processor cores (docs/results.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from naokit.base import Json
from naokit.presets import Preset, Sharing


@dataclass(frozen=True)
class ImagePreset(Preset):
    """How a search on images is run.

    Attributes:
        channels: The paper's F in each evaluation.
        cells: The paper's N in each evaluation.
        final_channels: The paper's F in the final training.
        final_cells: The paper's N in the final training.
        final_epochs: The epochs of the final training. If None, as many as its recipe says.
        sharing: How evaluations share weights. If None, each network is trained by itself.
        pruner: Who stops unpromising evaluations early. If None, nobody does.
    """

    channels: int
    cells: int
    final_channels: int
    final_cells: int
    final_epochs: int | None = None
    sharing: Sharing | None = None
    pruner: str | None = None

    def size(self) -> dict[str, Json]:
        """F and N."""
        return {"channels": self.channels, "cells": self.cells}

    def final_size(self) -> dict[str, Json]:
        """F and N of the winner."""
        return {"channels": self.final_channels, "cells": self.final_cells}


_PRESETS = (
    ImagePreset(
        *("quick", 7, "quick-search", 3, 2, True, "quick-final", 8, 1, 16, 1), pruner="asha"
    ),
    ImagePreset("small", 20, "small", 3, 2, False, "small-final", 8, 1, 16, 1),
    # docs/specification.md, sections 2.6 and 4.1: 1,000 evaluations at N=3, F=32, 25 epochs, and
    # the winner at N=6, F=128.
    ImagePreset("paper", 1000, "search-2018", 1, 1, False, "cifar10-2018", 32, 3, 128, 6),
)
PRESETS: Mapping[str, ImagePreset] = {preset.name: preset for preset in _PRESETS}
FORMER: Mapping[str, ImagePreset] = {
    "quick": ImagePreset("quick", 20, "quick", 3, 3, True, "quick-final", 8, 1, 16, 1),
}
"""By what presets were once, the runs that were begun so go on."""

_QUICK = Sharing("quick-shared", {"channels": 8, "cells": 1}, 3, 40, 20, "uniform", 1000)
_SMALL = Sharing("small-shared", {"channels": 8, "cells": 1}, 4, 40, 20, "uniform", 500)
# docs/specification.md, section 2.8: 150 epochs, the method is told scores every 30; 500 new ones
# and 50 random ones replace the worst of 1,000. The official code scores on 500 images.
_PAPER = Sharing("shared-2018", {"channels": 20, "cells": 3}, 5, 1000, 450, "uniform", 500)
_SHARED = (
    ImagePreset("quick", 80, "quick", 5, 1, False, "quick-final", 8, 1, 16, 1, None, _QUICK),
    ImagePreset("small", 100, "small", 4, 1, False, "small-final", 8, 1, 8, 1, 2, _SMALL),
    ImagePreset(
        *("paper", 3200, "apart-2018", 5, 1, False, "cifar10-ws-2018", 20, 3, 36, 5),
        sharing=_PAPER,
    ),
)
SHARED: Mapping[str, ImagePreset] = {preset.name: preset for preset in _SHARED}
"""By weight sharing: the best few are trained by themselves and told apart."""
