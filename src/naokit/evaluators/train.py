"""Scores an architecture by training its network from scratch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric

from naokit.base import (
    Architecture,
    EvaluationFailed,
    Evaluator,
    Json,
    NetworkSettings,
    Result,
    derive_seed,
)
from naokit.networks import count_parameters, without_weights
from naokit.subjects import ImageSubject, Subject, TextSubject
from naokit.training.data import ImageData
from naokit.training.device import Device, Precision, make_fabric, recorded_precision, seeded
from naokit.training.failures import memory_failures
from naokit.training.loop import train
from naokit.training.recipe import Recipe
from naokit.training.recipes import ImageRecipe, recipe, text_recipe
from naokit.training.text.data import TextData
from naokit.training.text.recipes import TextRecipe


class Training(Evaluator):
    """The best validation score of a short training (specification, section 2).

    Args:
        subject: data, and the size of the networks.
        recipe: how they are trained.
        seconds: limit on the clock of one evaluation; beyond it the evaluation has failed.
        device: where to train.
        precision: how to compute.
        latency: whether the trained network's latency becomes a metric: milliseconds an image or a
            token, on the CPU.
    """

    known_figures = ("parameters", "macs")
    metrics = (*known_figures, "epochs", "latency")
    """Names that `Result.metrics` may have."""

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
        self.metric = f"validation {subject.score}{', percent' if subject.unit else ''}"
        self.direction = subject.direction
        self.seconds = seconds
        self.device: Device = device
        self.precision: Precision = precision
        self.latency = latency
        self._counted: dict[str, dict[str, float]] = {}

    @property
    def data(self) -> ImageData | TextData:
        """What networks learn from, read once."""
        return self.subject.data

    @cached_property
    def fabric(self) -> Fabric:
        """Where the training runs."""
        return make_fabric(self.device, self.precision)

    @property
    def network_settings(self) -> NetworkSettings:
        """Size of the networks that are trained."""
        return self.subject.settings(self.recipe)

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """Builds and trains the network; see `Evaluator.evaluate`."""
        with memory_failures():
            network = build_seeded(architecture, self.network_settings, seed)
        trained = train(
            network,
            self.subject.data,
            self.recipe,
            seed=seed,
            fabric=self.fabric,
            seconds=self.seconds,
            workers=self.subject.workers,
        )
        if not trained.complete:
            raise EvaluationFailed("out of time", f"not done after {self.seconds:g} seconds")
        self.subject.check(trained.best)
        metrics = {
            **self.subject.figures(network),
            "epochs": float(trained.epochs),
            **({"latency": self.subject.latency(network)} if self.latency else {}),
        }
        return Result(trained.best, metrics, trained.seconds)

    def figures(self, architecture: Architecture) -> Mapping[str, float]:
        """Parameters and multiply-accumulates, each counted when it is looked at first."""
        name = "all" if architecture.space.one_size else architecture.key
        return _Figures(self, architecture, self._counted.setdefault(name, {}))

    def settings(self) -> Mapping[str, Json]:
        """Data, recipe, sizes and precision."""
        return {
            "evaluator": "train",
            "data": self.subject.data.fingerprint,
            "recipe": self.recipe.to_json(),
            **self.subject.size(),
            "seconds": self.seconds,
            "precision": recorded_precision(self.fabric),
            "latency": self.latency or None,
            **_source(self.subject),
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Json]) -> Training:
        """The training that `settings()` describe, its data read again; see `naokit.evaluators`."""
        source = dict(settings["source"])
        text = source.pop("reads") == "text"
        made: type[TextSubject | ImageSubject] = TextSubject if text else ImageSubject
        sizes = {name: settings[name] for name in _fields(made) if name not in source}
        return Training(
            made(**source, **sizes),
            (TextRecipe if text else ImageRecipe).from_json(settings["recipe"]),
            seconds=settings["seconds"],
            precision=settings["precision"] or "32-true",
            latency=bool(settings["latency"]),
        )

    def __getstate__(self) -> dict[str, object]:
        """Without the data and the device, which another process reads and chooses for itself."""
        kept = {name: value for name, value in vars(self).items() if name != "fabric"}
        return kept | {"subject": self.subject.unread()}


class _Figures(Mapping[str, float]):
    """What is counted on a network without weights; a limit on parameters runs no network.

    Args:
        evaluator: says how large the network is.
        architecture: of the network.
        counted: what is known of it already; filled.
    """

    def __init__(
        self, evaluator: Training, architecture: Architecture, counted: dict[str, float]
    ) -> None:
        self.evaluator, self.architecture, self.counted = evaluator, architecture, counted

    def __getitem__(self, name: str) -> float:
        """The figure of this name."""
        if name not in self.evaluator.known_figures:
            raise KeyError(name)
        if name not in self.counted:
            count = count_parameters if name == "parameters" else self.evaluator.subject.macs
            self.counted[name] = float(count(self._network))
        return self.counted[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.evaluator.known_figures)

    def __len__(self) -> int:
        return len(self.evaluator.known_figures)

    @cached_property
    def _network(self) -> torch.nn.Module:
        space = self.architecture.space
        with without_weights():
            return space.build(self.architecture, self.evaluator.network_settings)


class Train(Training):
    """The best validation accuracy of a short training on images, in percent.

    Args:
        data: a name or path that `load_images` reads, or the images.
        recipe: a name of `naokit.training.recipes`, or a recipe.
        channels: the paper's F.
        cells: the paper's N.
        seconds: see `Training`.
        device: see `Training`.
        precision: see `Training`.
        latency: see `Training`.
        image_size: pictures of any size are decoded while training and shown so large.
        skip_bad: leave out pictures that cannot be decoded.
        workers: processes that decode pictures.
        image_column: see `load_images`.
        label_column: see `load_images`.
    """

    def __init__(
        self,
        data: str | Path | ImageData = "digits",
        recipe: str | ImageRecipe = "quick",
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
            _recipe(recipe),
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
        data: a name or path that `load_text` reads, or the text.
        recipe: a name of `naokit.training.text.recipes`, or a recipe.
        hidden: size of embedding, state and output (H).
        tokens: "word", "char" or a tokenizer; see `load_text`.
        seconds: see `Training`.
        device: see `Training`.
        precision: see `Training`.
        latency: see `Training`.
    """

    def __init__(
        self,
        data: str | Path | TextData = "pydoc",
        recipe: str | TextRecipe = "text-quick",
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
            text_recipe(recipe),
            seconds=seconds,
            device=device,
            precision=precision,
            latency=latency,
        )


_recipe = recipe


def _source(subject: Subject) -> dict[str, Json]:
    """Where the data come from and how they are read; nothing where they were given as read."""
    read = {name: getattr(subject, name) for name in _fields(type(subject))}
    if not isinstance(read["source"], str | Path):
        return {}
    if Path(read["source"]).exists():
        read["source"] = str(Path(read["source"]).resolve())
    kept = {name: value for name, value in read.items() if name not in subject.size()}
    return {"source": {"reads": subject.reads, **kept}}


def _fields(subject: type[Subject]) -> list[str]:
    return [field.name for field in dataclasses.fields(cast(Any, subject))]


def build_seeded(
    architecture: Architecture, settings: NetworkSettings, seed: int
) -> torch.nn.Module:
    """The network with weights drawn from `seed`."""
    with seeded(derive_seed(seed, "weights")):
        return architecture.space.build(architecture, settings)
