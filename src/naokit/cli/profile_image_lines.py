"""What `naokit profile` measured of an image network, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from naokit.cli.durations import about
from naokit.wording import counted

if TYPE_CHECKING:
    from naokit.base import Json


def count_lines(found: dict[str, Json]) -> list[str]:
    """What is counted."""
    shape = " x ".join(map(str, found["image"]))
    return [
        f"size             F={found['channels']}, N={found['cells']}, {found['classes']} classes, "
        f"images of {shape} (channels, height, width)",
        f"parameters       {found['parameters']:,}",
        f"auxiliary head   {found['auxiliary_parameters']:,} (only there in training)",
        f"multiply-adds    {found['macs'] / 1e6:,.1f} M an image",
        f"weights          {found['weights_mb']:,.1f} MB",
    ]


def memory_lines(found: dict[str, Json]) -> list[str]:
    """What using it takes."""
    weights = found["weights_mb"]
    one, many = (weights + found[f"peak_memory{size}_mb"] for size in ("", "_64"))
    return [f"memory, in use   {one:,.1f} MB with 1 image, {many:,.1f} MB with 64"]


def training_memory_lines(found: dict[str, Json]) -> list[str]:
    """What training it takes, and whether that is there."""
    training = found["training"]
    short = training["memory_mb"] > training["free_mb"]
    return [
        f"memory, training {training['memory_mb']:,.0f} MB with {training['batch']} images a step"
        + (f"; only {training['free_mb']:,.0f} MB are free here" if short else "")
    ]


def latency_lines(found: dict[str, Json]) -> list[str]:
    """Median and spread in PyTorch."""
    return [
        f"latency          on this processor, {found['threads']} "
        f"thread{'s' * (found['threads'] > 1)}; median and half the distance of the quartiles",
        _timings("PyTorch", found),
    ]


def onnx_lines(found: dict[str, Json]) -> list[str]:
    """The same in onnxruntime."""
    if found["onnx"] is None:
        return ["  onnxruntime    not installed: pip install 'naokit[export]'"]
    return [_timings("onnxruntime", found["onnx"])]


def _timings(engine: str, timings: dict[str, Json]) -> str:
    one, many = (
        f"{timings[f'{name}_ms']:,.1f} ms ± {timings[f'{name}_spread_ms']:,.1f}"
        for name in ("latency", "latency_64")
    )
    return f"  {engine:<15}{one} for 1 image, {many} for 64"


def training_lines(found: dict[str, Json]) -> list[str]:
    """How long the recipe takes, and what that rests on."""
    training = found["training"]
    if "recipe" not in training:
        return ["training time    --recipe NAME estimates it"]
    measured, batch = training["images_a_measured_step"], training["batch"]
    of = "" if measured == batch else f" of {measured} images"
    scaled = "" if measured == batch else f", scaled to {batch}"
    time = about(training["seconds"], training["low"], training["high"])
    return [
        f"training time    {time} by {training['recipe']}: "
        f"{counted(training['epochs'], 'epoch')} of {training['images']:,} images",
        f"                 an estimate from {training['steps']} measured "
        f"step{'s' * (training['steps'] > 1)}{of} on {training['device']}{scaled}",
    ]
