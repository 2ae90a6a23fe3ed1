"""What searches took in virtual time, beside the same searches by one worker."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from naokit.base import Direction, Json
from naokit.bench.search import Search
from naokit.wording import prose

MARKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""After how many mean costs of an evaluation the table shows the best value."""


def timed(
    runs: Sequence[Search], alone: Sequence[Search], best: float, direction: Direction, cost: float
) -> dict[str, Json]:
    """The times of a method over its seeds.

    A run that has not found the best counts with the time of its last evaluation. Where a run of
    either kind has not, there is no comparison with one worker.

    Args:
        runs: The searches.
        alone: Those of one worker, of the same seeds.
        best: The best value of the table.
        direction: Whether values are maximised or minimised.
        cost: The mean cost of the table's evaluations.

    Returns:
        `mean_time_to_best` with its `time_standard_error`, `median_time_to_best`, `time_to_best` by
        seed (null: failed); `speed_up`, the mean time of one worker over this, and
        `further_queries`, the mean number of queries to the best beyond those of one worker;
        `idle`, the share of their time that synchronous workers waited for the slowest;
        `value_at_time`: the best value of each seed by a time.
    """
    times = [time_to(best, found) for found in runs]
    spent = [
        max(found.ended, default=0.0) if time is None else time
        for time, found in zip(times, runs, strict=True)
    ]
    marks = [mark * cost for mark in MARKS if mark * runs[0].workers <= runs[0].evaluations]
    return {
        "time_to_best": times,
        "mean_time_to_best": statistics.fmean(spent),
        "time_standard_error": statistics.stdev(spent) / len(spent) ** 0.5
        if len(spent) > 1
        else None,
        "median_time_to_best": statistics.median(spent),
        "idle": statistics.fmean(found.idle for found in runs),
        "value_at_time": {
            f"{mark:.6g}": [value_at(mark, found, direction) for found in runs] for mark in marks
        },
        **_beside_one(runs, alone, best),
    }


def time_to(best: float, found: Search) -> float | None:
    """When the first query of this value ended; None if there was none."""
    pairs = zip(found.values, found.ended, strict=True)
    return min((end for value, end in pairs if value == best), default=None)


def value_at(time: float, found: Search, direction: Direction) -> float | None:
    """The best value of the queries that had ended by a time; None if there was none."""
    pairs = zip(found.values, found.ended, strict=True)
    values = [value for value, end in pairs if value is not None and end <= time]
    return (max if direction == "maximize" else min)(values, default=None)


def _beside_one(
    runs: Sequence[Search], alone: Sequence[Search], best: float
) -> dict[str, float | None]:
    """How much faster it was than one worker, and how many more queries it needed."""
    if not all(best in found.values for found in (*runs, *alone)):
        return {"speed_up": None, "further_queries": None}
    time, of_one = (_mean_time(best, searches) for searches in (runs, alone))
    further = [
        one.values.index(best) - other.values.index(best)
        for one, other in zip(runs, alone, strict=True)
    ]
    return {"speed_up": of_one / time, "further_queries": statistics.fmean(further)}


def _mean_time(best: float, runs: Sequence[Search]) -> float:
    return statistics.fmean(time for found in runs if (time := time_to(best, found)) is not None)


def times_table(summary: dict[str, Json]) -> str:
    """A table with a line for each method."""
    marks = list(next(iter(summary["methods"].values()))["value_at_time"])
    heads = ["method", "time to the best (mean ± s.e.)", "median", "speed-up", "further queries"]
    heads += [*(["idle"] if summary["synchronous"] else []), *(f"by {mark}" for mark in marks)]
    lines = [
        f"In {prose(summary['task']['cost_column'])}, {figure(summary['cost'])} on average an "
        f"evaluation{', workers wait for each other' if summary['synchronous'] else ''}; beside "
        "one worker:",
        "",
        "| " + " | ".join(heads) + " |",
        "|---" * len(heads) + "|",
    ]
    for name, found in summary["methods"].items():
        error = found["time_standard_error"]
        cells = [
            prose(name),
            ("over " if found["failures"] else "")
            + figure(found["mean_time_to_best"])
            + ("" if error is None else f" ± {error:.3g}"),
            figure(found["median_time_to_best"]),
            figure(found["speed_up"]),
            "-" if found["further_queries"] is None else f"{found['further_queries']:+.1f}",
            *([f"{100 * found['idle']:.1f} %"] if summary["synchronous"] else []),
            *(_mean(found["value_at_time"][mark]) for mark in marks),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _mean(values: Sequence[float | None]) -> str:
    """The mean of the searches, once each has a value."""
    known = [value for value in values if value is not None]
    return figure(statistics.fmean(known) if len(known) == len(values) else None)


def figure(value: float | None) -> str:
    """A number with six digits; a dash where there is none."""
    return "-" if value is None else f"{value:.6g}"
