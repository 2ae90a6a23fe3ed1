"""The task: the interface between the training loop and a kind of data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from naokit.training.metric import Metric
from naokit.training.recipe import Recipe


@dataclass(frozen=True)
class Update:
    """One update: which examples of the data it learns from.

    Attributes:
        size: The number of examples in all processes together; the loss is their mean.
        rate: The factor of the learning rate for this update.
    """

    size: int
    rate: float

    @property
    def rows(self) -> int:
        """The number of rows that this process's part can be divided into where memory runs out."""
        return self.size


U = TypeVar("U", bound=Update)
B = TypeVar("B", bound=Sized)
"""The examples of one update on the device: as long as the rows that they can be divided into."""


class Task(ABC, Generic[U, B]):
    """A kind of data, its loss and its measure.

    Everything random follows from the arguments: epoch, seed, generator, or torch's global
    generator, which the loop seeds around `prepare` and `loss`.

    Attributes:
        recipe: The recipe that the network is trained by.
        metric: What `measure` gives.
        fingerprint: The fingerprint of the data.
        held_out: How many examples are held out to measure on; 0 where none are.
        most_steps: The largest number of updates of an epoch.
        most_reloads: The number of times that a training whose loss breaks goes on from its best
            weights.
    """

    recipe: Recipe
    metric: Metric
    fingerprint: str
    held_out: int
    most_steps: int
    most_reloads: int = 0

    @abstractmethod
    def plan(self, epoch: int, seed: int) -> Sequence[U]:
        """The updates of an epoch."""

    def batches(self, plan: Sequence[U], first: int, epoch: int, seed: int) -> Iterator[U]:
        """The updates of a plan from `first` on, with their examples; by default as they are."""
        del epoch, seed
        yield from plan[first:]

    @abstractmethod
    def prepare(self, update: U, generator: torch.Generator) -> B:
        """The examples as the network is shown them."""

    @abstractmethod
    def loss(self, network: nn.Module, batch: B, part: slice) -> Tensor:
        """The sum of the losses of the examples in some rows."""

    @abstractmethod
    def measure(self, network: nn.Module) -> float:
        """The metric on what is held out; 0 where nothing is."""

    def examples(self, inputs: Tensor) -> int:
        """The number of examples in a forward pass, by its first input: by default its rows."""
        return len(inputs)

    def lay_out(self, network: nn.Module) -> None:
        """Brings a network into the memory layout that it trains fastest in."""
        del network

    def learnt(self, batch: B) -> None:
        """Called after each update, before the next is prepared."""
        del batch

    def average_begins(self, history: Sequence[float]) -> bool:
        """Whether the mean of the weights is taken from here on, after these measures."""
        del history
        return False

    def tensors(self) -> dict[str, Tensor]:
        """The state that the next update depends on besides weights, seed and its own number."""
        return {}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Restores what `tensors` gave; if empty, the state at the beginning of an epoch."""
        del tensors

    @property
    def measures(self) -> bool:
        """Whether anything is held out to measure on."""
        return self.held_out > 0
