"""Summarises the runs of a benchmark: queries to the best, curves, a table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from naokit.base import Direction, Json, sign_of
from naokit.bench.search import Search
from naokit.bench.task import TableTask
from naokit.bench.timing import figure, times_table
from naokit.report.intervals import half_interval
from naokit.wording import counted, prose

MARKS = (10, 20, 50, 100, 200, 300, 500, 1000)
"""The numbers of evaluations that the table shows, as far as the budget goes, beside its end."""


def marks_of(evaluations: int) -> list[int]:
    """The numbers of evaluations after which a search of this many is looked at."""
    return [*(mark for mark in MARKS if mark < evaluations), evaluations]


def summarise(runs: Sequence[Search], task: TableTask, best: float) -> dict[str, Json]:
    """The results of a method over its seeds.

    A run that has not found the best counts as a failure, and with all its evaluations in mean and
    median. With failures the mean is a lower bound.

    Returns:
        `mean_queries_to_best` with its standard error, `median_queries_to_best`,
        `max_queries_to_best`, `failures`, `queries_to_best` by seed (null: failed),
        `seconds_per_suggestion` (processor time), and `validation` and `test`: for each number of
        evaluations the mean over seeds of the best so far and half its 95 % interval;
        `validation_at`: the best so far of each seed after 10, 20, 50, ... evaluations and at the
        end.
    """
    queries = [_queries_to(best, found) for found in runs]
    counted = [
        found.evaluations if q is None else q for q, found in zip(queries, runs, strict=True)
    ]
    curves = [best_so_far(found, task.direction) for found in runs]
    summary: dict[str, Json] = {
        "seeds": len(runs),
        "mean_queries_to_best": statistics.fmean(counted),
        "standard_error": statistics.stdev(counted) / len(runs) ** 0.5 if len(runs) > 1 else None,
        "median_queries_to_best": statistics.median(counted),
        "max_queries_to_best": max(counted),
        "failures": sum(q is None for q in queries),
        "queries_to_best": queries,
        "seconds_per_suggestion": sum(f.seconds for f in runs)
        / max(1, sum(len(f.values) for f in runs)),
        "validation": _curve([validation for validation, _ in curves]),
        "validation_at": {
            str(mark): [validation[mark - 1] for validation, _ in curves]
            for mark in marks_of(runs[0].evaluations)
        },
    }
    if task.test_metric:
        summary["test"] = _curve([test for _, test in curves])
    return summary


def _queries_to(best: float, found: Search) -> int | None:
    return found.values.index(best) + 1 if best in found.values else None


def best_so_far(
    found: Search, direction: Direction
) -> tuple[list[float | None], list[float | None]]:
    """The best value after each evaluation, and the test value of that architecture.

    A run that ended early has found the best, or has nothing left: its last value stays.
    """
    sign = sign_of(direction)
    place: int | None = None
    places: list[int | None] = []
    for index, value in enumerate(found.values):
        held = None if place is None else found.values[place]
        if value is not None and (held is None or sign * value > sign * held):
            place = index
        places.append(place)
    places += [place] * (found.evaluations - len(places))
    test = found.test or [None] * len(found.values)
    return (
        [None if p is None else found.values[p] for p in places],
        [None if p is None else test[p] for p in places],
    )


def _curve(curves: Sequence[Sequence[float | None]]) -> dict[str, list[float | None]]:
    """Mean and half a 95 % interval of the mean (Student's t) after each evaluation."""
    means: list[float | None] = []
    intervals: list[float | None] = []
    for column in zip(*curves, strict=True):
        values = [value for value in column if value is not None]
        means.append(statistics.fmean(values) if values else None)
        intervals.append(half_interval(values))
    return {"mean": means, "interval_95": intervals}


def markdown(summary: dict[str, Json]) -> str:
    """A table with a line for each method, and one of the times where evaluations have costs."""
    marks = marks_of(summary["evaluations"])
    heads = ["method", "seeds", "queries to the best (mean ± s.e.)", "median", "max", "failures"]
    heads += [f"@{mark}" for mark in marks] + ["ms / suggestion"]
    lines = [
        f"{prose(summary['task']['space'])}, {prose(summary['task']['metric'])}: "
        f"{counted(summary['evaluations'], 'evaluation')}, "
        f"{counted(summary['workers'], 'worker')}, best {figure(summary['best'])}",
        "",
        "| " + " | ".join(heads) + " |",
        "|---" * len(heads) + "|",
    ]
    for name, found in summary["methods"].items():
        error = found["standard_error"]
        over = "over " if found["failures"] else ""
        cells = [
            prose(name),
            f"{found['seeds']}",
            f"{over}{found['mean_queries_to_best']:.1f}"
            + ("" if error is None else f" ± {error:.1f}"),
            f"{found['median_queries_to_best']:g}",
            f"{found['max_queries_to_best']}",
            f"{found['failures']}",
            *(figure(found["validation"]["mean"][mark - 1]) for mark in marks),
            f"{1000 * found['seconds_per_suggestion']:.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    times = f"\n{times_table(summary)}" if summary["task"].get("cost_column") else ""
    return "\n".join(lines) + "\n" + times
