"""`naokit profile`: what a network costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import Activations, AsJson, Hidden, ImageSize, SkipBad, Tokens
from naokit.cli.output import exit_codes

if TYPE_CHECKING:
    from naokit.training.data import ImageData


def profile(
    what: Annotated[
        str, typer.Argument(help="A genotype, or a run's or network's folder (with its sizes).")
    ],
    space: Annotated[str, typer.Option(help="Of a genotype.")] = "conv-small",
    nodes: Annotated[int | None, typer.Option(min=1, help="Nodes a cell of a genotype.")] = None,
    activations: Activations = None,
    channels: Annotated[int | None, typer.Option(help="The paper's F; default: 16.")] = None,
    cells: Annotated[int | None, typer.Option(help="The paper's N; default: 2.")] = None,
    classes: Annotated[
        int | None, typer.Option(min=2, help="Size of the output; default: 10.")
    ] = None,
    image: Annotated[
        tuple[int, int, int] | None,
        typer.Option(help="Channels, height and width of an image; default: 3 32 32."),
    ] = None,
    hidden: Hidden = None,
    vocabulary: Annotated[
        int | None, typer.Option(min=2, help="Tokens of a language model; default: 10000.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Estimate how long a training by this recipe takes.")
    ] = None,
    images: Annotated[
        int, typer.Option(min=20, help="How many the recipe gets; it holds a tenth out.")
    ] = 50_000,
    data: Annotated[
        str | None,
        typer.Option(help="A data set, instead of --classes, --image, --images, --vocabulary."),
    ] = None,
    image_size: ImageSize = None,
    skip_bad: SkipBad = False,
    tokens: Tokens = None,
    onnx: Annotated[bool, typer.Option(help="Latency in onnxruntime too (some seconds).")] = True,
    json: AsJson = False,
) -> None:
    """Count parameters and multiply-accumulates; measure latency, memory and training here."""
    with exit_codes():
        from naokit.cli.profile_image import show_image_network
        from naokit.cli.profile_language import show_language_model
        from naokit.cli.subject import check_options
        from naokit.cli.target import OF_DATA, architecture_of, sizes_of

        target = architecture_of(what, space, nodes, activations)
        architecture, reads = target.architecture, target.architecture.space.reads
        check_options(reads, {"tokens": tokens, "image_size": image_size, "skip_bad": skip_bad})
        given = {
            "classes": classes,
            "channels": channels,
            "cells": cells,
            "image": image,
            "vocabulary": vocabulary,
            "hidden": hidden,
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        size = sizes_of(what, target) | chosen
        if data is None and not OF_DATA & size.keys():  # a run that has trained no network yet
            data = target.settings.get("data")
            image_size = image_size or target.settings.get("image_size")
            skip_bad = skip_bad or target.settings.get("skip_bad", False)
            tokens = tokens or target.settings.get("tokens")
        elif data is not None:
            size = {n: value for n, value in size.items() if n in chosen or n not in OF_DATA}
        if reads == "text":
            show_language_model(architecture, size, recipe, data, tokens, json=json)
            return
        trained_on = _images(data, image_size, skip_bad=skip_bad)
        show_image_network(architecture, size, recipe, trained_on, images, onnx=onnx, json=json)


def _images(data: str | None, image_size: int | None, *, skip_bad: bool) -> ImageData | None:
    """The images of --data, if it is given."""
    from naokit.base import InputError
    from naokit.training.data import load_images

    if data is not None:
        return load_images(data, size=image_size, skip_bad=skip_bad)
    if image_size or skip_bad:
        raise InputError("--image-size and --skip-bad say how --data is read: give it as well")
    return None
