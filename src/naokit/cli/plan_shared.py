"""What `naokit plan --evaluator supernet` measures and prints."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from naokit.cli.durations import between, spoken
from naokit.cli.output import progress, say
from naokit.cli.plan_words import as_typed
from naokit.wording import exact

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from naokit.base import Json
    from naokit.presets import Preset
    from naokit.runs.shared_planning import SharedOption
    from naokit.space import Architecture
    from naokit.subject import Subject

NETWORKS = 3
"""How many networks are measured for each preset."""


@dataclass(frozen=True)
class SharedPlan:
    """What each way to search by weight sharing costs here, and what to do.

    Attributes:
        data: The data as they were named.
        space: The space as it was named.
        hours: How long the whole search may take.
        device: The type of the device that was measured.
        measured_seconds: How long measuring took.
        options: The presets from the least to the most thorough; the first that does not fit is
            the last.
        best: The most thorough preset that fits. If None, none does.
        command: The search by that preset as it is typed.
    """

    data: str
    space: str
    hours: float
    device: str
    measured_seconds: float
    options: tuple[SharedOption, ...]
    best: SharedOption | None
    command: str | None

    @property
    def epochs(self) -> int | None:
        """How many epochs the shared network of the best can have; None if hardly more."""
        return None if self.best is None else self.best.longer(3600 * self.hours)

    def to_json(self) -> dict[str, Json]:
        """One object."""
        return {
            "data": self.data,
            "space": self.space,
            "evaluator": "supernet",
            "hours": self.hours,
            "device": self.device,
            "measured_seconds": self.measured_seconds,
            "options": [_row(option) for option in self.options],
            "recommended": None if self.best is None else self.best.preset.name,
            "epochs_in_all": self.epochs,
            "next": self.command,
        }


def _row(option: SharedOption) -> dict[str, Json]:
    sharing = option.sharing
    return {
        "preset": option.preset.name,
        **sharing.size,
        "recipe": sharing.recipe,
        "rounds": sharing.rounds,
        "pool": sharing.pool,
        "evaluations": option.preset.evaluations,
        "shared": dataclasses.asdict(option.shared.training),
        "memory_mb": option.shared.memory / 1e6,
        "cells_a_minute": 60 / option.shared.cell,
        "scoring_seconds": option.scoring,
        "trained": option.preset.repeat,
        "own": dataclasses.asdict(option.own),
        "final": dataclasses.asdict(option.final),
        "seconds": option.seconds,
    }


def plan_shared(
    chosen: Sequence[Preset],
    architectures: Sequence[Architecture],
    subject: Subject,
    fabric: Fabric,
    hours: float,
    asked: Mapping[str, object],
) -> SharedPlan:
    """What each preset costs, and the most thorough one that fits."""
    from naokit.runs.shared_planning import measure_shared

    began, options = time.monotonic(), list["SharedOption"]()
    with progress() as bar:
        task = bar.add_task(
            f"{'measuring':12}", total=NETWORKS * len(chosen), completed=-1, note=""
        )
        for preset in chosen:
            option = measure_shared(
                preset,
                architectures,
                subject,
                fabric,
                lambda what: bar.update(task, advance=1, note=what),
            )
            options.append(option)
            if option.seconds > 3600 * hours:
                break  # the next ones are more thorough
        done = bar.tasks[0].completed + 1
        bar.update(task, completed=done, total=done, note="")
    there = len(subject.data.train)  # a recipe that takes a part of more is not meant for these
    fitting = [o for o in options if o.seconds <= 3600 * hours and o.part <= there]
    best = fitting[-1] if fitting else None
    return SharedPlan(
        str(asked["data"]),
        str(asked["space"]),
        hours,
        fabric.device.type,
        time.monotonic() - began,
        tuple(options),
        best,
        None
        if best is None
        else as_typed({"evaluator": "supernet", **asked, "preset": best.preset.name}),
    )


def print_shared_plan(found: SharedPlan) -> None:
    """Prints what was found."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Weight sharing here on {found.data}", title_justify="left")
    columns = ("preset", "shared network", "memory", "scoring", "best trained", "final", "in all")
    for column in columns:
        table.add_column(column, overflow="fold")
    for option in found.options:
        shared = option.shared.training
        table.add_row(
            option.preset.name,
            f"{spoken(shared.seconds)}\n{between(shared.low, shared.high)}",
            f"{option.shared.memory / 1e6:,.0f} MB",
            f"{spoken(option.scoring)}\n{60 / option.shared.cell:,.0f} cells a minute",
            f"{option.preset.repeat} x {spoken(option.own.seconds)}",
            spoken(option.final.seconds),
            spoken(option.seconds),
        )
    Console().print(table)
    lines = [
        f"An estimate, measured in {spoken(found.measured_seconds)} on {found.device}.",
        "Memory is that of the shared weights, their gradients and momenta, and of an update.",
    ]
    if found.command is None:
        lines.append(f"None fits into {exact(found.hours)} hours; the same command continues.")
    else:
        if found.epochs is not None:
            lines.append(
                f"The hours suffice for {found.epochs} epochs of the shared network: add "
                f"--epochs-in-all {found.epochs} where its scores do not rank."
            )
        lines.append(f"Next: {found.command}")
    say(*lines)
