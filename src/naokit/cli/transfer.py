"""`naokit transfer`: the same cells on another data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import (
    Again,
    AsJson,
    Balance,
    DeviceName,
    Epochs,
    ImageSize,
    PrecisionName,
    SkipBad,
    TrainingHours,
    TrainingOut,
    TrainingSeed,
)
from naokit.cli.output import exit_codes, print_json
from naokit.cli.train import print_report, train_and_save

if TYPE_CHECKING:
    from naokit.cli.target import Target


def transfer(
    what: Annotated[
        str, typer.Argument(help="A run's folder (its best), a network's, a name or a genotype.")
    ],
    data: Annotated[str, typer.Option(help="The other data set.")],
    space: Annotated[str, typer.Option(help="Of a genotype.")] = "conv-small",
    nodes: Annotated[int | None, typer.Option(min=1, help="Nodes a cell of a genotype.")] = None,
    recipe: Annotated[str, typer.Option(help="How it is trained.")] = "small-final",
    epochs: Epochs = None,
    channels: Annotated[int, typer.Option(help="The paper's F.")] = 16,
    cells: Annotated[int, typer.Option(help="The paper's N.")] = 2,
    warm_start: Annotated[
        bool, typer.Option("--warm-start", help="Begin with the trained weights that fit.")
    ] = False,
    balance: Balance = False,
    seed: TrainingSeed = 0,
    out: TrainingOut = None,
    hours: TrainingHours = None,
    image_size: ImageSize = None,
    skip_bad: SkipBad = False,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    force: Again = False,
    json: AsJson = False,
) -> None:
    """Train the same cells on another data set, with its size and classes.

    The same command again continues an interrupted training.
    """
    with exit_codes():
        from naokit.cli.target import architecture_of, folder_name
        from naokit.final import Job
        from naokit.training.device import device_named, precision_named
        from naokit.training.recipes import recipe as recipe_of

        target = architecture_of(what, space, nodes)
        folder = out or Path("runs") / folder_name(what, target, data)
        job = Job(
            data,
            recipe_of(recipe, epochs, balance=balance),
            channels,
            cells,
            folder / "training",
            seed=seed,
            image_size=image_size,
            skip_bad=skip_bad,
            device=device_named(device),
            precision=precision_named(precision),
            seconds=None if hours is None else 3600 * hours,
            warm_start=_weights(what, target) if warm_start else None,
        )
        report = train_and_save(target.architecture, job, folder, force=force)
        print_json(report) if json else print_report(report)


def _weights(what: str, target: Target) -> Path:
    """The trained weights of a run or a network; raises InputError where there are none."""
    from naokit.base import InputError
    from naokit.export.config import WEIGHTS

    folder = (target.folder / "network") if target.folder else Path(what)
    if not (folder / WEIGHTS).exists():
        raise InputError(
            f"{what} has no trained network to begin with: leave --warm-start out, or train it "
            "first (naokit train)"
        )
    return folder / WEIGHTS
