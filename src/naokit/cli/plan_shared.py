"""What `naokit plan --evaluator supernet` measures and prints."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
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


def plan_shared(
    chosen: Sequence[Preset],
    architectures: Sequence[Architecture],
    subject: Subject,
    fabric: Fabric,
    hours: float,
    asked: Mapping[str, object],
) -> dict[str, Json]:
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
    return {
        "data": asked["data"],
        "space": asked["space"],
        "evaluator": "supernet",
        "hours": hours,
        "device": fabric.device.type,
        "measured_seconds": time.monotonic() - began,
        "options": [_row(option) for option in options],
        "recommended": None if best is None else best.preset.name,
        "next": None
        if best is None
        else as_typed({"evaluator": "supernet", **asked, "preset": best.preset.name}),
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
        "shared": dataclasses.asdict(option.training),
        "memory_mb": option.memory / 1e6,
        "cells_a_minute": 60 / option.cell,
        "scoring_seconds": option.scoring,
        "trained": option.preset.repeat,
        "own": dataclasses.asdict(option.own),
        "final": dataclasses.asdict(option.final),
        "seconds": option.seconds,
    }


def print_shared_plan(found: dict[str, Json]) -> None:
    """Prints what was found."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Weight sharing here on {found['data']}", title_justify="left")
    columns = ("preset", "shared network", "memory", "scoring", "best trained", "final", "in all")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in found["options"]:
        own = row["own"]["seconds"]
        table.add_row(
            row["preset"],
            f"{spoken(row['shared']['seconds'])}\n"
            f"{between(row['shared']['low'], row['shared']['high'])}",
            f"{row['memory_mb']:,.0f} MB",
            f"{spoken(row['scoring_seconds'])}\n{row['cells_a_minute']:,.0f} cells a minute",
            f"{row['trained']} x {spoken(own)}",
            spoken(row["final"]["seconds"]),
            spoken(row["seconds"]),
        )
    Console().print(table)
    lines = [
        f"An estimate, measured in {spoken(found['measured_seconds'])} on {found['device']}.",
        "Memory is that of the shared weights, their gradients and momenta; what one cell computes",
        "comes on top (naokit profile).",
    ]
    if found["next"] is None:
        lines.append(f"None fits into {exact(found['hours'])} hours; the same command continues.")
    else:
        lines.append(f"Next: {found['next']}")
    say(*lines)
