"""Methods beside each other, from the summaries that benchmarks wrote: what `naokit report` shows.

    FOLDER            all summaries in the folder of a benchmark
    FOLDER/NAME.json  one of them

A summary has the values of each search after 10, 20, 50, ... evaluations. Searches of equal seeds
begin alike, so that methods are compared by the differences between these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from statistics import fmean

from naokit.base import Direction, InputError, Json
from naokit.files import parse_json, read_text
from naokit.report.beside import Compared, CurvePoint, Difference, Effort, Group
from naokit.report.intervals import half_interval
from naokit.runs.folder import is_run
from naokit.version import __version__
from naokit.wording import counted

RUNS = "runs.jsonl"
"""The file of a benchmark's folder that holds its searches."""


def is_bench(path: Path) -> bool:
    """Whether a path is the folder of a benchmark, or one of its summaries."""
    return path.suffix == ".json" or ((path / RUNS).is_file() and not is_run(path))


@dataclass(frozen=True)
class _Method:
    """A method on a table.

    Attributes:
        group: What is shown of it.
        at: The value of each search after so many evaluations; None where it had none yet.
    """

    group: Group
    at: dict[int, list[float | None]]


@dataclass(frozen=True)
class _Summary:
    """What one file says.

    Attributes:
        path: The file.
        table: The space and the column of the values.
        direction: Which way they are better.
        best: The best value of the table.
        methods: The methods.
    """

    path: Path
    table: tuple[str, str]
    direction: Direction
    best: float
    methods: tuple[_Method, ...]

    @property
    def meaning(self) -> str:
        """What has to be the same where values are compared."""
        return f"{self.table[1]} of {self.table[0]}, {self.direction}, best {self.best!r}"


def compared_methods(paths: Sequence[Path]) -> Compared:
    """The methods of benchmarks beside each other.

    Args:
        paths: Folders of benchmarks, or summaries.

    Raises:
        InputError: There is no summary, one is damaged, or their values mean different things.
    """
    summaries = [_read(path) for given in paths for path in _files(given)]
    first = summaries[0]
    for other in summaries[1:]:
        if other.meaning != first.meaning:
            raise InputError(
                f"{first.path} and {other.path} cannot be compared: {first.meaning}, and "
                f"{other.meaning}; name the files of one table"
            )
    methods = _told_apart(summaries)
    space, metric = first.table
    return Compared(
        f"{space}, {metric}",
        __version__,
        metric,
        first.direction,
        "evaluations",
        (),
        tuple(one.group for one in methods),
        tuple(_differences(methods, first.direction)),
        first.best,
    )


def _files(path: Path) -> list[Path]:
    """The summaries that a path stands for."""
    if not path.is_dir():
        return [path]
    found = [one for one in sorted(path.glob("*.json")) if one.is_file()]
    if not found:
        raise InputError(
            f"{path} holds no summary: the benchmark has not ended; the same `naokit bench` "
            "command again continues it"
        )
    return found


def _read(path: Path) -> _Summary:
    """What a file says; raises InputError for one that is damaged or something else."""
    found = parse_json(read_text(path), path)
    try:
        return _summary(path, found)
    except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(
            f"{path} is no summary of `naokit bench`, or a damaged one: "
            f"{type(error).__name__}: {error}; name a folder that it wrote"
        ) from error


def _summary(path: Path, found: dict[str, Json]) -> _Summary:
    """What a summary says."""
    task, workers = found["task"], _workers(found)
    methods = tuple(_method(name, one, workers) for name, one in found["methods"].items())
    if not methods:
        raise ValueError("no methods")
    direction: Direction = "minimize" if task["direction"] == "minimize" else "maximize"
    table = str(task["space"]), str(task["metric"])
    return _Summary(path, table, direction, _number(found["best"]), methods)


def _workers(found: dict[str, Json]) -> str:
    """How the searches of a summary were spread, in words; "" for one worker."""
    if found["workers"] == 1:
        return ""
    waiting = ", synchronous" if found.get("synchronous") else ""
    return f", {counted(int(found['workers']), 'worker')}{waiting}"


def _method(name: str, found: dict[str, Json], workers: str) -> _Method:
    """A method of a summary."""
    at = {
        int(mark): [None if value is None else _number(value) for value in values]
        for mark, values in found["validation_at"].items()
    }
    last = max(at)
    values = tuple(value for value in at[last] if value is not None)
    error = found["standard_error"]
    group = Group(
        name + workers,
        tuple(f"seed {seed}" for seed in range(len(at[last]))),
        values,
        fmean(values) if values else None,
        tuple(_curve(found["validation"])),
        last,
        Effort(
            _number(found["mean_queries_to_best"]),
            None if error is None else _number(error),
            int(found["failures"]),
            _number(found["seconds_per_suggestion"]),
        ),
    )
    return _Method(group, at)


def _number(value: Json) -> float:
    """A finite number; raises ValueError or TypeError for anything else."""
    if not math.isfinite(value):
        raise ValueError(f"{value} among the values")
    return float(value)


def _curve(found: dict[str, list[float | None]]) -> Iterator[CurvePoint]:
    """The mean of the best so far and its interval, from where there is one."""
    rows = zip(found["mean"], found["interval_95"], strict=True)
    for at, (mean, half) in enumerate(rows, 1):
        if mean is not None:
            middle, reach = _number(mean), _number(half or 0.0)
            yield CurvePoint(at, middle, middle - reach, middle + reach)


def _told_apart(summaries: Sequence[_Summary]) -> list[_Method]:
    """The methods of all; those of one name are told apart by their files."""
    found = [(one, summary.path) for summary in summaries for one in summary.methods]
    names = [one.group.name for one, _ in found]
    return [
        one
        if names.count(one.group.name) == 1
        else replace(one, group=replace(one.group, name=f"{one.group.name}, {path}"))
        for one, path in found
    ]


def _differences(methods: Sequence[_Method], direction: Direction) -> Iterator[Difference]:
    """Each method beside each other one, wherever all have values."""
    marks = sorted(set.intersection(*(set(one.at) for one in methods)))
    for one, other in combinations(methods, 2):
        for mark in marks:
            yield _difference(one, other, mark, direction)


def _difference(one: _Method, other: _Method, mark: int, direction: Direction) -> Difference:
    """The mean difference between searches of equal seeds."""
    both = zip(one.at[mark], other.at[mark], strict=False)  # one may have more seeds
    away = [a - b for a, b in both if a is not None and b is not None]
    names = one.group.name, other.group.name
    if not away:
        return Difference(*names, None, None, "unknown", mark)
    return Difference.of(*names, fmean(away), half_interval(away), direction, mark)
