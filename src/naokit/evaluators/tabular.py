"""Scores an architecture by looking it up in tables of known results (CSV, gzip or plain)."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from naokit import spaces
from naokit.base import Direction, EvaluationFailed, InputError, Json
from naokit.doors import Evaluator, Reporter, Result
from naokit.space import Architecture, Space
from naokit.spaces.choices import ABSENT, Choice, Choices, Value, plain_number
from naokit.spaces.delimited import Delimited, Row, read_delimited, require_column
from naokit.spaces.table import TableSpace

_INTEGER = re.compile(r"\s*[-+]?[0-9]+\s*")
_THOUSANDS = re.compile(r"\s*[-+]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?\s*")

NO_NUMBER = frozenset(
    {"", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "nil", "missing", "-", "--"}
)
"""The texts by which programs say that there is no number, in any case and between blanks."""

INFINITE = frozenset(sign + word for sign in ("", "+", "-") for word in ("inf", "infinity"))
"""The texts of infinite values, which diverged trainings leave; they count as no result."""


class Tabular(Evaluator):
    """An evaluator of known results; its `space` is the search space, restricted to the table.

    The first row of an architecture counts. Rows are the same architecture if they are equal in
    `class_column`, or without one if their canonical forms are equal. The evaluation of a missing
    or infinite value fails.

    Attributes:
        columns: The names of all columns.
        understood: Notes for people: how files were read that are not plain commas and UTF-8, and
            in how many rows an architecture comes again.

    Args:
        space: The space that reads the architecture column.
        tables: CSV files, joined on the architecture column.
        architecture_column: The name of the architecture column, or several names with commas
            between. The texts of several columns are joined by spaces and read as the space writes
            them; for `Choices`, the columns may be named after the choices.
        metric: The column of the value.
        also: Further columns, kept as metrics of each result.
        class_column: A column of names that equal architectures share.
        direction: Whether the metric is maximised or minimised.
        curve_columns: Columns that hold the value after epochs of the training, in the unit of the
            metric. Their names end in the numbers of the epochs, in order; the last one is how many
            an evaluation has.

    Raises:
        InputError: A file, column or value is missing or unreadable; the message says which.
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
        curve_columns: Sequence[str] = (),
    ) -> None:
        curve = _epochs(curve_columns)
        read = _read(tables)
        columns = _named(read, architecture_column)
        wanted = (metric, *also, *filter(None, [class_column]), *curve_columns)
        _check_wanted(read, wanted)
        _check_no_result(columns, (metric, *curve_columns))
        rows, lines = _join(read, columns)
        self.columns = tuple(rows[0])
        self.metric = metric
        self.direction = direction
        self.static_metric_names = tuple(also)
        self.static_metrics_are_cheap = True
        self.values: dict[str, float] = {}
        self.metrics: dict[str, dict[str, float]] = {}
        self.epochs = max(curve.values(), default=1)
        self.curves: dict[str, dict[int, float]] = {}
        classes: dict[tuple[int, ...], str] = {}
        for number, row in zip(lines, rows, strict=True):
            choices = _choices(space, row, columns, number)
            key = row[class_column] if class_column else space.class_of(choices)
            if not key:
                raise InputError(f"line {number} of the table: {class_column} is blank")
            classes.setdefault(choices, key)
            if key not in self.values:
                self.values[key] = _number(row[metric], metric, number)
                self.metrics[key] = {name: _number(row[name], name, number) for name in also}
                self.curves[key] = {
                    e: _number(row[name], name, number) for name, e in curve.items()
                }
        notes = [table.understood for table in read]
        if again := len(rows) - len(classes):
            notes.append(
                f"{read[0].path}: in {again} of {len(rows)} rows an architecture comes again; its "
                "first row counts"
            )
        self.understood = tuple(filter(None, notes))
        content = "\n".join(
            " ".join(map(str, [key, value, *self.curves[key]]))
            for key, value in self.values.items()
        )
        self.fingerprint = hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
        self.space = TableSpace(space, self.fingerprint, classes)
        self._source: Mapping[str, Json] = {
            "space": dict(space.settings()),
            "tables": [str(Path(path).resolve()) for path in _paths(tables)],
            "architecture_column": architecture_column,
            "also": list(also),
            "class_column": class_column,
            "direction": direction,
            **({"curve_columns": list(curve_columns)} if curve_columns else {}),
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Json]) -> Tabular:
        """The table that `settings()` describe, read again; see `naokit.evaluators`."""
        source = dict(settings["source"])
        space = spaces.from_settings(source.pop("space"))
        tables = source.pop("tables")
        metric, direction = settings["metric"], source.pop("direction")
        return cls(space, tables, metric=metric, direction=direction, **source)

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """The value in the table; NaN and missing rows are failed evaluations."""
        del seed
        key = self.space.key(architecture.choices)
        value = self.values.get(key)
        if value is None:
            raise EvaluationFailed("not in the table", f"the table has no row for {architecture}")
        if not math.isfinite(value):
            raise EvaluationFailed("no value", f"the table has {value} for {architecture}")
        return Result(value, self.metrics[key])

    def evaluate_in_epochs(self, architecture: Architecture, seed: int, told: Reporter) -> Result:
        """The same after the epochs of its curve; the evaluation of a missing epoch fails."""
        key = self.space.key(architecture.choices)
        for epoch, value in self.curves.get(key, {}).items():
            if told.report(epoch, value):
                return Result(value, self.metrics[key])
        return self.evaluate(architecture, seed)

    def static_metrics(self, architecture: Architecture) -> Mapping[str, float]:
        """The further columns of an architecture; empty if the table does not have it."""
        return self.metrics.get(self.space.key(architecture.choices), {})

    def settings(self) -> Mapping[str, Json]:
        """The metric, the fingerprint of the content, and the source of the table."""
        return {
            "evaluator": "tabular",
            "metric": self.metric,
            "table": self.fingerprint,
            "source": dict(self._source),
        }


def _epochs(columns: Sequence[str]) -> dict[str, int]:
    """The number of the epoch that each column of a learning curve names.

    Raises:
        InputError: A name does not end in a number, or the numbers do not increase.
    """
    found: dict[str, int] = {}
    for column in columns:
        number = re.search(r"\d+$", column)
        before = max(found.values(), default=0)
        if number is None or int(number[0]) <= before:
            raise InputError(
                f"`curve_columns`: {column} after epoch {before}; expected names that end in the "
                "numbers of their epochs, in order: loss_1, loss_2, loss_5"
            )
        found[column] = int(number[0])
    return found


def read_tables(
    tables: Path | str | Sequence[Path | str], architecture_column: str
) -> tuple[list[str], list[Row]]:
    """The architecture's columns, and the rows of all tables joined on them.

    Raises:
        InputError: A file or column is missing or unreadable; the message says which.
    """
    read = _read(tables)
    columns = _named(read, architecture_column)
    return columns, _join(read, columns)[0]


def columns_space(name: str, columns: Sequence[str], rows: Sequence[Row]) -> Choices:
    """A space with a choice for each column that has the values of the column, numbers in order.

    A blank is read as None: the row's architecture does not have this choice, as a linear model has
    no depth.
    """
    for number, row in enumerate(rows, 1):
        for column in columns:
            if _THOUSANDS.fullmatch(row[column]):
                raise InputError(
                    f"row {number} of the table: {column} is {row[column]!r}: write numbers "
                    "without marks between thousands"
                )
    return Choices(
        name,
        tuple(
            Choice(_plain(column), _values({row[column].strip() for row in rows}))
            for column in columns
        ),
    )


def _plain(text: str) -> str:
    """A name or value of a choice without spaces, commas and equals signs, which would end it."""
    return re.sub(r"[\s,=]+", "-", text.strip()) or ABSENT  # not _: Python reads 1_2 as 12


def _values(texts: set[str]) -> tuple[Value | None, ...]:
    """The values of a column; they are numbers if all that are not missing are numbers."""
    words = {text for text in texts if not _is_missing(text)}
    if words and not any(math.isnan(plain_number(text)) for text in words):
        kind = int if all(_INTEGER.fullmatch(text) for text in words) else float
        return (None,) * (words != texts) + tuple(sorted({kind(text) for text in words}))
    blank = {"", ABSENT} if "" in texts else set()
    written: dict[str, str] = {}
    for text in sorted(texts - blank):
        if (other := written.setdefault(_plain(text), text)) != text:
            raise InputError(f"{other!r} and {text!r} of the table are both written {_plain(text)}")
    return (None,) * bool(blank) + tuple(sorted(written))


def _is_missing(text: str) -> bool:
    return text.strip().casefold() in NO_NUMBER


def _read(tables: Path | str | Sequence[Path | str]) -> list[Delimited]:
    """Every table; raises InputError if there is none."""
    paths = _paths(tables)
    if not paths:
        raise InputError("no table is given")
    return [read_delimited(path) for path in paths]


def _paths(tables: Path | str | Sequence[Path | str]) -> list[Path]:
    given = [tables] if isinstance(tables, str | Path) else tables
    return [Path(path) for path in given]


def _named(tables: Sequence[Delimited], architecture_column: str) -> list[str]:
    """The columns of the architecture; the first table decides whether it is one or several."""
    whole = architecture_column in tables[0].columns
    columns = [architecture_column] if whole else architecture_column.split(",")
    for table in tables:
        for column in columns:
            require_column([table], column, "architecture_column")
    return columns


def _check_wanted(tables: Sequence[Delimited], wanted: Sequence[str]) -> None:
    """Raises InputError for a column that no table or more than one table has."""
    for column in wanted:
        require_column(tables, column)
        if len(having := [table for table in tables if column in table.columns]) > 1:
            names = " and ".join(str(table.path) for table in having)
            raise InputError(f"{names} both have a column {column!r}: rename it in one of them")


def _check_no_result(columns: Sequence[str], results: Sequence[str]) -> None:
    """Raises InputError if a column of the architecture holds what is looked up."""
    for column in columns:
        if column in results:
            raise InputError(
                f"`architecture_column`: {column} is the result that is looked up, not a part of "
                "the architecture: leave it out"
            )


def _join(tables: Sequence[Delimited], columns: Sequence[str]) -> tuple[list[Row], list[int]]:
    """The rows of the first table with the columns of the others, and their lines in the first.

    Unmatched rows are left out.
    """
    first, *others = tables
    rows, lines = first.rows, first.lines
    for other in others:
        by_architecture = {_name(row, columns): row for row in reversed(other.rows)}
        pairs = [
            ({**by_architecture[_name(row, columns)], **row}, line)
            for row, line in zip(rows, lines, strict=True)
            if _name(row, columns) in by_architecture
        ]
        if not pairs:
            raise InputError(f"the tables have no value of {', '.join(columns)} in common")
        rows, lines = [row for row, _ in pairs], [line for _, line in pairs]
    return rows, lines


def _name(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(row[column].strip() for column in columns)


def _choices(space: Space, row: Row, columns: Sequence[str], number: int) -> tuple[int, ...]:
    try:
        if isinstance(space, Choices):
            cells = {_plain(column): _plain(row[column]) for column in columns}
            if cells.keys() & set(space.grammar.names):
                return _of_cells(space, cells)
        return space.parse(" ".join(_name(row, columns))).choices
    except InputError as error:
        raise InputError(f"line {number} of the table: {error}") from error


def _of_cells(space: Choices, cells: Mapping[str, str]) -> tuple[int, ...]:
    """The choices of a row; a missing text is no value, unless it is a value of its choice."""
    space.check_names(cells)
    words = {choice.name: choice.words for choice in space.choices}
    given = {
        name: ABSENT if word not in words[name] and _is_missing(word) else word
        for name, word in cells.items()
    }
    given = {n: word for n, word in given.items() if word != ABSENT or ABSENT in words[n]}
    choices = space.of_texts(given)
    if missing := space.values(choices).keys() - given.keys():
        name = min(missing)
        beside = "" if name in cells else f": name its column beside {', '.join(cells)}"
        raise InputError(f"{name} has no value{beside}")
    return choices


def _number(text: str, metric: str, number: int) -> float:
    """The number of a field; NaN if it is missing or infinite."""
    value = plain_number(text)
    if math.isnan(value) and not _is_missing(text) and text.strip().casefold() not in INFINITE:
        raise InputError(f"line {number} of the table: {metric} is {text!r}, {_why_none(text)}")
    return value


def _why_none(text: str) -> str:
    """The reason why a text is not a number."""
    if "," in text:
        return "no number: write it with a decimal point and nothing between thousands"
    return "no number"
