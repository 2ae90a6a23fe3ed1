"""Scores an architecture by training its network from scratch."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import torch
from lightning_fabric import Fabric

from naokit.base import (
    Architecture,
    EvaluationFailed,
    Evaluator,
    ImageSettings,
    Json,
    Result,
    derive_seed,
)
from naokit.networks import count_macs, count_parameters, latencies_ms, stem_for
from naokit.training.data import ImageData, load_images
from naokit.training.device import Device, Precision, make_fabric, seeded
from naokit.training.failures import memory_failures
from naokit.training.loop import train
from naokit.training.recipes import Recipe, recipe


class Train(Evaluator):
    """The best validation accuracy of a short training (specification, section 2), in percent.

    Args:
        data: a name or path that `load_images` reads, or the images.
        recipe: a name of `naokit.training.recipes`, or a recipe.
        channels: the paper's F.
        cells: the paper's N.
        seconds: limit on the clock of one evaluation; beyond it the evaluation has failed.
        device: where to train.
        precision: how to compute.
        latency: whether the trained network's latency becomes a metric: milliseconds an image, on
            the CPU.
        image_size: pictures of any size are decoded while training and shown so large.
        skip_bad: leave out pictures that cannot be decoded.
        workers: processes that decode pictures.
    """

    metric = "validation accuracy, percent"
    known_figures = ("parameters", "macs")

    def __init__(
        self,
        data: str | Path | ImageData = "digits",
        recipe: str | Recipe = "quick",
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
    ) -> None:
        self.source = data
        self.recipe = _recipe(recipe)
        self.channels = channels
        self.cells = cells
        self.seconds = seconds
        self.device: Device = device
        self.precision: Precision = precision
        self.latency = latency
        self.image_size, self.skip_bad, self.workers = image_size, skip_bad, workers
        self._counted: dict[str, dict[str, float]] = {}

    @cached_property
    def data(self) -> ImageData:
        """The images, read once."""
        return load_images(self.source, size=self.image_size, skip_bad=self.skip_bad)

    @cached_property
    def fabric(self) -> Fabric:
        """Where the training runs."""
        return make_fabric(self.device, self.precision)

    @property
    def network_settings(self) -> ImageSettings:
        """Size of the networks that are trained."""
        return image_settings(self.data, self.recipe, self.channels, self.cells)

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """Builds and trains the network; see `Evaluator.evaluate`."""
        with memory_failures():
            network = build_seeded(architecture, self.network_settings, seed)
        trained = train(
            network,
            self.data,
            self.recipe,
            seed=seed,
            fabric=self.fabric,
            seconds=self.seconds,
            workers=self.workers,
        )
        if not trained.complete:
            raise EvaluationFailed("out of time", f"not done after {self.seconds:g} seconds")
        metrics = {
            **_size(network, self.data.image),
            "epochs": float(trained.epochs),
            **({"latency": self._latency(network)} if self.latency else {}),
        }
        return Result(trained.best_accuracy, metrics, trained.seconds)

    def figures(self, architecture: Architecture) -> Mapping[str, float]:
        """Parameters and multiply-accumulates, counted on a network without weights."""
        if architecture.key not in self._counted:
            with torch.device("meta"):
                network = architecture.space.build(architecture, self.network_settings)
            self._counted[architecture.key] = _size(network, self.data.image)
        return self._counted[architecture.key]

    def _latency(self, network: torch.nn.Module) -> float:
        """Median milliseconds of one image."""
        return statistics.median(latencies_ms(network.cpu().eval(), self.data.image))

    def settings(self) -> Mapping[str, Json]:
        """Data, recipe, sizes and precision."""
        precision = self.fabric.strategy.precision.precision
        return {
            "evaluator": "train",
            "data": self.data.fingerprint,
            "recipe": self.recipe.to_json(),
            "channels": self.channels,
            "cells": self.cells,
            "seconds": self.seconds,
            # None rather than "32-true": studies from before this was recorded go on.
            "precision": None if precision == "32-true" else precision,
            "latency": self.latency or None,
        }


_recipe = recipe


def _size(network: torch.nn.Module, image: tuple[int, int, int]) -> dict[str, float]:
    """Parameters, and multiply-accumulates of one image."""
    return {
        "parameters": float(count_parameters(network)),
        "macs": float(count_macs(network, image)),
    }


def image_settings(data: ImageData, recipe: Recipe, channels: int, cells: int) -> ImageSettings:
    """The settings of a network for this data and recipe."""
    return ImageSettings(
        classes=data.classes,
        channels=channels,
        cells=cells,
        image=data.image,
        auxiliary=recipe.auxiliary_weight > 0,
        drop_path_keep=recipe.drop_path_keep,
        dropout_keep=recipe.dropout_keep,
        stem=stem_for(data.image),
    )


def build_seeded(architecture: Architecture, settings: ImageSettings, seed: int) -> torch.nn.Module:
    """The network with weights drawn from `seed`."""
    with seeded(derive_seed(seed, "weights")):
        return architecture.space.build(architecture, settings)
