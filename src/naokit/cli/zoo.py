"""`naokit zoo`: the published networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from naokit.cli.options import AsJson
from naokit.cli.output import exit_codes, print_json, say

if TYPE_CHECKING:
    from naokit.base import Json
    from naokit.spaces.published import Genotype, Size, TextSize


def zoo(
    json: AsJson = False,
) -> None:
    """List the published networks: size, cost, published result and source."""
    with exit_codes():
        from naokit.spaces.published import GENOTYPES

        images, text = _networks("images"), _networks("text")
        if json:
            print_json(
                {
                    "networks": [_row(*one) for one in images],
                    "language_models": [_row(*one) for one in text],
                }
            )
            return
        _print_images(images)
        _print_language_models(text)
        for genotype in GENOTYPES.values():
            _print_sources(genotype)
        say(
            "",
            "Results are the authors'; none of these trainings has been repeated here.",
            "A published name can be given wherever a genotype can: naokit train naonet-b",
        )


def _networks(reads: str) -> list[tuple[Genotype[Any], Any]]:
    """The networks of a kind of data, each with a size that was published for it."""
    from naokit.spaces.published import GENOTYPES

    of_kind = [genotype for genotype in GENOTYPES.values() if genotype.space.reads == reads]
    return [(genotype, size) for genotype in of_kind for size in genotype.sizes]


def _row(genotype: Genotype[Any], size: Size | TextSize) -> dict[str, Json]:
    """One network as JSON."""
    from naokit.spaces.published import Size

    sized = _image_figures(size) if isinstance(size, Size) else _text_figures(genotype, size)
    return {
        "name": genotype.name,
        "space": genotype.space.name,
        "data": size.data,
        **sized,
        "source": size.source,
        "genotype": genotype.text,
        "genotype_source": genotype.source,
        "note": genotype.note,
    }


def _image_figures(size: Size) -> dict[str, Json]:
    return {
        "channels": size.channels,
        "cells": size.cells,
        "parameters": size.parameters,
        "macs": size.macs,
        "published_error": size.result,
    }


def _text_figures(genotype: Genotype[Any], size: TextSize) -> dict[str, Json]:
    return {
        "vocabulary": size.vocabulary,
        "hidden": size.hidden,
        "parameters": size.parameters,
        "published_perplexity": size.result,
        "activations": genotype.space.settings().get("activations"),
    }


def _print_images(networks: list[tuple[Genotype[Any], Size]]) -> None:
    _print_table(
        ("name", "data", "F", "N", "parameters", "M mult-adds", "published error, %"),
        [
            (
                genotype.name,
                size.data,
                str(size.channels),
                str(size.cells),
                f"{size.parameters:,}",
                f"{size.macs / 1e6:,.1f}",
                size.result,
            )
            for genotype, size in networks
        ],
    )


def _print_language_models(networks: list[tuple[Genotype[Any], TextSize]]) -> None:
    _print_table(
        ("name", "data", "hidden", "parameters", "published test perplexity"),
        [
            (genotype.name, size.data, str(size.hidden), f"{size.parameters:,}", size.result)
            for genotype, size in networks
        ],
    )


def _print_table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Two columns of words, then figures, the last one as wide as there is room."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    table = Table()
    for place, column in enumerate(columns[:-1]):
        table.add_column(column, justify="left" if place < 2 else "right", no_wrap=True)
    table.add_column(columns[-1], overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _print_sources(genotype: Genotype[Any]) -> None:
    say(f"{genotype.name}: {genotype.source}")
    sources = dict.fromkeys(size.source for size in genotype.sizes if size.source)
    if sources:
        say(f"  results: {'; '.join(sources)}")
    if genotype.note:
        say(f"  {genotype.note}")
