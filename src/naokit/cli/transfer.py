"""`naokit transfer`: the same cells on another data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from naokit.cli.target import Target


@grouped
def transfer(
    *,
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(help="A run's folder (its best), a network's, a name or a genotype.")
    ],
    data: Annotated[str, typer.Option(help="The other data set.")],
    genotype: GenotypeOptions,
    recipe: Annotated[
        str | None,
        typer.Option(help="How the network is trained; default: small-final, or text-small-final."),
    ] = None,
    schedule: ScheduleOptions,
    channels: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Size of an image network: the paper's F; default: the published recipe's, the "
            "network's, or 16.",
        ),
    ] = None,
    cells: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Depth of an image network: the paper's N; default: the published recipe's, "
            "the network's, or 2.",
        ),
    ] = None,
    hidden: Hidden = None,
    tokens: Tokens = None,
    warm_start: Annotated[
        bool,
        typer.Option(
            "--warm-start",
            help="Begin with those trained weights that fit, in the size of their network.",
        ),
    ] = False,
    asked: TrainingOptions,
    config: config_file.Config = None,
    json: AsJson = False,
) -> None:
    """Train the same cells on another data set: with its size and classes, or its vocabulary.

    The same command again continues an interrupted training.
    """
    del config  # its options are in the others' places already
    with exit_codes():
        from naokit.cli.target import architecture_of, folder_name, sizes_of, tokens_of
        from naokit.kinds import kind_of

        target = architecture_of(what, genotype)
        reads = target.architecture.space.reads
        kind = kind_of(reads)
        folder = asked.out or Path("runs") / folder_name(what, target, data)
        own, published = sizes_of(what, target), kind.published_sizes.get(recipe or "", {})
        size = {**kind.transfer_size, **own, **published, **(own if warm_start else {})}
        given = {"channels": channels, "cells": cells, "hidden": hidden}
        sizes = {name: value or size.get(name) for name, value in given.items()}
        job = job_of(
            reads,
            data,
            recipe or kind.transfer_recipe,
            folder,
            {**sizes, "tokens": tokens or tokens_of(what, target)},
            asked,
            schedule,
            _weights(what, target) if warm_start else None,
        )
        options = config_file.given(context, out=folder.absolute())
        saved = train_and_save(target.architecture, job, folder, options, force=asked.force)
        print_json(saved.to_json()) if json else print_report(saved)


def _weights(what: str, target: Target) -> Path:
    """The trained weights of a run or a network; raises InputError where there are none."""
    from naokit.base import InputError
    from naokit.cli.target import folder_at, trained_file
    from naokit.export.config import WEIGHTS

    folder = target.folder or folder_at(what)
    weights = None if folder is None else trained_file(folder, WEIGHTS)
    if weights is None:
        raise InputError(
            f"{what} has no trained network to begin with: leave --warm-start out, or train it "
            "first (naokit train)"
        )
    return weights
