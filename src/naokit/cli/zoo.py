"""`naokit zoo`: the published networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from naokit.cli.options import AsJson
from naokit.cli.output import exit_codes, print_json, progress

if TYPE_CHECKING:
    from naokit.base import Json
    from naokit.spaces.published import Genotype, Size


def zoo(
    json: AsJson = False,
) -> None:
    """List the published networks: size, cost, published test error (%) and source."""
    with exit_codes():
        from naokit.spaces.published import GENOTYPES

        networks = [(genotype, size) for genotype in GENOTYPES.values() for size in genotype.sizes]
        rows = []
        with progress() as bar:
            line = bar.add_task("counting", total=len(networks), note="")
            for genotype, size in networks:
                rows.append(_row(genotype, size))
                bar.update(line, advance=1, note=genotype.name)
        if json:
            print_json({"networks": rows})
            return
        _print_table(rows)
        for genotype in GENOTYPES.values():
            typer.echo(f"{genotype.name}: {genotype.source}")
            sources = dict.fromkeys(size.source for size in genotype.sizes if size.source)
            if sources:
                typer.echo(f"  results: {'; '.join(sources)}")
            if genotype.note:
                typer.echo(f"  {genotype.note}")
        typer.echo(
            "\nErrors are the authors'; none of these trainings has been repeated here.\n"
            "A name stands wherever a genotype may: naokit train naonet-b"
        )


def _row(genotype: Genotype, size: Size) -> dict[str, Json]:
    """One network, counted without memory for its weights."""
    import torch

    from naokit.building import build
    from naokit.networks import count_macs, count_parameters

    with torch.device("meta"):
        network = build(
            genotype.architecture,
            classes=size.classes,
            channels=size.channels,
            cells=size.cells,
            image=size.image,
        )
    return {
        "name": genotype.name,
        "space": genotype.space.name,
        "data": size.data,
        "channels": size.channels,
        "cells": size.cells,
        "parameters": count_parameters(network),
        "macs": count_macs(network, size.image),
        "published_error": size.result,
        "source": size.source,
        "genotype": genotype.text,
        "genotype_source": genotype.source,
        "note": genotype.note,
    }


def _print_table(rows: list[dict[str, Json]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for column, justify in (
        ("name", "left"),
        ("data", "left"),
        ("F", "right"),
        ("N", "right"),
        ("parameters", "right"),
        ("M mult-adds", "right"),
    ):
        table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("published error, %", overflow="fold")
    for row in rows:
        table.add_row(
            row["name"],
            row["data"],
            str(row["channels"]),
            str(row["cells"]),
            f"{row['parameters']:,}",
            f"{row['macs'] / 1e6:,.1f}",
            row["published_error"],
        )
    Console().print(table)
