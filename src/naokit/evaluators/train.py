"""Scores an architecture by training its network from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from naokit import kinds
from naokit.base import EvaluationFailed, Json, derive_seed
from naokit.doors import Reporter, Result
from naokit.evaluators.learning import Learning
from naokit.images import recipes as images
from naokit.images.data import ImageData
from naokit.images.subject import ImageSubject
from naokit.space import Architecture
from naokit.subject import Subject
from naokit.text import recipes as text
from naokit.text.data import TextData
from naokit.text.subject import TextSubject
from naokit.training.checkpoint import history_at
from naokit.training.clock import PASSES
from naokit.training.describing import Probe, describe
from naokit.training.device import Device, Precision
from naokit.training.failures import memory_failures
from naokit.training.loop import Epoch, train
from naokit.training.recipe import Recipe


class Training(Learning):
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

    metrics = (*Learning.metrics, "epochs", "latency")

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
        super().__init__(subject, recipe, device, precision)
        self.metric = subject.metric.on_validation
        self.descriptor_names = subject.descriptor_names
        self.epochs = recipe.epochs
        self.seconds, self.latency = seconds, latency

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """Builds and trains the network; see `Evaluator.evaluate`."""
        return self._trained(architecture, seed)

    def evaluate_in_epochs(self, architecture: Architecture, seed: int, told: Reporter) -> Result:
        """The same, which reports the validation score of each epoch and keeps a checkpoint."""
        for number, value in enumerate(history_at(told.folder) if told.folder else (), 1):
            if told.report(number, value):  # it was interrupted before it was told to stop
                return Result(value, dict(self.static_metrics(architecture)))
        return self._trained(architecture, seed, told)

    def _trained(
        self, architecture: Architecture, seed: int, told: Reporter | None = None
    ) -> Result:
        with memory_failures():
            network = self.subject.network(architecture, self.recipe, seed)
            task = self.subject.task(self.recipe, self.fabric)
        stopped = False

        def on_epoch(epoch: Epoch) -> bool:
            nonlocal stopped
            stopped = told is not None and told.report(epoch.number, epoch.validation)
            return stopped

        trained = train(
            network,
            task,
            seed=seed,
            fabric=self.fabric,
            seconds=self.seconds,
            checkpoint=None if told is None else told.folder,
            on_epoch=on_epoch,
        )
        if not (trained.complete or stopped):
            raise EvaluationFailed("out of time", f"not done after {self.seconds:g} seconds")
        self.subject.check(trained.best)
        metrics = {
            **self.subject.static_metrics(network),
            "epochs": float(trained.epochs),
            **({"latency": self.subject.latency(network)} if self.latency else {}),
        }
        return Result(trained.best, metrics, trained.seconds)

    @cached_property
    def probe(self) -> Probe:
        """Training examples that untrained networks are looked at with."""
        return self.subject.probe(self.recipe, self.fabric)

    @property
    def descriptor_share(self) -> float:
        """The examples that pass through a network, against those of an evaluation."""
        if not self.descriptor_names:
            return 0.0
        learnt = min(len(self.data.train), self.recipe.part or len(self.data.train))
        an_epoch = PASSES * learnt + len(self.data.validation)
        return self.probe.passes / (self.recipe.epochs * an_epoch)

    def descriptors(self, architecture: Architecture) -> Mapping[str, float]:
        """What is measured on the untrained network (see `naokit.training.describing`)."""
        seed = derive_seed("descriptors", architecture.key)
        with memory_failures():
            network = self.subject.network(architecture, self.recipe, seed)
        return describe(network, self.probe, self.fabric, seed)

    def settings(self) -> Mapping[str, Json]:
        """Also the time limit, and whether latency is measured."""
        own = {"evaluator": "train", "seconds": self.seconds, "latency": self.latency or None}
        return {**super().settings(), **own}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Json]) -> Training:
        """The training that `settings()` describe, its data read again; see `naokit.evaluators`."""
        return Training(
            *kinds.from_settings(settings),
            seconds=settings["seconds"],
            precision=settings["precision"] or "32-true",
            latency=bool(settings["latency"]),
        )

    def with_data(self) -> Training:
        """The same, which is sent to other processes with the data that it has read."""
        whole = object.__new__(type(self))
        vars(whole).update(vars(self) | {"subject": self.subject.again(self.subject.size())})
        return whole

    def __getstate__(self) -> dict[str, object]:
        """The state without data and device: another process reads and chooses its own."""
        kept = {
            name: value for name, value in vars(self).items() if name not in ("fabric", "probe")
        }
        return kept | {"subject": self.subject.unread()}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Takes the state and reads the data, so that no evaluation has to wait for them."""
        vars(self).update(state)
        _ = self.data


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
        decoders: The number of processes that decode pictures.
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
        decoders: int = 0,
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
                decoders=decoders,
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
