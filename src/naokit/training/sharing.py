"""Weight sharing as something to learn: each update trains one sampled cell of a shared network.

The loop, its checkpoints and its clock are those of every training. Which cell an update trains is
drawn with the plan of its epoch, from the seed and the epoch's number, so that a training resumes
with the same cells.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from naokit.base import derive_seed
from naokit.space import Architecture, Space
from naokit.training.task import Task, Update


class Sampling(ABC):
    """Which architecture each update of a shared network trains."""

    @abstractmethod
    def draw(self, amount: int, generator: np.random.Generator) -> list[Architecture]:
        """The architectures of so many updates, one after another."""


@dataclass(frozen=True)
class Uniform(Sampling):
    """Every architecture of a pool as often as the others (2018).

    Attributes:
        pool: The architectures.
    """

    pool: Sequence[Architecture]

    def draw(self, amount: int, generator: np.random.Generator) -> list[Architecture]:
        """Architectures of the pool, each draw by itself."""
        return [self.pool[place] for place in generator.integers(len(self.pool), size=amount)]


@dataclass(frozen=True)
class Weighted(Sampling):
    """Every architecture of a pool in proportion to a weight, such as its parameters (NAO-V2).

    Attributes:
        pool: The architectures.
        weights: A positive number for each.
    """

    pool: Sequence[Architecture]
    weights: Sequence[float]

    def draw(self, amount: int, generator: np.random.Generator) -> list[Architecture]:
        """Architectures of the pool, each draw by itself."""
        shares = np.asarray(self.weights) / np.sum(self.weights)
        return [self.pool[n] for n in generator.choice(len(self.pool), size=amount, p=shares)]


@dataclass(frozen=True)
class Largest(Sampling):
    """Every architecture of the largest quarter of a pool as often as the others.

    Weights learn slower than operations without any, so that a network that is trained for a short
    time prefers cells with few weights. Where only large cells are trained, it does not: on
    NAS-Bench-201 the rank correlation with the truth rises, to that of counting convolutions
    (`benchmarks/results/ranking.json`).

    Attributes:
        pool: The architectures.
        sizes: The size of each, such as its parameters.
    """

    pool: Sequence[Architecture]
    sizes: Sequence[float]

    def draw(self, amount: int, generator: np.random.Generator) -> list[Architecture]:
        """Architectures of the largest quarter, each draw by itself."""
        order = np.argsort(-np.asarray(self.sizes), kind="stable")
        largest = order[: math.ceil(len(self.pool) / 4)]
        return [self.pool[n] for n in largest[generator.integers(len(largest), size=amount)]]


@dataclass(frozen=True)
class Fair(Sampling):
    """Every choice of every position equally often, whatever the pool is (FairNAS, 1907.01845).

    Attributes:
        space: The space whose choices are drawn.
    """

    space: Space

    def draw(self, amount: int, generator: np.random.Generator) -> list[Architecture]:
        """Architectures of the space: each position goes through its choices before it repeats."""
        columns = [
            np.concatenate([generator.permutation(count) for _ in range(-(-amount // count))])
            for count in self.space.grammar.counts
        ]
        rows = zip(*(column[:amount].tolist() for column in columns), strict=True)
        return [self.space.architecture(choices) for choices in rows]


@dataclass(frozen=True, eq=False)
class SharedUpdate(Update):
    """An update of one cell.

    Attributes:
        of_data: The examples, as the task of the data plans them.
        plan: What the shared network is run as.
    """

    of_data: Update
    plan: object

    @property
    def rows(self) -> int:
        """How many rows the examples can be divided into."""
        return self.of_data.rows


@dataclass(frozen=True, eq=False)
class SharedBatch:
    """The examples of an update of one cell."""

    of_data: Sized
    plan: object

    def __len__(self) -> int:
        return len(self.of_data)


class SharedTask(Task[SharedUpdate, SharedBatch]):
    """What a shared network learns: a task of its data, cell by cell.

    Nothing is held out: a shared network is not measured as a whole.

    Args:
        task: The task of the data; its recipe is the shared network's.
        space: The space of the shared network.
        sampling: Which architecture each update trains.
    """

    def __init__(self, task: Task[Any, Any], space: Space, sampling: Sampling) -> None:
        self.of_data, self.space, self.sampling = task, space, sampling
        self.recipe, self.metric = task.recipe, task.metric
        self.fingerprint, self.most_steps = f"{task.fingerprint} shared", task.most_steps
        self.held_out = 0

    def plan(self, epoch: int, seed: int) -> list[SharedUpdate]:
        """The updates of the data, each with a cell."""
        updates = self.of_data.plan(epoch, seed)
        generator = np.random.default_rng(derive_seed(seed, "cells", epoch))
        cells = self.sampling.draw(len(updates), generator)
        return [
            SharedUpdate(update.size, update.rate, update, self.space.plan(cell))
            for update, cell in zip(updates, cells, strict=True)
        ]

    def batches(
        self, plan: Sequence[SharedUpdate], first: int, epoch: int, seed: int
    ) -> Iterator[SharedUpdate]:
        """The updates from `first` on, with their examples."""
        examples = self.of_data.batches([one.of_data for one in plan], first, epoch, seed)
        for one, of_data in zip(plan[first:], examples, strict=True):
            yield SharedUpdate(one.size, one.rate, of_data, one.plan)

    def prepare(self, update: SharedUpdate, generator: torch.Generator) -> SharedBatch:
        """The examples as the network is shown them."""
        return SharedBatch(self.of_data.prepare(update.of_data, generator), update.plan)

    def loss(self, network: nn.Module, batch: SharedBatch, part: slice) -> Tensor:
        """The sum of the losses of the sampled cell."""
        return self.of_data.loss(as_sampled(network, batch.plan), batch.of_data, part)

    def measure(self, network: nn.Module) -> float:
        """Nothing is held out."""
        del network
        return 0.0

    def examples(self, inputs: Tensor) -> int:
        """How many examples the first input of a forward pass holds."""
        return self.of_data.examples(inputs)

    def lay_out(self, network: nn.Module) -> None:
        """Brings a network into the memory layout of the data's task."""
        self.of_data.lay_out(network)

    def learnt(self, batch: SharedBatch) -> None:
        """Told after each update."""
        self.of_data.learnt(batch.of_data)

    def tensors(self) -> dict[str, Tensor]:
        """What the next update depends on besides weights, seed and its own number."""
        return self.of_data.tensors()

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Puts back what `tensors` gave."""
        self.of_data.restore(tensors)


def as_sampled(network: nn.Module, plan: object) -> Any:
    """A shared network as the one cell of a plan: it is called without the plan."""

    def sampled(*inputs: Any) -> Any:
        return network(*inputs, plan)

    return sampled
