"""The subject of images: data and the size of the classifiers that learn from them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from naokit.base import InputError, Json
from naokit.export.results import Results
from naokit.images.accuracy import evaluate
from naokit.images.bundle import ImageBundle
from naokit.images.data import ImageData, check_classes
from naokit.images.describing import ImageProbe
from naokit.images.loading import load_images
from naokit.images.on_device import EVALUATION_BATCH
from naokit.images.pictures.stream import Stream
from naokit.images.recipes import ImageRecipe
from naokit.images.scoring import ImageScorer
from naokit.images.task import ACCURACY, ImageTask, check_crops
from naokit.networks import count_macs, latencies_ms, stem_for
from naokit.profiling.steps import MOST_STEPS, SMALL_RATE, STEPS_AN_EPOCH, WARM_UP
from naokit.settings import ImageSettings
from naokit.space import Architecture
from naokit.subject import Subject, origin_of
from naokit.training.clock import PASSES
from naokit.training.recipe import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import nn

    from naokit.images.data import Split

MACS_A_STEP = 5e8
"""For each second of measuring: several such steps fit (one thread of a busy processor)."""


@dataclass(frozen=True)
class ImageSubject(Subject):
    """Images for a classifier.

    Attributes:
        source: What `load_images` takes.
        channels: The paper's F.
        cells: The paper's N.
        image_size: The size of the pictures, as for `load_images`.
        skip_bad: Whether pictures that cannot be decoded are left out.
        all_data: Whether no images are held out.
        decoders: The number of processes that decode pictures, for each process that trains.
        image_column: The column of the pictures, as for `load_images`.
        label_column: The column of the labels, as for `load_images`.
        squeeze: Whether cells end as those of a shared network do (`ImageSettings.squeeze`).
    """

    source: str | Path | ImageData
    channels: int
    cells: int
    image_size: int | None = None
    skip_bad: bool = False
    all_data: bool = False
    decoders: int = 0
    image_column: str | None = None
    label_column: str | None = None
    squeeze: bool = False

    reads = "images"
    metric = ACCURACY
    descriptor_names = ImageProbe.names

    @cached_property
    def data(self) -> ImageData:
        """The images, read once."""
        return load_images(
            self.source,
            size=self.image_size,
            skip_bad=self.skip_bad,
            hold_out=not self.all_data,
            image_column=self.image_column,
            label_column=self.label_column,
        )

    def again(self, size: Mapping[str, Json]) -> ImageSubject:
        """The same images with other F and N."""
        read: dict[str, Json] = dict.fromkeys(("image_size", "image_column", "label_column"))
        return replace(self, source=self.data, **read, **size)

    def halved(self) -> ImageSubject | None:
        """Half of F, as long as that is 2 or more."""
        return self.again({"channels": self.channels // 2}) if self.channels >= 4 else None

    def inheriting(self) -> ImageSubject:
        """The same with cells that end as those of a shared network do."""
        return replace(self, source=self.data, image_size=None, squeeze=True)

    def unread(self) -> ImageSubject:
        """The same without the images."""
        return replace(self)

    def check_data(self, recipe: Recipe) -> None:
        """Also where labels count no classes, or crops or `all_data` would come to nothing."""
        assert isinstance(recipe, ImageRecipe)
        check_classes(self.data)
        check_crops(self.data, recipe)
        if self.all_data and len(self.data.validation):
            raise InputError(
                f"{self.data.name} has a validation part of its own, so `all_data=True` has "
                "nothing to add: leave it out, or put those images into the training part"
            )

    def settings(self, recipe: Recipe) -> ImageSettings:
        """Those of an image classifier."""
        assert isinstance(recipe, ImageRecipe)
        found = image_settings(self.data, recipe, self.channels, self.cells)
        return replace(found, squeeze=self.squeeze)

    def size(self) -> Mapping[str, Json]:
        """F and N."""
        return {"channels": self.channels, "cells": self.cells}

    def macs(self, network: nn.Module) -> int:
        """Of one image."""
        return count_macs(network, self.data.image)

    def latency(self, network: nn.Module) -> float:
        """Median milliseconds of one image."""
        return statistics.median(latencies_ms(network.cpu().eval(), self.data.image))

    def task(self, recipe: Recipe, fabric: Fabric) -> ImageTask:
        """Batches of a shuffle, augmented."""
        return ImageTask(self.data, _for_images(recipe, self.data), fabric, self.decoders)

    def probe(self, recipe: Recipe, fabric: Fabric) -> ImageProbe:
        """The first images of a shuffle of the training part."""
        return ImageProbe(self.data, _for_images(recipe, self.data), fabric)

    def scorer(self, fabric: Fabric, examples: int) -> ImageScorer:
        """Scores networks on the same held-out part of the data."""
        return ImageScorer(self.data, fabric.device, examples)

    def short_task(
        self, network: nn.Module, recipe: Recipe, fabric: Fabric, seconds: float
    ) -> ImageTask:
        """Short epochs with few enough images a step to leave time to measure."""
        import kornia.augmentation  # noqa: F401 - takes a second once a process, not each training

        data, recipe = self.data, _for_images(recipe, self.data)
        images = self._images_a_step(network, recipe, fabric, seconds)
        train = _first(data.train, STEPS_AN_EPOCH * images)
        epochs = math.ceil((WARM_UP + MOST_STEPS) / math.ceil(len(train) / images))
        held_out = min(EVALUATION_BATCH, PASSES * images)  # no longer than a training step takes
        few = replace(data, train=train, validation=_first(data.validation, held_out))
        short = replace(
            recipe, epochs=epochs, batch=images, train_images=None, learning_rate=SMALL_RATE
        )
        return ImageTask(few, short, fabric)

    def _images_a_step(
        self, network: nn.Module, recipe: ImageRecipe, fabric: Fabric, seconds: float
    ) -> int:
        """The recipe's batch, on a processor reduced to the images that leave time; at least 2.

        They are counted, not timed: a busy machine should not alter what is measured.
        """
        if fabric.device.type != "cpu":
            return recipe.batch
        one = PASSES * self.macs(network)
        return min(recipe.batch, max(2, int(seconds * MACS_A_STEP / one)))

    def bundle(
        self,
        architecture: Architecture,
        network: nn.Module,
        recipe: Recipe,
        results: Results,
    ) -> ImageBundle:
        """The classifier with the names of its classes, and how images are standardised."""
        data = self.data
        mean, std = (tuple(values.tolist()) for values in data.statistics)
        settings = self.settings(recipe)
        return ImageBundle(network, architecture, settings, data.class_names, mean, std, results)

    def left_out(self) -> dict[str, Json]:
        """The pictures that cannot be decoded."""
        return {"skipped": list(self.data.skipped)}

    def origin(self) -> dict[str, Json]:
        """What `load_images` takes."""
        return origin_of(self)

    def results(self) -> dict[str, Json]:
        """Which images, read how."""
        part = self.data.train
        return {
            "data": str(self.data.name),
            "image_size": part.size if isinstance(part, Stream) else None,
            "skip_bad": self.skip_bad,
            "all_data": self.all_data,
            "image_column": self.data.columns.image,
            "label_column": self.data.columns.label,
        }

    def tested(
        self, network: nn.Module, fabric: Fabric, on_tested: Callable[[int], None] | None = None
    ) -> float | None:
        """Accuracy on the test part, percent."""
        data = self.data
        if not len(data.test):
            return None
        return evaluate(network, data, data.test, fabric, self.decoders, on_tested)


def _first(split: Split | Stream, amount: int) -> Split | Stream:
    return split.take(np.arange(min(amount, len(split))))


def _for_images(recipe: Recipe, data: ImageData) -> ImageRecipe:
    """The recipe itself; raises InputError where it is for another kind of data."""
    if not isinstance(recipe, ImageRecipe):
        raise InputError(f"{data.name} holds images, the recipe {recipe.name} is for text")
    return recipe


def image_settings(
    data: ImageData, recipe: ImageRecipe, channels: int, cells: int
) -> ImageSettings:
    """The settings of an image classifier for this data and recipe."""
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
