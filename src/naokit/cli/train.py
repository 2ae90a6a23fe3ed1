"""`naokit train`: a network trained to the end."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from naokit.cli import config_file
from naokit.cli.grouped import grouped
from naokit.cli.options import (
    AsJson,
    GenotypeOptions,
    Hidden,
    ScheduleOptions,
    Tokens,
    TrainingOptions,
)
from naokit.cli.output import exit_codes, print_json
from naokit.cli.training import job_of, print_report, train_and_save


@grouped
def train(
    *,
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="A run's folder (its best), a published name (naokit zoo) or a genotype."
        ),
    ],
    genotype: GenotypeOptions,
    data: Annotated[
        str | None,
        typer.Option(
            help="Images or text, whichever the space reads; default: the run's data, or digits "
            "or pydoc."
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="How the network is trained; default: the run's final recipe."),
    ] = None,
    schedule: ScheduleOptions,
    channels: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Size of an image network: the paper's F; default: the published recipe's, the "
            "run's, or 16.",
        ),
    ] = None,
    cells: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Depth of an image network: the paper's N; default: the published recipe's, "
            "the run's, or 1.",
        ),
    ] = None,
    hidden: Hidden = None,
    tokens: Tokens = None,
    asked: TrainingOptions,
    config: config_file.Config = None,
    json: AsJson = False,
) -> None:
    """Train an architecture to the end and save the network of the best epoch.

    The same command again continues an interrupted training.
    """
    del config  # its options are in the others' places already
    with exit_codes():
        from naokit.cli.subject import as_recorded
        from naokit.cli.target import architecture_of, folder_name, sizes_of
        from naokit.kinds import kind_of
        from naokit.runs.plan import FinalTraining

        target = architecture_of(what, genotype)
        reads, recorded = target.architecture.space.reads, target.settings
        kind = kind_of(reads)
        source = data or recorded.get("data") or kind.embedded
        folder = asked.out or target.folder or Path("runs") / folder_name(what, target, source)
        final = target.final or FinalTraining.of(kind.preset("quick"))
        own = {} if recorded else sizes_of(what, target)
        size = {**final.size, **own, **kind.published_sizes.get(recipe or "", {})}
        given = {"channels": channels, "cells": cells, "hidden": hidden}
        sizes = {
            **{name: value or size.get(name) for name, value in given.items()},
            "tokens": tokens or recorded.get("tokens"),
        }
        if not recipe and not schedule.epochs:
            schedule = dataclasses.replace(schedule, epochs=final.epochs)
        asked = dataclasses.replace(asked, pictures=as_recorded(asked.pictures, recorded, data))
        job = job_of(reads, source, recipe or final.recipe, folder, sizes, asked, schedule)
        options = config_file.given(context, out=folder.absolute())
        saved = train_and_save(target.architecture, job, folder, options, force=asked.force)
        print_json(saved.to_json()) if json else print_report(saved)
