"""What `naokit profile` shows of an image network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from naokit.base import InputError
from naokit.cli.asked import Profiling
from naokit.cli.options import Pictures
from naokit.cli.profile_image_lines import (
    ImageTrainingCost,
    TrainingMemory,
    count_lines,
    latency_lines,
    memory_lines,
    onnx_lines,
    training_lines,
    training_memory_lines,
)
from naokit.settings import ImageSettings

if TYPE_CHECKING:
    from torch import nn

    from naokit.cli.output import Figures
    from naokit.images.costs import Counts, Timings
    from naokit.images.data import ImageData
    from naokit.space import Architecture
    from naokit.training.recipe import Recipe

BATCH = 128
"""How many images a step has where no recipe says; as in the paper."""
IMAGES = 50_000
"""How many images a recipe trains on where nothing says."""
SECONDS = 10.0
"""How long steps of a training are measured."""
SHOWN = ("channels", "cells", "classes", "image")
"""The sizes that are printed."""


def show_image_network(asked: Profiling) -> None:
    """Measures the network and prints what it costs, each figure once it is known.

    Raises:
        InputError: No such network can be built.
    """
    from naokit.cli.output import Figures, measuring
    from naokit.images.costs import count_network
    from naokit.kinds import recipe_of
    from naokit.networks import without_weights

    architecture, size = asked.architecture, asked.size
    by = None if asked.recipe is None else recipe_of("images", asked.recipe)
    data = _images(asked.data, asked.pictures)
    if data is not None:
        size = {**size, "classes": data.classes, "image": data.image}
    settings = ImageSettings(**size)
    with without_weights():
        counts = count_network(_with_head(architecture, size), settings.image)
    shown = {name: getattr(settings, name) for name in SHOWN}
    figures = Figures(json=asked.json)
    figures.add(
        {"architecture": str(architecture), **shown, **dataclasses.asdict(counts)},
        count_lines(settings, counts),
    )
    if not asked.counts:
        batch = by.batch if by else BATCH
        _show_use(_with_head(architecture, size), settings.image, batch, counts, asked, figures)
        if by is None:
            figures.add({}, training_lines(None))
        else:
            there = data or _noise(asked.images or IMAGES, settings.classes, settings.image)
            with measuring():
                cost = _training(architecture, there, by, settings)
            figures.add({"training": cost.to_json()}, training_lines(cost))
    figures.end()


def _show_use(
    network: nn.Module,
    image: tuple[int, int, int],
    batch: int,
    counts: Counts,
    asked: Profiling,
    figures: Figures,
) -> None:
    """Measures what using the network takes, and the memory of a step of training."""
    import torch

    from naokit.cli.output import measuring
    from naokit.images.costs import measure_latency, measure_memory

    with measuring():
        held = measure_memory(network, image)
    figures.add(dataclasses.asdict(held), memory_lines(counts, held))
    with measuring():
        memory = _training_memory(network, image, batch)
    figures.add({"training": dataclasses.asdict(memory)}, training_memory_lines(memory))
    with measuring():
        timings = measure_latency(network, image)
    threads = torch.get_num_threads()
    figures.add(
        {**dataclasses.asdict(timings), "threads": threads}, latency_lines(timings, threads)
    )
    with measuring():
        onnx = _in_onnxruntime(network, image) if asked.onnx else None
    figures.add(
        {"onnx": None if onnx is None else dataclasses.asdict(onnx)},
        onnx_lines(onnx) if asked.onnx else [],
    )


def _with_head(architecture: Architecture, size: Mapping[str, Any]) -> nn.Module:
    """The network with its auxiliary head, or without one where its space has none."""
    from naokit.kinds import build

    try:
        return build(architecture, **size, auxiliary=True)
    except InputError:
        return build(architecture, **size)  # refused again for any other reason


def _images(data: str | None, pictures: Pictures) -> ImageData | None:
    """The images of --data, if it is given."""
    from naokit.cli.subject import say_what_was_read
    from naokit.images.loading import load_images

    if data is None:
        return None
    images = load_images(
        data,
        size=pictures.image_size,
        skip_bad=pictures.skip_bad,
        image_column=pictures.image_column,
        label_column=pictures.label_column,
    )
    say_what_was_read(images)
    return images


def _in_onnxruntime(network: nn.Module, image: tuple[int, int, int]) -> Timings | None:
    """Latencies by the exported file; None where the extra is not installed."""
    import tempfile
    from importlib.util import find_spec

    import torch

    from naokit.export import onnx, pt2
    from naokit.images.bundle import ImageBundle
    from naokit.images.costs import BATCHES, Timings
    from naokit.profiling import onnx_latency

    if not all(find_spec(name) for name in ("onnx", "onnxruntime", "onnxscript")):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        program = pt2.trace(network, (torch.zeros(2, *image),))
        onnx.write(program, path, ImageBundle.inputs, ImageBundle.outputs)
        one, many = (onnx_latency(path, image, batch) for batch in BATCHES)
    return Timings.of(one, many)


def _training_memory(network: nn.Module, image: tuple[int, int, int], batch: int) -> TrainingMemory:
    """What a training holds at most, and what is free here."""
    import psutil

    from naokit.profiling import training_bytes

    held = training_bytes(network, image, batch) / 1e6
    return TrainingMemory(batch, held, psutil.virtual_memory().available / 1e6)


def _training(
    architecture: Architecture, data: ImageData, recipe: Recipe, size: ImageSettings
) -> ImageTrainingCost:
    """Memory and time of a training by a recipe."""
    from naokit.images.subject import ImageSubject
    from naokit.profiling import measure_steps
    from naokit.training.device import make_fabric

    subject = ImageSubject(data, size.channels, size.cells)
    network = subject.network(architecture, recipe, 0)
    memory = _training_memory(network, data.image, recipe.batch)
    fabric = make_fabric()
    task = subject.short_task(network, recipe, fabric, SECONDS)
    steps = measure_steps(network, task, fabric, SECONDS)
    return ImageTrainingCost(
        memory,
        recipe.name,
        recipe.epochs,
        min(len(data.train), recipe.part or len(data.train)),
        fabric.device.type,
        steps.examples,
        steps.estimate(recipe, len(data.train), len(data.validation)),
    )


def _noise(images: int, classes: int, image: tuple[int, int, int]) -> ImageData:
    """Images of this size, for measuring: what is on them alters no time."""
    import numpy as np

    from naokit.images.data import ImageData, Split
    from naokit.training.parts import VALIDATION

    picture = np.random.default_rng(0).integers(0, 256, image, dtype=np.uint8)

    def split(amount: int) -> Split:
        labels = np.arange(amount) % classes
        return Split(np.broadcast_to(picture, (amount, *image)), labels)

    held_out = round(VALIDATION * images)
    names = tuple(map(str, range(classes)))
    return ImageData("noise", split(images - held_out), split(held_out), split(0), names)
