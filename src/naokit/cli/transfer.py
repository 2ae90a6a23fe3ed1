"""`naokit transfer`: the same cells on another data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli import config_file
from naokit.cli.options import (
    Activations,
    Again,
    AllData,
    AsJson,
    Balance,
    DeviceName,
    Epochs,
    GenotypeSpace,
    Hidden,
    ImageColumn,
    ImageSize,
    LabelColumn,
    PrecisionName,
    Processes,
    RecipeSettings,
    RunStorage,
    SkipBad,
    TensorBoard,
    Tokens,
    TrainingHours,
    TrainingOut,
    TrainingSeed,
    Workers,
)
from naokit.cli.output import exit_codes, print_json
from naokit.cli.subject import check_options, recipe_for, subject_of
from naokit.cli.train import print_report, train_and_save

if TYPE_CHECKING:
    from naokit.cli.target import Target


def transfer(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(help="A run's folder (its best), a network's, a name or a genotype.")
    ],
    data: Annotated[str, typer.Option(help="The other data set.")],
    space: GenotypeSpace = None,
    nodes: Annotated[
        int | None, typer.Option(min=1, help="Nodes in each cell of a genotype.")
    ] = None,
    activations: Activations = None,
    storage: RunStorage = None,
    recipe: Annotated[
        str | None, typer.Option(help="How it is trained; default: small-final, text-small-final.")
    ] = None,
    epochs: Epochs = None,
    settings: RecipeSettings = None,
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
    balance: Balance = False,
    seed: TrainingSeed = 0,
    out: TrainingOut = None,
    hours: TrainingHours = None,
    image_size: ImageSize = None,
    skip_bad: SkipBad = False,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
    all_data: AllData = False,
    workers: Workers = 0,
    processes: Processes = 1,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    tensorboard: TensorBoard = False,
    force: Again = False,
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
        from naokit.runs.final import Job
        from naokit.training.device import device_named, precision_named

        target = architecture_of(what, space, nodes, activations, storage)
        reads = target.architecture.space.reads
        kind = kind_of(reads)
        folder = out or Path("runs") / folder_name(what, target, data)
        own, published = sizes_of(what, target), kind.published_sizes.get(recipe or "", {})
        size = {**kind.transfer_size, **own, **published, **(own if warm_start else {})}
        check_options(reads, {"processes": processes > 1})
        options = {
            "channels": channels or size.get("channels"),
            "cells": cells or size.get("cells"),
            "hidden": hidden or size.get("hidden"),
            "tokens": tokens or tokens_of(what, target),
            "image_size": image_size,
            "skip_bad": skip_bad,
            "image_column": image_column,
            "label_column": label_column,
            "all_data": all_data,
            "workers": workers,
        }
        job = Job(
            subject_of(reads, data, options),
            recipe_for(
                reads, recipe or kind.transfer_recipe, epochs, balance=balance, settings=settings
            ),
            folder / "training",
            seed=seed,
            processes=processes,
            device=device_named(device),
            precision=precision_named(precision),
            seconds=None if hours is None else 3600 * hours,
            tensorboard=tensorboard,
            warm_start=_weights(what, target) if warm_start else None,
        )
        asked = config_file.given(context, out=folder.absolute())
        report = train_and_save(target.architecture, job, folder, asked, force=force)
        print_json(report) if json else print_report(report)


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
