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
    from naokit.cli.planned import Planned
    from naokit.profiling import Estimate
    from naokit.runs.planning import Option


def as_typed(options: Mapping[str, object]) -> str:
    """A search as it is typed, without the options that are None."""
    given = {name: value for name, value in options.items() if value is not None}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    return shlex.join(["naokit", "search", *words])


def print_plan(found: Planned) -> None:
    """Prints what was found."""
    from rich.console import Console
    from rich.table import Table

    title = f"What {exact(found.hours)} hours afford here on {found.data}"
    table = Table(title=title, title_justify="left")
    for column in ("preset", *found.size, "one evaluation", "evaluations", "final training"):
        table.add_column(column, overflow="fold")
    for option in found.options:
        name, size = option.preset.name, option.preset.size()
        table.add_row(
            name if option.own else f"({name})",
            *map(str, size.values()),
            _span(option.evaluation),
            _count(option, found.seconds),
            _span(option.final) if option.own else "",
        )
    Console().print(table)
    say(*_lines(found))


def _span(estimate: Estimate) -> str:
    """The likely time, below it the range."""
    return f"{spoken(estimate.seconds)}\n{between(estimate.low, estimate.high)}"


def _count(option: Option, seconds: float) -> str:
    """How many evaluations, below it the range."""
    likely, least, most = option.affords(seconds)
    return f"{likely:,}\n{least:,} to {most:,}" if most else "none"


def _lines(found: Planned) -> list[str]:
    """What the table rests on, and what to do."""
    threads = f"{found.threads} thread{'s' * (found.threads > 1)}"
    lines = [
        f"An estimate: {found.steps} training steps, measured in "
        f"{spoken(found.measured_seconds)} on {found.device}, {threads}.",
        f"Ranges run from the fastest to the slowest of {found.architectures} random cells. "
        "Other work on the machine,",
        "and a search that comes to favour larger cells, take longer.",
        "Counted besides the evaluations: the winner's final training, the best few evaluated",
        "again, and random search with as many evaluations where the preset has it (quick).",
        "Where unpromising evaluations stop early (quick) these are whole ones; several times as",
        "many architectures are looked at for them.",
    ]
    if described := max(option.described for option in found.options):
        lines.append(
            f"Describing untrained networks is counted too: at most {described:.0%} of each "
            "evaluation."
        )
    if not all(option.evaluation.steps for option in found.options):
        lines.append(
            "What would take far longer than the hours was not measured, but estimated from"
        )
        lines.append("the multiply-adds of its networks.")
    if not all(option.own for option in found.options):
        lines.append("In brackets: another size, from Python (naokit.evaluators).")
    lines += check_lines(found.check) if found.check is not None else []
    least = found.least
    if least is None:
        return [*lines, f"Next: {found.command}"]
    cheapest = min(found.options, key=_whole)
    return [
        *lines,
        f"No preset fits. The cheapest, {cheapest.preset.name}, takes "
        f"{spoken(_whole(cheapest))} as it is; the least that would fit is one "
        f"evaluation in {spoken(3600 * least.hours)},",
        f"without the final training (--no-final) in {spoken(3600 * least.hours_without_final)}.",
        f"Next: {least.command}",
    ]


def _whole(option: Option) -> float:
    """The seconds of a search of as many evaluations as the preset has."""
    return option.seconds(option.preset.evaluations)
