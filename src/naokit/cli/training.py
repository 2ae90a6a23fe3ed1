"""What `naokit train` and `naokit transfer` share: a training under a bar, saved and told."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import InputError
from naokit.cli.options import ScheduleOptions, TrainingOptions
from naokit.cli.output import progress, say
from naokit.wording import counted, epochs_done

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from naokit.base import Json
    from naokit.cli import config_file
    from naokit.export import Bundle
    from naokit.report.contents import Saved
    from naokit.runs.final import Job
    from naokit.space import Architecture
    from naokit.training.loop import Epoch


def job_of(
    reads: str,
    data: str,
    recipe: str,
    folder: Path,
    sizes: Mapping[str, Json],
    asked: TrainingOptions,
    schedule: ScheduleOptions,
    warm_start: Path | None = None,
) -> Job:
    """How one network is trained.

    Args:
        reads: What the network reads.
        data: What it learns from.
        recipe: The name of the recipe.
        folder: Where `training/` and `network/` are to be.
        sizes: The size of the network, and the tokens of a text, where they are given.
        asked: The options of the command.
        schedule: What is changed of the recipe.
        warm_start: The weights to begin with.
    """
    from naokit.cli.subject import check_options, recipe_for, subject_of
    from naokit.runs.final import Job
    from naokit.runs.folder import TRAINING
    from naokit.training.device import device_named, precision_named

    check_options(reads, {"processes": asked.processes > 1})
    read = {**dataclasses.asdict(asked.pictures), "all_data": asked.all_data}
    return Job(
        subject_of(reads, data, {**sizes, **read, "decoders": asked.decoders}),
        recipe_for(
            reads, recipe, schedule.epochs, balance=asked.balance, settings=schedule.settings
        ),
        folder / TRAINING,
        seed=asked.seed,
        processes=asked.processes,
        device=device_named(asked.device),
        precision=precision_named(asked.precision),
        seconds=None if asked.hours is None else 3600 * asked.hours,
        tensorboard=asked.tensorboard,
        warm_start=warm_start,
    )


def train_and_save(
    architecture: Architecture,
    job: Job,
    folder: Path,
    asked: config_file.GivenOptions,
    *,
    force: bool,
) -> Saved:
    """Trains under a bar and saves the network, and what the command was asked for.

    Returns:
        What there is to report.
    """
    from naokit.cli.subject import say_what_was_read
    from naokit.export import save
    from naokit.networks import count_parameters
    from naokit.report.contents import Saved
    from naokit.runs.folder import NETWORK
    from naokit.runs.run import read_as
    from naokit.training.aside import set_aside, settle

    settle(job.folder)  # a training that a kill left aside
    _check_free(job, folder / NETWORK, force=force)
    say_what_was_read(job.subject.data)
    with set_aside(job.folder) if force else nullcontext():
        bundle = train_under_bar(architecture, job, lambda: asked.write(job.folder))
    save(bundle, folder / NETWORK)
    return Saved(
        str(bundle.architecture),
        read_as(bundle.architecture.space),
        str(folder / NETWORK),
        count_parameters(bundle.network),
        job.subject.left_out(),
        bundle.results,
    )


def _check_free(job: Job, network: Path, *, force: bool) -> None:
    """Raises InputError, before anything is trained, where another network would be lost."""
    from naokit.export.config import CONFIG

    begun = (job.folder / "last.safetensors").exists()  # it knows whether it is this training's
    if (network / CONFIG).exists() and not begun and not force:
        raise InputError(
            f"{network} holds a network of another training: name another folder (--out), or give "
            "--force"
        )


def print_report(saved: Saved) -> None:
    """What a person reads at the end of a training."""
    results = saved.results
    scores, of = results.reached, results.recipe["epochs"]
    done = epochs_done(results.epochs_done, of)
    epochs = f"epoch {results.best_epoch} of {of}" if results.best_epoch else done
    said = [scores.get("validation"), epochs, scores.get("test")]
    say(", ".join(part for part in said if part))
    if begun := results.warm_start:
        tokens = f", {begun['tokens']} of {begun['of_tokens']} tokens" if "tokens" in begun else ""
        say(f"began with {begun['taken']} of {begun['of']} tensors of the trained weights{tokens}")
    if not results.complete:
        say(f"out of time before the last epoch, after {done}: the same command continues")
    if not scores and not results.complete:
        say("what the network reaches was not measured: no time was left for that")
    if results.batches_in_parts > 1:
        say(
            f"memory ran out: batches went through in {results.batches_in_parts} parts, "
            "their gradients were added"
        )
    if results.reloads:
        times = counted(results.reloads, "time")
        say(f"the loss broke {times}; the best weights were taken up again")
    if any(saved.left_out.get("unknown", {}).values()):
        counts = saved.left_out["unknown"].items()
        unknown = ", ".join(f"{count} in {part}" for part, count in counts)
        say(f"tokens that the vocabulary does not know: {unknown}")
    if saved.left_out.get("skipped"):
        pictures = counted(len(saved.left_out["skipped"]), "picture")
        say(f"left out {pictures} that cannot be decoded")
    say(f"saved in {saved.folder}; next: naokit export {saved.folder}")


def train_under_bar(
    architecture: Architecture, job: Job, on_begin: Callable[[], None] | None = None
) -> Bundle:
    """`final.train_final` under a progress bar with the time left."""
    from naokit.runs.final import train_final
    from naokit.runs.run import read_as

    subject, recipe = job.subject, job.recipe
    measured, unit = len(subject.data.validation) > 0, subject.metric.unit
    size = subject.size_in_words()
    say(f"network: {size}; recipe: {recipe.name}, epochs {recipe.epochs}", err=True)
    for name, table in read_as(architecture.space).items():
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
