"""Scores an architecture by looking it up in tables of known results (CSV, gzip or plain)."""

from __future__ import annotations

import csv
import gzip
import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from naokit.base import (
    Architecture,
    Direction,
    EvaluationFailed,
    Evaluator,
    InputError,
    Json,
    Result,
    Space,
)
from naokit.spaces.table import TableSpace

Row = dict[str, str]


class Tabular(Evaluator):
    """Known results; `space` is the search space that the table bounds.

    The first row of an architecture counts. What is one architecture says `class_column`, else the
    space's canonical form.

    Args:
        space: how the architecture column is read.
        tables: CSV files, joined on the architecture column.
        architecture_column: its name.
        metric: the column of the value.
        class_column: a column of names that equal architectures share.
        direction: whether more of the metric is better.

    Raises:
        InputError: a file, column or value is missing or unreadable (which).
    """

    def __init__(
        self,
        space: Space,
        tables: Path | str | Sequence[Path | str],
        *,
        architecture_column: str,
        metric: str,
        class_column: str | None = None,
        direction: Direction = "maximize",
    ) -> None:
        paths = [tables] if isinstance(tables, str | Path) else list(tables)
        rows = _join([_read(Path(path)) for path in paths], architecture_column)
        for column in (architecture_column, metric, *filter(None, [class_column])):
            if column not in rows[0]:
                raise InputError(
                    f"{', '.join(map(str, paths))} has no column {column!r}; "
                    f"it has {', '.join(rows[0])}"
                )
        self.metric = metric
        self.direction = direction
        self.values: dict[str, float] = {}
        classes: dict[tuple[int, ...], str] = {}
        for number, row in enumerate(rows, 2):
            choices = _choices(space, row[architecture_column], number)
            key = row[class_column] if class_column else space.key(choices)
            classes[choices] = key
            self.values.setdefault(key, _number(row[metric], metric, number))
        lines = "\n".join(f"{key} {value}" for key, value in self.values.items())
        self.fingerprint = hashlib.blake2b(lines.encode(), digest_size=8).hexdigest()
        self.space = TableSpace(space, self.fingerprint, classes)

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """The table's value; NaN and absent rows are failed evaluations."""
        del seed
        value = self.values.get(self.space.key(architecture.choices))
        if value is None:
            raise EvaluationFailed("not in the table", f"the table has no row for {architecture}")
        if not math.isfinite(value):
            raise EvaluationFailed("no value", f"the table has {value} for {architecture}")
        return Result(value)

    def settings(self) -> Mapping[str, Json]:
        """Metric and content."""
        return {"evaluator": "tabular", "metric": self.metric, "table": self.fingerprint}


def _read(path: Path) -> list[Row]:
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        rows = list(csv.DictReader(text.splitlines()))
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise InputError(f"{path} is not a readable CSV file: {error}") from error
    if not rows:
        raise InputError(f"{path} has no rows below its header")
    return rows


def _join(tables: Sequence[list[Row]], column: str) -> list[Row]:
    """The rows of the first table with the columns of the others; unmatched rows are left out."""
    rows, *others = tables
    for other in others:
        if column not in other[0] or column not in rows[0]:
            raise InputError(f"tables are joined on {column!r}, which one of them does not have")
        by_architecture = {row[column]: row for row in reversed(other)}
        rows = [
            {**by_architecture[row[column]], **row}
            for row in rows
            if row[column] in by_architecture
        ]
        if not rows:
            raise InputError(f"the tables have no value of {column!r} in common")
    return rows


def _choices(space: Space, text: str, number: int) -> tuple[int, ...]:
    try:
        return space.read(text)
    except InputError as error:
        raise InputError(f"line {number} of the table: {error}") from error


def _number(text: str, metric: str, number: int) -> float:
    try:
        return float(text) if text else math.nan
    except ValueError:
        raise InputError(f"line {number} of the table: {metric} is {text!r}, no number") from None
