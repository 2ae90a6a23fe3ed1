"""What `naokit plan` prints: a table of what the presets cost, what it rests on, what to do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from naokit.cli.durations import between, spoken
from naokit.cli.output import say
from naokit.cli.plan_check import check_lines
from naokit.wording import exact

if TYPE_CHECKING:
    from naokit.base import Json


def as_typed(options: Mapping[str, object]) -> str:
    """A search as it is typed, without the options that are None."""
    given = {name: value for name, value in options.items() if value is not None}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    return shlex.join(["naokit", "search", *words])


def print_plan(found: dict[str, Json]) -> None:
    """Prints what was found."""
    from rich.console import Console
    from rich.table import Table

    title = f"What {exact(found['hours'])} hours afford here on {found['data']}"
    table = Table(title=title, title_justify="left")
    size = found["size"]
    for column in ("preset", *size, "one evaluation", "evaluations", "final training"):
        table.add_column(column, overflow="fold")
    for row in found["options"]:
        table.add_row(
            row["preset"] if row["own"] else f"({row['preset']})",
            *(str(row[name]) for name in size),
            _span(row["evaluation"]),
            _count(row),
            _span(row["final"]) if row["own"] else "",
        )
    Console().print(table)
    say(*_lines(found))


def _span(estimate: dict[str, Json]) -> str:
    """The likely time, below it the range."""
    return f"{spoken(estimate['seconds'])}\n{between(estimate['low'], estimate['high'])}"


def _count(row: dict[str, Json]) -> str:
    """How many evaluations, below it the range."""
    if not row["evaluations_high"]:
        return "none"
    return f"{row['evaluations']:,}\n{row['evaluations_low']:,} to {row['evaluations_high']:,}"


def _lines(found: dict[str, Json]) -> list[str]:
    """What the table rests on, and what to do."""
    threads = f"{found['threads']} thread{'s' * (found['threads'] > 1)}"
    lines = [
        f"An estimate: {found['steps']} training steps, measured in "
        f"{spoken(found['measured_seconds'])} on {found['device']}, {threads}.",
        f"Ranges run from the fastest to the slowest of {found['architectures']} random cells. "
        "Other work on the machine,",
        "and a search that comes to favour larger cells, take longer.",
        "Counted besides the evaluations: the winner's final training, the best few evaluated",
        "again, and random search with as many evaluations where the preset has it (quick).",
        "Where unpromising evaluations stop early (quick) these are whole ones; several times as",
        "many architectures are looked at for them.",
    ]
    if not all(row["evaluation"]["steps"] for row in found["options"]):
        lines.append(
            "What would take far longer than the hours was not measured, but estimated from"
        )
        lines.append("the multiply-adds of its networks.")
    if not all(row["own"] for row in found["options"]):
        lines.append("In brackets: another size, from Python (naokit.evaluators).")
    lines += check_lines(found["check"]) if "check" in found else []
    if found["next"]:
        return [*lines, f"Next: {found['next']}"]
    least = found["least"]
    cheapest = min(found["options"], key=lambda row: row["preset_seconds"])
    return [
        *lines,
        f"No preset fits. The cheapest, {cheapest['preset']}, takes "
        f"{spoken(cheapest['preset_seconds'])} as it is; the least that would fit is one "
        f"evaluation in {spoken(3600 * least['hours'])},",
        "without the final training (--no-final) in "
        f"{spoken(3600 * least['hours_without_final'])}.",
        f"Next: {least['command']}",
    ]
