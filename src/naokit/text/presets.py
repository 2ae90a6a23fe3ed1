"""Presets for text: how a search is run, up to the winner's final training.

Each number that is not the paper's was measured on two processor cores (docs/results.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from naokit.base import Json
from naokit.presets import Preset, Sharing


@dataclass(frozen=True)
class TextPreset(Preset):
    """How a search on text is run.

    Attributes:
        hidden: The hidden size H in each evaluation.
        final_hidden: The hidden size H in the final training.
        final_epochs: The epochs of the final training. If None, as many as its recipe says.
        sharing: How evaluations share weights. If None, each network is trained by itself.
        pruner: Who stops unpromising evaluations early. If None, nobody does.
    """

    hidden: int
    final_hidden: int
    final_epochs: int | None = None
    sharing: Sharing | None = None
    pruner: str | None = None

    def size(self) -> dict[str, Json]:
        """The size H of the networks that are searched."""
        return {"hidden": self.hidden}

    def final_size(self) -> dict[str, Json]:
        """The size H of the winner."""
        return {"hidden": self.final_hidden}


_PRESETS = (
    TextPreset("quick", 16, "text-quick", 3, 2, True, "text-quick-final", 48, 64),
    TextPreset("small", 40, "text-small", 3, 2, False, "text-small-final", 100, 200),
    # docs/specification.md, section 2.7: the whole model, 600 epochs for each evaluation; the
    # number of evaluations is not known.
    TextPreset("paper", 1000, "text-search-2018", 1, 1, False, "ptb-2018", 850, 850),
)
PRESETS: Mapping[str, TextPreset] = {preset.name: preset for preset in _PRESETS}

_QUICK = Sharing("text-quick-shared", {"hidden": 48}, 3, 40, 20, "uniform", 4000)
_SMALL = Sharing("text-small-shared", {"hidden": 100}, 4, 40, 20, "uniform", 10_000)
# docs/specification.md, section 2.8: 1,000 epochs, the method is told scores every 200; 300 new
# ones and 50 random ones replace the worst of 1,000.
_PAPER = Sharing("text-shared-2018", {"hidden": 300}, 5, 1000, 650, "uniform", 10_000)
_SHARED = (
    TextPreset("quick", 80, "text-quick", 4, 1, False, "text-quick-final", 48, 64, None, _QUICK),
    TextPreset("small", 100, "text-small", 4, 1, False, "text-small-final", 100, 100, 2, _SMALL),
    TextPreset(
        *("paper", 2400, "text-search-2018", 10, 1, False, "ptb-2018", 850, 850), sharing=_PAPER
    ),
)
SHARED: Mapping[str, TextPreset] = {preset.name: preset for preset in _SHARED}
"""By weight sharing: the best few are trained by themselves and told apart."""
