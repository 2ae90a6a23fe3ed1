"""Scores an architecture by training its network from scratch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import torch
from lightning_fabric import Fabric

from naokit import kinds
from naokit.base import Architecture, EvaluationFailed, Evaluator, Json, Result
from naokit.images import recipes as images
from naokit.images.data import ImageData
from naokit.images.subject import ImageSubject
from naokit.networks import count_parameters, without_weights
from naokit.settings import NetworkSettings
from naokit.subject import Subject
from naokit.text import recipes as text
from naokit.text.data import TextData
from naokit.text.subject import TextSubject
from naokit.training.device import Device, Precision, make_fabric, recorded_precision
from naokit.training.failures import memory_failures
from naokit.training.loop import train
from naokit.training.parts import Data
from naokit.training.recipe import Recipe


class Training(Evaluator):
    """The best validation score of a short training (docs/specification.md, section 2.7).

    Args:
        subject: The data, and the size of the networks.
        recipe: The recipe of the training.
        seconds: The time limit of one evaluation in seconds; beyond it the evaluation has failed.
        device: The device to train on.
        precision: The precision to compute with.
        latency: Whether the trained network's latency becomes a metric, in milliseconds for one
            image or one token on the CPU.
    """

    static_metric_names = ("parameters", "macs")
    metrics = (*static_metric_names, "epochs", "latency")
    """The names that `Result.metrics` may have."""

    def __init__(
        self,
        subject: Subject,
        recipe: Recipe,
        *,
        seconds: float | None = None,
        device: Device = "auto",
        precision: Precision = "auto",
        latency: bool = False,
    ) -> None:
        self.subject, self.recipe = subject, recipe
        self.metric = subject.metric.on_validation
        self.direction = subject.metric.direction
        self.seconds = seconds
        self.device: Device = device
        self.precision: Precision = precision
        self.latency = latency
        self._counted: dict[str, dict[str, float]] = {}

    @property
    def data(self) -> Data:
        """The data that networks learn from, read once."""
        return self.subject.data

    @cached_property
    def fabric(self) -> Fabric:
        """Where the training runs."""
        return make_fabric(self.device, self.precision)

    @property
    def network_settings(self) -> NetworkSettings:
        """The size of the networks that are trained."""
        return self.subject.settings(self.recipe)

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """Builds and trains the network; see `Evaluator.evaluate`."""
        with memory_failures():
            network = self.subject.network(architecture, self.recipe, seed)
            task = self.subject.task(self.recipe, self.fabric)
        trained = train(network, task, seed=seed, fabric=self.fabric, seconds=self.seconds)
        if not trained.complete:
            raise EvaluationFailed("out of time", f"not done after {self.seconds:g} seconds")
        self.subject.check(trained.best)
        metrics = {
            **self.subject.static_metrics(network),
            "epochs": float(trained.epochs),
            **({"latency": self.subject.latency(network)} if self.latency else {}),
        }
        return Result(trained.best, metrics, trained.seconds)

    def static_metrics(self, architecture: Architecture) -> Mapping[str, float]:
        """Parameters and multiply-accumulates; each is counted when it is first read."""
        name = "all" if architecture.space.same_cost else architecture.key
        return _StaticMetrics(self, architecture, self._counted.setdefault(name, {}))

    def settings(self) -> Mapping[str, Json]:
        """The data, the recipe, the sizes and the precision."""
        return {
            "evaluator": "train",
            "data": self.subject.data.fingerprint,
            "recipe": self.recipe.to_json(),
            **self.subject.size(),
            "seconds": self.seconds,
            "precision": recorded_precision(self.fabric),
            "latency": self.latency or None,
            **kinds.source_settings(self.subject),
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Json]) -> Training:
        """The training that `settings()` describe, its data read again; see `naokit.evaluators`."""
        return Training(
            *kinds.from_settings(settings),
            seconds=settings["seconds"],
            precision=settings["precision"] or "32-true",
            latency=bool(settings["latency"]),
        )

    def __getstate__(self) -> dict[str, object]:
        """The state without data and device: another process reads and chooses its own."""
        kept = {name: value for name, value in vars(self).items() if name != "fabric"}
        return kept | {"subject": self.subject.unread()}


class _StaticMetrics(Mapping[str, float]):
    """Metrics that are counted on a network without weights; counting parameters runs no network.

    Args:
        evaluator: The evaluator, which determines the size of the network.
        architecture: The architecture of the network.
        counted: The metrics that are counted already; it is filled.
    """

    def __init__(
        self, evaluator: Training, architecture: Architecture, counted: dict[str, float]
    ) -> None:
        self.evaluator, self.architecture, self.counted = evaluator, architecture, counted

    def __getitem__(self, name: str) -> float:
        """The metric of this name."""
        if name not in self.evaluator.static_metric_names:
            raise KeyError(name)
        if name not in self.counted:
            count = count_parameters if name == "parameters" else self.evaluator.subject.macs
            self.counted[name] = float(count(self._network))
        return self.counted[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.evaluator.static_metric_names)

    def __len__(self) -> int:
        return len(self.evaluator.static_metric_names)

    @cached_property
    def _network(self) -> torch.nn.Module:
        space = self.architecture.space
        with without_weights():
            return space.build(self.architecture, self.evaluator.network_settings)


class Train(Training):
    """The best validation accuracy of a short training on images, in percent.

    Args:
        data: A name or path that `load_images` reads, or the images.
        recipe: The name of a recipe in `naokit.images.recipes`, or a recipe.
        channels: The number of channels of the first cells, the paper's F.
        cells: The number of normal cells between reductions, the paper's N.
        seconds: The time limit of one evaluation in seconds.
        device: The device to train on.
        precision: The precision to compute with.
        latency: Whether the trained network's latency becomes a metric (see `Training`).
        image_size: The side in pixels at which networks see pictures. If it is given, pictures of
            any size are decoded while training.
        skip_bad: Whether pictures that cannot be decoded are left out.
        workers: The number of processes that decode pictures.
        image_column: The column of the pictures in a Parquet file (see `load_images`).
        label_column: The column of the labels in a Parquet file (see `load_images`).
    """

    def __init__(
        self,
        data: str | Path | ImageData = "digits",
        recipe: str | images.ImageRecipe = "quick",
        *,
        channels: int = 8,
        cells: int = 1,
        seconds: float | None = None,
        device: Device = "auto",
        precision: Precision = "auto",
        latency: bool = False,
        image_size: int | None = None,
        skip_bad: bool = False,
        workers: int = 0,
        image_column: str | None = None,
        label_column: str | None = None,
    ) -> None:
        super().__init__(
            ImageSubject(
                data,
                channels,
                cells,
                image_size,
                skip_bad,
                workers=workers,
                image_column=image_column,
                label_column=label_column,
            ),
            images.recipe(recipe),
            seconds=seconds,
            device=device,
            precision=precision,
            latency=latency,
        )


class TrainText(Training):
    """The best validation perplexity of a short training on text; less is better.

    A perplexity above the size of the vocabulary, worse than knowing nothing, is a failure
    ("diverged").

    Args:
        data: A name or path that `load_text` reads, or the text.
        recipe: The name of a recipe in `naokit.text.recipes`, or a recipe.
        hidden: The size of embedding, state and output (H).
        tokens: What a token is: "word", "char" or a tokenizer (see `load_text`).
        seconds: The time limit of one evaluation in seconds.
        device: The device to train on.
        precision: The precision to compute with.
        latency: Whether the trained network's latency becomes a metric (see `Training`).
    """

    def __init__(
        self,
        data: str | Path | TextData = "pydoc",
        recipe: str | text.TextRecipe = "text-quick",
        *,
        hidden: int = 64,
        tokens: str = "word",
        seconds: float | None = None,
        device: Device = "auto",
        precision: Precision = "auto",
        latency: bool = False,
    ) -> None:
        super().__init__(
            TextSubject(data, hidden, tokens),
            text.recipe(recipe),
            seconds=seconds,
            device=device,
            precision=precision,
            latency=latency,
        )
