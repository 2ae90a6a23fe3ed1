"""Scores an architecture by looking it up in tables of known results (CSV, gzip or plain)."""

from __future__ import annotations

import csv
import difflib
import gzip
import hashlib
import math
import re
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
from naokit.spaces.choices import ABSENT, Choice, Choices, Value
from naokit.spaces.table import TableSpace

Row = dict[str, str]


class Tabular(Evaluator):
    """Known results; `space` is the search space that the table bounds.

    The first row of an architecture counts. What is one architecture says `class_column`, else the
    space's canonical form.

    Args:
        space: how the architecture column is read.
        tables: CSV files, joined on the architecture column.
        architecture_column: its name, or several with commas between: their texts are joined by
            spaces and read as the space writes them; for `Choices`, columns may be choices by name.
        metric: the column of the value.
        also: further columns, kept as metrics of each result.
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
        also: Sequence[str] = (),
        class_column: str | None = None,
        direction: Direction = "maximize",
    ) -> None:
        columns, rows = read_tables(tables, architecture_column)
        self.columns = tuple(rows[0])
        for column in (metric, *also, *filter(None, [class_column])):
            _require(rows, column, tables)
        self.metric = metric
        self.direction = direction
        self.known_figures = tuple(also)
        self.cheap_figures = True
        self.values: dict[str, float] = {}
        self.metrics: dict[str, dict[str, float]] = {}
        classes: dict[tuple[int, ...], str] = {}
        for number, row in enumerate(rows, 2):
            choices = _choices(space, row, columns, number)
            key = row[class_column] if class_column else space.key(choices)
            classes.setdefault(choices, key)
            if key not in self.values:
                self.values[key] = _number(row[metric], metric, number)
                self.metrics[key] = {name: _number(row[name], name, number) for name in also}
        lines = "\n".join(f"{key} {value}" for key, value in self.values.items())
        self.fingerprint = hashlib.blake2b(lines.encode(), digest_size=8).hexdigest()
        self.space = TableSpace(space, self.fingerprint, classes)

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """The table's value; NaN and absent rows are failed evaluations."""
        del seed
        key = self.space.key(architecture.choices)
        value = self.values.get(key)
        if value is None:
            raise EvaluationFailed("not in the table", f"the table has no row for {architecture}")
        if not math.isfinite(value):
            raise EvaluationFailed("no value", f"the table has {value} for {architecture}")
        return Result(value, self.metrics[key])

    def figures(self, architecture: Architecture) -> Mapping[str, float]:
        """The further columns; nothing for what the table does not have."""
        return self.metrics.get(self.space.key(architecture.choices), {})

    def settings(self) -> Mapping[str, Json]:
        """Metric and content."""
        return {"evaluator": "tabular", "metric": self.metric, "table": self.fingerprint}


def read_tables(
    tables: Path | str | Sequence[Path | str], architecture_column: str
) -> tuple[list[str], list[Row]]:
    """The architecture's columns, and the rows of all tables joined on them.

    Raises:
        InputError: a file or column is missing or unreadable (which).
    """
    paths = [tables] if isinstance(tables, str | Path) else list(tables)
    read = [_read(Path(path)) for path in paths]
    whole = architecture_column in read[0][0]
    columns = [architecture_column] if whole else architecture_column.split(",")
    for path, rows in zip(paths, read, strict=True):
        for column in columns:
            _require(rows, column, path)
    return columns, _join(read, columns)


def columns_space(name: str, columns: Sequence[str], rows: Sequence[Row]) -> Choices:
    """A space with a choice for each column: the values that it has, numbers in order.

    A blank is None: what the row's architecture does not have, such as the depth of a linear model.
    """
    return Choices(
        name,
        tuple(
            Choice(_plain(column), _values({row[column].strip() for row in rows}))
            for column in columns
        ),
    )


def _plain(text: str) -> str:
    """A name or value of a choice: spaces, commas and equals signs would end it."""
    return re.sub(r"[\s,=]+", "-", text.strip()) or ABSENT  # not _: Python reads 1_2 as 12


def _values(texts: set[str]) -> tuple[Value | None, ...]:
    """The values of a column: numbers where all of them are, blanks aside."""
    blank = {"", ABSENT} if "" in texts else set()
    absent = (None,) if blank else ()
    for kind in (int, float):
        try:
            return absent + tuple(sorted({kind(text) for text in texts - blank}))
        except ValueError:
            continue
    written: dict[str, str] = {}
    for text in sorted(texts - blank):
        if (other := written.setdefault(_plain(text), text)) != text:
            raise InputError(f"{other!r} and {text!r} of the table are both written {_plain(text)}")
    return absent + tuple(sorted(written))


def _require(rows: Sequence[Row], column: str, tables: Path | str | Sequence[Path | str]) -> None:
    if column not in rows[0]:
        named = [tables] if isinstance(tables, str | Path) else tables
        near = difflib.get_close_matches(column, rows[0], cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(rows[0])}"
        raise InputError(f"{' with '.join(map(str, named))} has no column {column!r}; {hint}")


def _read(path: Path) -> list[Row]:
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        reader = csv.DictReader(text.splitlines())
        rows = [_checked(row, reader, path) for row in reader]
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise InputError(f"{path} is not a readable CSV file: {error}") from error
    if not rows:
        raise InputError(f"{path} has no rows below its header")
    return rows


def _checked(row: Row, reader: csv.DictReader[str], path: Path) -> Row:
    """The row; raises InputError where it has not as many values as the header."""
    columns = reader.fieldnames or ()
    beyond = row.get(None, ())  # type: ignore[call-overload]  # where DictReader puts them
    values = len(columns) + len(beyond) - sum(value is None for value in row.values())
    if values != len(columns):
        raise InputError(
            f"{path}, line {reader.line_num}: {values} values under {len(columns)} columns"
        )
    return row


def _join(tables: Sequence[list[Row]], columns: Sequence[str]) -> list[Row]:
    """The rows of the first table with the columns of the others; unmatched rows are left out."""
    rows, *others = tables
    for other in others:
        by_architecture = {_name(row, columns): row for row in reversed(other)}
        rows = [
            {**by_architecture[_name(row, columns)], **row}
            for row in rows
            if _name(row, columns) in by_architecture
        ]
        if not rows:
            raise InputError(f"the tables have no value of {', '.join(columns)} in common")
    return rows


def _name(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(row[column] for column in columns)


def _choices(space: Space, row: Row, columns: Sequence[str], number: int) -> tuple[int, ...]:
    try:
        cells = {_plain(column): _plain(row[column]) for column in columns}
        if isinstance(space, Choices) and cells.keys() & set(space.grammar.names):
            return _of_cells(space, cells)
        return space.parse(" ".join(_name(row, columns))).choices
    except InputError as error:
        raise InputError(f"line {number} of the table: {error}") from error


def _of_cells(space: Choices, cells: Mapping[str, str]) -> tuple[int, ...]:
    """The choices of a row; a blank is no value, unless its choice has that one."""
    space.check_names(cells)
    named = {choice.name for choice in space.choices if ABSENT in choice.words}
    given = {name: word for name, word in cells.items() if word != ABSENT or name in named}
    choices = space.of_texts(given)
    if missing := space.values(choices).keys() - given.keys():
        name = min(missing)
        beside = "" if name in cells else f": name its column beside {', '.join(cells)}"
        raise InputError(f"{name} has no value{beside}")
    return choices


def _number(text: str, metric: str, number: int) -> float:
    try:
        return float(text) if text else math.nan
    except ValueError:
        raise InputError(f"line {number} of the table: {metric} is {text!r}, no number") from None
