"""`naokit profile`: what a network costs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.asked import Profiling
from naokit.cli.grouped import grouped
from naokit.cli.options import AsJson, GenotypeOptions, Hidden, Pictures, Tokens
from naokit.cli.output import exit_codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@grouped
def profile(
    *,
    what: Annotated[
        str, typer.Argument(help="A genotype, or a run's or network's folder (with its sizes).")
    ],
    genotype: GenotypeOptions,
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
        str | None, typer.Option(help="Also estimate how long a training by this recipe takes.")
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            min=20,
            help="How many images the recipe trains on, a tenth of them held out; default: 50000.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="A data set, instead of --classes, --image, --images, --vocabulary."),
    ] = None,
    pictures: Pictures,
    tokens: Tokens = None,
    onnx: Annotated[
        bool | None,
        typer.Option(
            "--onnx/--no-onnx",
            help="Measure latency in onnxruntime too (takes seconds); default: yes.",
        ),
    ] = None,
    shared: Annotated[
        bool,
        typer.Option(
            "--shared", help="Of the network that a search by weight sharing trains, instead."
        ),
    ] = False,
    counts: Annotated[
        bool, typer.Option("--counts", help="Count only, and measure nothing.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Count parameters and multiply-accumulates; measure latency, memory and training here."""
    with exit_codes():
        from naokit.base import InputError
        from naokit.cli.by_kind import shown
        from naokit.cli.profile_shared import show_shared_network
        from naokit.cli.subject import as_recorded, check_embedded, check_options
        from naokit.cli.target import OF_DATA, architecture_of, shared_sizes_of, sizes_of
        from naokit.kinds import kind_of

        target = architecture_of(what, genotype)
        architecture, reads = target.architecture, target.architecture.space.reads
        given = {
            "classes": classes,
            "channels": channels,
            "cells": cells,
            "image": image,
            "vocabulary": vocabulary,
            "hidden": hidden,
        }
        ways = {"tokens": tokens, **dataclasses.asdict(pictures)}
        check_options(reads, given | ways | {"images": images, "onnx": onnx is not None})
        chosen = {name: value for name, value in given.items() if value is not None}
        of_data = [name for name in (*chosen, *(["images"] if images else [])) if name in OF_DATA]
        own = shared_sizes_of(target) if shared else sizes_of(what, target)
        size = {**kind_of(reads).published_sizes.get(recipe or "", {}), **own, **chosen}
        if data is None and not OF_DATA & size.keys():  # a run that has trained no network yet
            data = target.settings.get("data")
            pictures = as_recorded(pictures, target.settings, None)
            tokens = tokens or target.settings.get("tokens")
        elif data is not None:
            size = {n: value for n, value in size.items() if n in chosen or n not in OF_DATA}
        _check_needed(recipe, images, data, ways, of_data)
        check_embedded(reads, data)
        if (counts or shared) and onnx is not None:
            option = "--shared measures no latency" if shared else "--counts measures nothing"
            raise InputError(f"{option}: leave --onnx and --no-onnx out")
        asked = Profiling(
            architecture,
            size,
            recipe,
            data,
            pictures,
            tokens,
            images,
            counts=counts,
            onnx=onnx is not False,
            json=json,
        )
        show_shared_network(asked) if shared else shown(reads).profile(asked)


def _check_needed(
    recipe: str | None,
    images: int | None,
    data: str | None,
    ways: Mapping[str, object],
    of_data: Sequence[str],
) -> None:
    """Raises InputError for an option that needs another beside it, or that --data speaks for.

    Args:
        recipe: --recipe.
        images: --images.
        data: --data, or that of a run.
        ways: The options that say how data are read.
        of_data: The names of those options given that --data would decide.
    """
    from naokit.base import InputError

    if images is not None and recipe is None:
        raise InputError("--images is how many --recipe gets: give it as well")
    if data is not None and of_data:
        raise InputError(f"--{of_data[0]} is that of --data: leave one of them out")
    for name, value in ways.items():
        if data is None and value:
            option = name.replace("_", "-")
            raise InputError(f"--{option} says how --data is read: give that as well")
