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

    from naokit.base import Json
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
    from naokit.cli.output import Figures
    from naokit.images.costs import count_figures, latency_figures, memory_figures
    from naokit.kinds import recipe_of
    from naokit.networks import without_weights

    architecture, size = asked.architecture, asked.size
    by = None if asked.recipe is None else recipe_of("images", asked.recipe)
    data = _images(asked.data, asked.pictures)
    if data is not None:
        size = {**size, "classes": data.classes, "image": data.image}
    settings = ImageSettings(**size)
    image = settings.image
    with without_weights():
        counted = count_figures(_with_head(architecture, size), image)
    shown = {name: getattr(settings, name) for name in SHOWN}
    figures = Figures(json=asked.json)
    figures.add({"architecture": str(architecture), **shown, **counted}, count_lines)
    if not asked.counts:
        network = _with_head(architecture, size)
        figures.measure(lambda: memory_figures(network, image), memory_lines)
        figures.measure(
            lambda: {"training": _training_memory(network, image, by.batch if by else BATCH)},
            training_memory_lines,
        )
        figures.measure(lambda: latency_figures(network, image), latency_lines)
        figures.measure(
            lambda: {"onnx": _in_onnxruntime(network, image) if asked.onnx else None},
            onnx_lines if asked.onnx else lambda _: [],
        )
        if by is not None:
            there = data or _noise(asked.images or IMAGES, settings.classes, image)
            figures.measure(
                lambda: {"training": _training(architecture, there, by, settings)}, training_lines
            )
        else:
            figures.add({}, training_lines)
    figures.end()


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


def _in_onnxruntime(network: nn.Module, image: tuple[int, int, int]) -> dict[str, Json] | None:
    """Latencies by the exported file; None where the extra is not installed."""
    import tempfile
    from importlib.util import find_spec

    import torch

    from naokit.export import onnx, pt2
    from naokit.images.bundle import ImageBundle
    from naokit.images.costs import BATCHES
    from naokit.profiling import onnx_latency

    if not all(find_spec(name) for name in ("onnx", "onnxruntime", "onnxscript")):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        program = pt2.trace(network, (torch.zeros(2, *image),))
        onnx.write(program, path, ImageBundle.inputs, ImageBundle.outputs)
        one, many = (onnx_latency(path, image, batch) for batch in BATCHES)
    return {
        "latency_ms": one.median_ms,
        "latency_spread_ms": one.spread_ms,
        "latency_64_ms": many.median_ms,
        "latency_64_spread_ms": many.spread_ms,
    }


def _training_memory(
    network: nn.Module, image: tuple[int, int, int], batch: int
) -> dict[str, Json]:
    """What a training holds at most, and what is free here."""
    import psutil

    from naokit.profiling import training_bytes

    return {
        "batch": batch,
        "memory_mb": training_bytes(network, image, batch) / 1e6,
        "free_mb": psutil.virtual_memory().available / 1e6,
    }


def _training(
    architecture: Architecture, data: ImageData, recipe: Recipe, size: ImageSettings
) -> dict[str, Json]:
    """Memory and time of a training by a recipe."""
    from naokit.images.subject import ImageSubject
    from naokit.profiling import measure_steps
    from naokit.training.device import make_fabric

    subject = ImageSubject(data, size.channels, size.cells)
    network = subject.network(architecture, recipe, 0)
    found = _training_memory(network, data.image, recipe.batch)
    fabric = make_fabric()
    task = subject.short_task(network, recipe, fabric, SECONDS)
    steps = measure_steps(network, task, fabric, SECONDS)
    estimate = steps.estimate(recipe, len(data.train), len(data.validation))
    return found | {
        "recipe": recipe.name,
        "epochs": recipe.epochs,
        "images": min(len(data.train), recipe.part or len(data.train)),
        "device": fabric.device.type,
        "images_a_measured_step": steps.examples,
        **dataclasses.asdict(estimate),
    }


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
