"""What a preset says: how a search is run, up to the winner's final training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from naokit.base import Json

FINAL_SHARE = 0.2
"""Of the hours of a search, kept for the final training.

By the presets' epochs, images and channels the whole of it takes a third of a run (quick) to two
thirds (small). Where the hours are too few for everything the search comes first, and a fifth is
enough to begin with: the same command continues.
"""


Policy = Literal["uniform", "parameters", "fair", "largest"]
"""Which cell an update of a shared network trains: any of the pool, larger ones more often, each
choice as often, any of the largest quarter of the pool."""


@dataclass(frozen=True)
class Sharing:
    """How architectures are scored with the weights of one shared network.

    Attributes:
        recipe: The recipe of the shared network.
        size: The size of the shared network, by name.
        rounds: How many rounds its epochs are divided among.
        pool: How many architectures a round trains and scores.
        kept: How many of them are the best of the round before.
        policy: Which architecture an update trains (`Policy`).
        examples: How many held-out examples an architecture is scored on.
        epochs: The epochs of the shared network. If None, as many as its recipe says.
    """

    recipe: str
    size: Mapping[str, Json]
    rounds: int
    pool: int
    kept: int
    policy: Policy
    examples: int
    epochs: int | None = None

    @property
    def evaluations(self) -> int:
        """How many different architectures all rounds together score."""
        return self.pool + (self.rounds - 1) * (self.pool - self.kept)


@dataclass(frozen=True)
class Preset(ABC):
    """How a search is run; `recipe` says how each network is trained.

    Attributes:
        name: The name of the preset.
        evaluations: How many architectures are evaluated. With a pruner, it is how many whole
            evaluations the epochs of all together are worth.
        recipe: The recipe of each evaluation. With `sharing`, it is the recipe of the trainings
            that tell the best few apart.
        repeat: How many of the best are trained by themselves, with `sharing`. Else
            `repeat * (times - 1)` evaluations are made again before one is called best.
        times: How often each of these is trained.
        baseline: Whether random search gets as many evaluations on the same data.
        final_recipe: The recipe of the winner's final training.
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
        """The epochs of the final training. If None, it has as many as its recipe says."""

    @property
    @abstractmethod
    def pruner(self) -> str | None:
        """Who stops unpromising evaluations early. If None, nobody does."""

    @property
    @abstractmethod
    def sharing(self) -> Sharing | None:
        """How evaluations share weights. If None, each network is trained by itself."""

    @abstractmethod
    def size(self) -> dict[str, Json]:
        """The size of each evaluation's network, by name."""

    @abstractmethod
    def final_size(self) -> dict[str, Json]:
        """The size of the winner's network, by name."""
