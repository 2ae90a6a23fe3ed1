"""The interface of a kind of data: what networks learn from, and how large they are."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from naokit.base import EvaluationFailed, InputError, Json, derive_seed
from naokit.export.bundle import Bundle
from naokit.export.results import Results
from naokit.networks import count_parameters
from naokit.settings import NetworkSettings
from naokit.space import Architecture
from naokit.training.checkpoint import agreeing
from naokit.training.device import seeded
from naokit.training.metric import Metric
from naokit.training.parts import Data
from naokit.training.recipe import Recipe
from naokit.training.scored import Scorer
from naokit.training.task import Task

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor, nn

    from naokit.training.describing import Probe


class Subject(ABC):
    """Data, and the size of the networks that learn from them.

    Searches, final trainings, plans and exports know nothing else of a kind of data. Whoever adds
    a kind writes a `Subject`, the `Task` that it gives and the `Bundle` that it ends in.

    Attributes:
        reads: What the networks read, such as "images"; a space's `reads` says the same.
        metric: What networks are compared by.
        decoders: How many further processes prepare the data of one training.
        descriptor_names: What `probe` measures on untrained networks; by default nothing.
    """

    reads: str
    metric: Metric
    decoders: int = 0
    descriptor_names: Sequence[str] = ()

    @property
    @abstractmethod
    def data(self) -> Data:
        """The data, read once."""

    @abstractmethod
    def settings(self, recipe: Recipe) -> NetworkSettings:
        """What a space needs to build a network for these data and this recipe."""

    @abstractmethod
    def task(self, recipe: Recipe, fabric: Fabric) -> Task[Any, Any]:
        """What the training loop teaches.

        Raises:
            InputError: The recipe is for another kind of data, or the data do not fit it.
        """

    @abstractmethod
    def bundle(
        self,
        architecture: Architecture,
        network: nn.Module,
        recipe: Recipe,
        results: Results,
    ) -> Bundle:
        """A trained network with what is needed to save and to use it."""

    @abstractmethod
    def tested(
        self, network: nn.Module, fabric: Fabric, on_tested: Callable[[int], None] | None = None
    ) -> float | None:
        """The metric on the test part; None where there is none.

        Args:
            network: A trained network.
            fabric: The device that the network is measured on.
            on_tested: Called with how many examples were measured so far.
        """

    @abstractmethod
    def macs(self, network: nn.Module) -> int:
        """The multiply-accumulates of one example."""

    def latency(self, network: nn.Module) -> float:
        """The median milliseconds of one example on the processor."""
        del network
        raise NotImplementedError(f"the latency of networks that read {self.reads} is not measured")

    def network(self, architecture: Architecture, recipe: Recipe, seed: int) -> nn.Module:
        """The network of an architecture, with weights drawn from `seed`."""
        with seeded(derive_seed(seed, "weights")):
            return architecture.space.build(architecture, self.settings(recipe))

    def scorer(self, fabric: Fabric, examples: int) -> Scorer:
        """Scores many networks on the same held-out examples, which are fetched once.

        Args:
            fabric: The device of the networks.
            examples: How many examples are scored on at most.
        """
        del fabric, examples
        raise InputError(f"networks that read {self.reads} are not scored with shared weights")

    def probe(self, recipe: Recipe, fabric: Fabric) -> Probe:
        """Training examples that untrained networks are looked at with (`descriptor_names`)."""
        del recipe, fabric
        raise NotImplementedError(f"networks that read {self.reads} are not described")

    def short_task(
        self, network: nn.Module, recipe: Recipe, fabric: Fabric, seconds: float
    ) -> Task[Any, Any]:
        """A task of a few steps by the recipe, to be timed; by default the whole task.

        Its learning rate is next to nothing: that alters no time, and nothing diverges.

        Args:
            network: The network that is trained by them.
            recipe: The recipe of the steps.
            fabric: The device that the steps are made on.
            seconds: About how long the steps may take together.
        """
        del network, seconds
        return self.task(recipe, fabric)

    def halved(self) -> Self | None:
        """The same for networks half as wide; None where they would be too narrow."""
        return None

    def size(self) -> Mapping[str, Json]:
        """How large the networks are, by name; by default there is nothing to choose."""
        return {}

    def again(self, size: Mapping[str, Json]) -> Self:
        """The same data, read already, for networks of another size."""
        if size:
            raise NotImplementedError(f"networks that read {self.reads} have no other size")
        return self

    def inheriting(self) -> Self:
        """The same with networks that can take all weights of a shared network."""
        return self

    def unread(self) -> Self:
        """The same without the data, which other processes read for themselves."""
        return self

    def check_data(self, recipe: Recipe) -> None:
        """Raises InputError where the data do not fit a recipe."""
        del recipe

    def fitting(
        self, network: nn.Module, weights: Mapping[str, Tensor], folder: Path
    ) -> tuple[dict[str, Tensor], dict[str, Json]]:
        """The trained weights that a network can begin with, and what to say of them.

        Args:
            network: The network that begins.
            weights: The weights of a trained network.
            folder: The folder of its files.
        """
        del folder
        return agreeing(network, weights), {}

    def size_in_words(self) -> str:
        """The sizes as a person reads them: `channels 16, cells 2`."""
        return ", ".join(f"{name} {value}" for name, value in self.size().items())

    def static_metrics(self, network: nn.Module) -> dict[str, float]:
        """Parameters, and multiply-accumulates of one example."""
        return {
            "parameters": float(count_parameters(network)),
            "macs": float(self.macs(network)),
        }

    def check(self, value: float) -> None:
        """Raises EvaluationFailed where networks cannot be compared by a value."""
        if not math.isfinite(value):
            raise EvaluationFailed("diverged", f"the validation {self.metric.name} is not finite")

    def split(self) -> dict[str, Json] | None:
        """What was held out of the training part; None where nothing was."""
        data = self.data
        if data.held_out is None:
            return None
        return {"data": data.name, "fingerprint": data.fingerprint, "held_out": data.held_out}

    def results(self) -> dict[str, Json]:
        """What a trained network remembers of its data: enough to read the same data again."""
        return {"data": str(self.data.name)}

    def origin(self) -> dict[str, Json]:
        """Where the data come from and how they are read; empty where they were given as read.

        With `size()` it is what makes the subject again (`Kind.subject`).
        """
        return {}

    def left_out(self) -> dict[str, Json]:
        """What of the data was not used, for the report of a training."""
        return {}


def origin_of(subject: Any) -> dict[str, Json]:
    """`Subject.origin` of a dataclass whose field `source` is a name or path, or the data."""
    if not isinstance(subject.source, str | Path):
        return {}
    read = {field.name: getattr(subject, field.name) for field in dataclasses.fields(subject)}
    if Path(subject.source).exists():
        read["source"] = str(Path(subject.source).resolve())
    return {name: value for name, value in read.items() if name not in subject.size()}
