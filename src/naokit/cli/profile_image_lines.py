"""What `naokit profile` measured of an image network, in words."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from naokit.cli.durations import about
from naokit.wording import counted

if TYPE_CHECKING:
    from naokit.base import Json
    from naokit.images.costs import Counts, Held, Timings
    from naokit.profiling import Estimate
    from naokit.settings import ImageSettings


@dataclass(frozen=True)
class TrainingMemory:
    """The memory that a training takes.

    Attributes:
        batch: The number of images in a step.
        memory_mb: The most that the training holds at one time, in megabytes.
        free_mb: What is free here, in megabytes.
    """

    batch: int
    memory_mb: float
    free_mb: float


@dataclass(frozen=True)
class ImageTrainingCost:
    """The memory and the time of a training by a recipe.

    Attributes:
        memory: The memory.
        recipe: The name of the recipe.
        epochs: The number of epochs.
        images: The number of training images.
        device: The type of the device that was measured.
        images_a_measured_step: The mean number of images in a measured step.
        estimate: The time.
    """

    memory: TrainingMemory
    recipe: str
    epochs: int
    images: int
    device: str
    images_a_measured_step: int
    estimate: Estimate

    def to_json(self) -> dict[str, Json]:
        """One object, the memory and the time among its fields."""
        fields = dataclasses.asdict(self)
        memory, estimate = fields.pop("memory"), fields.pop("estimate")
        return {**memory, **fields, **estimate}


def count_lines(size: ImageSettings, counts: Counts) -> list[str]:
    """What is counted."""
    shape = " x ".join(map(str, size.image))
    return [
        f"size             F={size.channels}, N={size.cells}, {size.classes} classes, "
        f"images of {shape} (channels, height, width)",
        f"parameters       {counts.parameters:,}",
        f"auxiliary head   {counts.auxiliary_parameters:,} (only there in training)",
        f"multiply-adds    {counts.macs / 1e6:,.1f} M an image",
        f"weights          {counts.weights_mb:,.1f} MB",
    ]


def memory_lines(counts: Counts, held: Held) -> list[str]:
    """What using it takes."""
    one, many = (counts.weights_mb + peak for peak in (held.peak_memory_mb, held.peak_memory_64_mb))
    return [f"memory, in use   {one:,.1f} MB with 1 image, {many:,.1f} MB with 64"]


def training_memory_lines(training: TrainingMemory) -> list[str]:
    """What training it takes, and whether that is there."""
    short = training.memory_mb > training.free_mb
    return [
        f"memory, training {training.memory_mb:,.0f} MB with {training.batch} images a step"
        + (f"; only {training.free_mb:,.0f} MB are free here" if short else "")
    ]


def latency_lines(timings: Timings, threads: int) -> list[str]:
    """Median and spread in PyTorch."""
    return [
        f"latency          on this processor, {threads} "
        f"thread{'s' * (threads > 1)}; median and half the distance of the quartiles",
        _timings("PyTorch", timings),
    ]


def onnx_lines(timings: Timings | None) -> list[str]:
    """The same in onnxruntime."""
    if timings is None:
        return ["  onnxruntime    not installed: pip install 'naokit[export]'"]
    return [_timings("onnxruntime", timings)]


def _timings(engine: str, timings: Timings) -> str:
    one = f"{timings.latency_ms:,.1f} ms ± {timings.latency_spread_ms:,.1f}"
    many = f"{timings.latency_64_ms:,.1f} ms ± {timings.latency_64_spread_ms:,.1f}"
    return f"  {engine:<15}{one} for 1 image, {many} for 64"


def training_lines(training: ImageTrainingCost | None) -> list[str]:
    """How long the recipe takes, and what that rests on."""
    if training is None:
        return ["training time    --recipe NAME estimates it"]
    measured, batch, estimate = (
        training.images_a_measured_step,
        training.memory.batch,
        training.estimate,
    )
    of = "" if measured == batch else f" of {measured} images"
    scaled = "" if measured == batch else f", scaled to {batch}"
    time = about(estimate.seconds, estimate.low, estimate.high)
    return [
        f"training time    {time} by {training.recipe}: "
        f"{counted(training.epochs, 'epoch')} of {training.images:,} images",
        f"                 an estimate from {estimate.steps} measured "
        f"step{'s' * (estimate.steps > 1)}{of} on {training.device}{scaled}",
    ]
