"""`naokit train`: a network trained to the end."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from naokit.cli.output import exit_codes, print_json, progress, say
from naokit.cli.subject import check_options, recipe_for, say_what_was_read, subject_of
from naokit.cli.target import how_read
from naokit.kinds import kind_of
from naokit.wording import counted, epochs_done

if TYPE_CHECKING:
    from collections.abc import Callable

    from naokit.base import Architecture, Json
    from naokit.export import Bundle
    from naokit.runs.final import Job
    from naokit.training.loop import Epoch


def train(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="A run's folder (its best), a published name (naokit zoo) or a genotype."
        ),
    ],
    space: GenotypeSpace = None,
    nodes: Annotated[
        int | None, typer.Option(min=1, help="Nodes in each cell of a genotype.")
    ] = None,
    activations: Activations = None,
    storage: RunStorage = None,
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
    epochs: Epochs = None,
    settings: RecipeSettings = None,
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
    """Train an architecture to the end and save the network of the best epoch.

    The same command again continues an interrupted training.
    """
    del config  # its options are in the others' places already
    with exit_codes():
        from naokit.cli.target import architecture_of, folder_name, size_of_preset, sizes_of
        from naokit.runs.final import Job
        from naokit.training.device import device_named, precision_named

        target = architecture_of(what, space, nodes, activations, storage)
        reads, recorded = target.architecture.space.reads, target.settings
        kind = kind_of(reads)
        preset: dict[str, Any] = recorded.get("preset") or dataclasses.asdict(kind.preset("quick"))
        source = data or recorded.get("data") or kind.embedded
        check_options(reads, {"processes": processes > 1})
        folder = out or target.folder or Path("runs") / folder_name(what, target, source)
        own = {} if recorded else sizes_of(what, target)
        size = {**size_of_preset(preset), **own, **kind.published_sizes.get(recipe or "", {})}
        options = {
            "channels": channels or size.get("channels"),
            "cells": cells or size.get("cells"),
            "hidden": hidden or size.get("hidden"),
            "tokens": tokens or recorded.get("tokens"),
            "image_size": image_size or recorded.get("image_size"),
            "skip_bad": skip_bad or recorded.get("skip_bad", False),
            "image_column": image_column or (data is None and recorded.get("image_column")),
            "label_column": label_column or (data is None and recorded.get("label_column")),
            "all_data": all_data,
            "workers": workers,
        }
        job = Job(
            subject_of(reads, source, options),
            recipe_for(
                reads,
                recipe or preset["final_recipe"],
                epochs or (None if recipe else preset.get("final_epochs")),
                balance=balance,
                settings=settings,
            ),
            folder / "training",
            seed=seed,
            processes=processes,
            device=device_named(device),
            precision=precision_named(precision),
            seconds=None if hours is None else 3600 * hours,
            tensorboard=tensorboard,
        )
        asked = config_file.given(context, out=folder.absolute())
        report = train_and_save(target.architecture, job, folder, asked, force=force)
        print_json(report) if json else print_report(report)


def train_and_save(
    architecture: Architecture, job: Job, folder: Path, asked: config_file.Asked, *, force: bool
) -> dict[str, Json]:
    """Trains under a bar and saves the network, and what the command was asked for.

    Returns:
        What there is to report.
    """
    from naokit.export import save
    from naokit.networks import count_parameters
    from naokit.training.aside import set_aside, settle

    settle(job.folder)  # a training that a kill left aside
    _check_free(job, folder / "network", force=force)
    say_what_was_read(job.subject.data)
    with set_aside(job.folder) if force else nullcontext():
        bundle = train_under_bar(architecture, job, lambda: asked.write(job.folder))
    save(bundle, folder / "network")
    return {
        "architecture": str(bundle.architecture),
        **how_read(bundle.architecture.space),
        "folder": str(folder / "network"),
        "parameters": count_parameters(bundle.network),
        **job.subject.left_out(),
        **bundle.results,
    }


def _check_free(job: Job, network: Path, *, force: bool) -> None:
    """Raises InputError, before anything is trained, where another network would be lost."""
    from naokit.base import InputError
    from naokit.export.config import CONFIG

    begun = (job.folder / "last.safetensors").exists()  # it knows whether it is this training's
    if (network / CONFIG).exists() and not begun and not force:
        raise InputError(
            f"{network} holds a network of another training: name another folder (--out), or give "
            "--force"
        )


def print_report(report: dict[str, Json]) -> None:
    """What a person reads at the end of a training."""
    from naokit.report import reached

    scores, of = reached(report), report["recipe"]["epochs"]
    done = epochs_done(report["epochs_done"], of)
    epochs = f"epoch {report['best_epoch']} of {of}" if report["best_epoch"] else done
    said = [scores.get("validation"), epochs, scores.get("test")]
    say(", ".join(part for part in said if part))
    if begun := report.get("warm_start"):
        tokens = f", {begun['tokens']} of {begun['of_tokens']} tokens" if "tokens" in begun else ""
        say(f"began with {begun['taken']} of {begun['of']} tensors of the trained weights{tokens}")
    if not report["complete"]:
        say(f"out of time before the last epoch, after {done}: the same command continues")
    if not scores and not report["complete"]:
        say("what the network reaches was not measured: no time was left for that")
    if report["batches_in_parts"] > 1:
        say(
            f"memory ran out: batches went through in {report['batches_in_parts']} parts, "
            "their gradients were added"
        )
    if report["reloads"]:
        times = counted(report["reloads"], "time")
        say(f"the loss broke {times}; the best weights were taken up again")
    if any(report.get("unknown", {}).values()):
        unknown = ", ".join(f"{count} in {part}" for part, count in report["unknown"].items())
        say(f"tokens that the vocabulary does not know: {unknown}")
    if report.get("skipped"):
        pictures = counted(len(report["skipped"]), "picture")
        say(f"left out {pictures} that cannot be decoded")
    say(f"saved in {report['folder']}; next: naokit export {report['folder']}")


def train_under_bar(
    architecture: Architecture, job: Job, on_begin: Callable[[], None] | None = None
) -> Bundle:
    """`final.train_final` under a progress bar with the time left."""
    from naokit.runs.final import train_final

    subject, recipe = job.subject, job.recipe
    measured, unit = len(subject.data.validation) > 0, subject.metric.unit
    size = subject.size_in_words()
    say(f"network: {size}; recipe: {recipe.name}, epochs {recipe.epochs}", err=True)
    for name, table in how_read(architecture.space).items():
        say(f"{name}: {table}", err=True)
    with progress() as bar:
        task = bar.add_task(f"{'training':12}", total=recipe.epochs, note="")

        held = len(subject.data.test)
        test = bar.add_task(f"{'test part':12}", start=False, total=held, visible=False, note="")

        def told(epoch: Epoch) -> None:
            found = f", validation {epoch.validation:.2f}{unit}" if measured else ""
            bar.update(task, completed=epoch.number, note=f"loss {epoch.loss:.3f}{found}")

        def stepped(epochs: float) -> None:
            bar.update(task, completed=round(epochs, 2))
            if measured and epochs % 1 == 0:
                bar.update(task, note="measuring the validation part")

        def tested(amount: int) -> None:
            bar.stop_task(task)
            bar.start_task(test)
            bar.update(test, completed=amount, visible=True)

        return train_final(
            architecture,
            job,
            on_begin=on_begin,
            on_epoch=told,
            on_step=stepped,
            on_tested=tested,
        )
