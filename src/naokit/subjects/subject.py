"""The door: data, and the size of the networks that learn from them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from naokit.base import Direction, EvaluationFailed, Json, NetworkSettings, Reads
from naokit.networks import count_parameters
from naokit.training.data import ImageData
from naokit.training.recipe import Recipe
from naokit.training.text.data import TextData

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import nn


class Subject(ABC):
    """Data and the size of the networks that learn from them.

    Attributes:
        reads: what the networks read.
        score: what they are compared by, in a word.
        unit: of the score, as it is printed after it.
        direction: whether more of it is better.
    """

    reads: Reads
    score: str
    unit: str
    direction: Direction

    @property
    @abstractmethod
    def data(self) -> ImageData | TextData:
        """The data, read once."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """Processes that decode pictures."""

    @abstractmethod
    def again(self, size: Mapping[str, Json]) -> Subject:
        """The same data, read already, for networks of another size."""

    def halved(self) -> Subject | None:
        """The same for networks half as wide; None where they would be too narrow."""
        return None

    @abstractmethod
    def unread(self) -> Subject:
        """The same without the data, which other processes read for themselves."""

    def check_data(self, recipe: Recipe) -> None:
        """Raises InputError where the data are too few for a recipe, or not of its kind."""
        del recipe

    @abstractmethod
    def settings(self, recipe: Recipe) -> NetworkSettings:
        """The settings of a network for this data and recipe."""

    @abstractmethod
    def size(self) -> Mapping[str, Json]:
        """How large the networks are, by name."""

    def size_in_words(self) -> str:
        """`channels 16, cells 2`."""
        return ", ".join(f"{name} {value}" for name, value in self.size().items())

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Parameters, and multiply-accumulates of one image or token."""
        return {
            "parameters": float(count_parameters(network)),
            "macs": float(self.macs(network)),
        }

    @abstractmethod
    def macs(self, network: nn.Module) -> int:
        """Multiply-accumulates of one image or token."""

    @abstractmethod
    def latency(self, network: nn.Module) -> float:
        """Median milliseconds of one image or token on the processor."""

    def check(self, score: float) -> None:
        """Raises EvaluationFailed where a score is none to compare networks by."""
        if not math.isfinite(score):
            raise EvaluationFailed("diverged", f"the validation {self.score} is not finite")

    def split(self) -> dict[str, Json] | None:
        """What was held out of the training part; None where the source has a part for it."""
        data = self.data
        if data.held_out is None:
            return None
        return {"data": data.name, "fingerprint": data.fingerprint, "held_out": data.held_out}

    @abstractmethod
    def results(self) -> dict[str, Json]:
        """What a trained network remembers of its data."""

    @abstractmethod
    def tested(
        self, network: nn.Module, fabric: Fabric, on_tested: Callable[[int], None] | None = None
    ) -> float | None:
        """The score on the test part; None where there is none.

        Args:
            network: trained.
            fabric: where.
            on_tested: called with how many images or tokens were measured so far.
        """
