"""What a preset says: how a search is run, up to the winner's final training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from naokit.base import Json

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
