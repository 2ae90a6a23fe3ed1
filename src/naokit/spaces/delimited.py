"""Reads a delimited text file of any program, and says how it was understood.

    bytes ──packed?──> bytes ──encoding──> text ──separator──> header and rows ──decimals──> rows

Whatever differs from commas and UTF-8 gives a note for people. An ambiguous file is refused: a
wrong number is worse than no table.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import InputError
from naokit.files import read_bytes
from naokit.wording import listed

if TYPE_CHECKING:
    from _csv import Reader  # its name for annotations alone

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
BEGINNING, SAMPLE = 2**18, 20
"""The characters, and the records in them, from which the separator is determined."""

LARGEST = 2**30
"""The most bytes of a table, unpacked: twenty times those of NAS-Bench-101."""

BINARY = {
    b"\x1f\x8b": "packed with gzip twice: unpack it",
    b"BZh": "packed with bzip2: unpack it",
    b"\xfd7zXZ\x00": "packed with xz: unpack it",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it",
    b"PK": "a zip file or a workbook (.xlsx, .ods): unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save the sheet as CSV",
    b"PAR1": "a Parquet file: save it as CSV",
    b"\x89HDF": "an HDF5 file: save the table as CSV",
    b"SQLite format 3": "a database: save the table as CSV",
}
"""The beginnings of files that are not text, and what to do with such files."""

LISTED = 20
"""How many columns a message names."""

ENCODINGS = {
    codecs.BOM_UTF8: ("utf-8", ""),  # what Excel calls "CSV UTF-8": nothing to tell
    codecs.BOM_UTF32_LE: ("utf-32", "UTF-32"),  # begins like UTF-16
    codecs.BOM_UTF32_BE: ("utf-32", "UTF-32"),
    codecs.BOM_UTF16_LE: ("utf-16", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16", "UTF-16"),
}
"""Byte-order marks; the codecs of more than one order read the mark themselves."""

_DECIMAL_COMMA = re.compile(r"\s*[-+]?[0-9]+,[0-9]+(?:[eE][-+]?[0-9]+)?\s*")
_DECIMAL_POINT = re.compile(r"\s*[-+]?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?\s*")


Row = dict[str, str]
"""The texts of a record by column; a plain dict, so that the garbage collector skips the rows."""


@dataclass(frozen=True)
class Delimited:
    """A table as it was read.

    Attributes:
        path: The path of the file.
        columns: The names in the header, all different; columns without a name are left out.
        rows: The rows, at least one.
        lines: The line of the file in which each row ends.
        understood: What differed from plain commas and UTF-8, in words; "" if nothing did.
    """

    path: Path
    columns: tuple[str, ...]
    rows: list[Row]
    lines: list[int]
    understood: str


def read_delimited(path: Path) -> Delimited:
    """The table of a text file, packed with gzip or plain, whatever its name.

    Raises:
        InputError: The file is missing, damaged, of another kind or ambiguous.
    """
    text, encoding = _decoded(_unpacked(path), path)
    separator, before = _separator(text)
    # A StringIO would take four bytes a character, a third of the memory of a large table.
    lines_of_text = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline="")
    reader = csv.reader(lines_of_text, delimiter=separator, skipinitialspace=True, strict=True)
    try:
        columns, rows, lines = _records(reader, before, path)
    except csv.Error as error:
        raise InputError(
            f"{path} is not a readable CSV file: line {reader.line_num}: {error}"
        ) from error
    commas = separator == ";" and _has_decimal_commas(rows)
    if commas:
        _point_decimals(rows)
    notes = [encoding] if encoding else []
    if separator != ",":
        notes.append(f"fields separated by {SEPARATORS[separator]}")
    if commas:
        notes.append("decimal commas")
    understood = f"{path}: read as {', '.join(notes)}" if notes else ""
    return Delimited(path, columns, rows, lines, understood)


def require_column(tables: Sequence[Delimited], column: str, asked_by: str = "") -> None:
    """Raises InputError if none of the tables has the column; the message names the nearest.

    It begins with the parameter that asked for the column, if that is given.
    """
    known = list(dict.fromkeys(name for table in tables for name in table.columns))
    if column in known:
        return
    near = difflib.get_close_matches(column, known, cutoff=0.6)
    hint = f"it has {listed([_shown(name) for name in known], LISTED)}"
    if near:
        hint = f"did you mean {' or '.join(map(_shown, near))}?"
    named = " with ".join(str(table.path) for table in tables)
    parameter = f"`{asked_by}`: " if asked_by else ""
    raise InputError(f"{parameter}{named} has no column {column!r}; {hint}")


def _shown(name: str) -> str:
    """A name as it is, or with invisible characters written as escapes."""
    return name if name.isprintable() else repr(name)


def _unpacked(path: Path) -> bytes:
    """The content of a file; a gzip file is unpacked."""
    data = read_bytes(path, LARGEST)
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                data = file.read(LARGEST + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path} is not a readable CSV file: {error}") from error
        if len(data) > LARGEST:
            raise InputError(f"{path} is larger than {LARGEST:,} bytes unpacked: no table")
    for beginning, what in BINARY.items():
        if data.startswith(beginning):
            raise InputError(f"{path} is not a readable CSV file but {what}")
    return data


def _decoded(data: bytes, path: Path) -> tuple[str, str]:
    """The text without its byte-order mark, and the encoding's name unless it is UTF-8."""
    mark = next((mark for mark in ENCODINGS if data.startswith(mark)), b"")
    codec, name = ENCODINGS.get(mark, ("utf-8", ""))
    try:
        text = (data if name else data.removeprefix(mark)).decode(codec)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path} is not a readable CSV file: line {line} is not {name or 'UTF-8'} "
            f"({error.reason}); save it as UTF-8"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(
            f"{path} is not a readable CSV file: line {line} has a NUL character, so it is binary, "
            "damaged or UTF-16 without a mark; save it as UTF-8"
        )
    return text, name


def _separator(text: str) -> tuple[str, int]:
    """The separator of the fields, and the number of lines before the header.

    Excel reads and writes a first line `sep=;`. Without such a line it is the separator that splits
    the header and most of the first rows into equally many fields, and into the most.
    (`csv.Sniffer` ignores the header: quotes inside fields mislead it, and a single column is an
    error.)
    """
    beginning = text[:8].splitlines()
    if beginning and (said := re.fullmatch('"?sep=([,;\t|])"?', beginning[0])):
        return said[1], 1
    return max(SEPARATORS, key=lambda separator: _fitness(text, separator)), 0


def _fitness(text: str, separator: str) -> tuple[bool, float, int]:
    """A measure of how well a separator fits; the first of equally good ones is taken."""
    beginning = io.StringIO(text[:BEGINNING], newline="")
    reader = csv.reader(beginning, delimiter=separator, skipinitialspace=True)
    try:
        header, *rows = [len(row) for row in islice(filter(None, reader), SAMPLE)]
    except (ValueError, csv.Error):  # there is no header, or a field without an end
        return False, 0.0, 0
    return header > 1, sum(row == header for row in rows) / max(1, len(rows)), header


def _records(
    reader: Reader, before: int, path: Path
) -> tuple[tuple[str, ...], list[Row], list[int]]:
    """The named columns, the rows that are not blank, and the line of each row."""
    for _ in islice(reader, before):
        pass
    header = next((row for row in reader if any(row)), None)
    if header is None:
        raise InputError(f"{path} is empty: it has no header")
    names = [name.strip() for name in header]
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        places = " and ".join(str(n) for n, name in enumerate(names, 1) if name == twice[0])
        raise InputError(
            f"{path} has {twice[0]!r} in columns {places}: give each column a name of its own"
        )
    rows, lines = [], []
    for fields in reader:
        if not any(fields):  # a blank line, or Excel's line of separators
            continue
        if len(fields) != len(names):
            raise InputError(
                f"{path}, line {reader.line_num}: {len(fields)} values under {len(names)} columns"
            )
        rows.append(dict(zip(names, fields, strict=True)))
        lines.append(reader.line_num)
    if not rows:
        raise InputError(f"{path} has no rows below its header")
    if "" in names:  # the numbers that pandas writes before each row, or a separator at the end
        for row in rows:
            del row[""]
    return tuple(name for name in names if name), rows, lines


def _has_decimal_commas(rows: Sequence[Row]) -> bool:
    """Whether numbers have decimal commas: some are written as `1,5` and none as `1.5`."""
    fields = [field for row in rows for field in row.values()]
    return any(map(_DECIMAL_COMMA.fullmatch, fields)) and not any(
        map(_DECIMAL_POINT.fullmatch, fields)
    )


def _point_decimals(rows: Sequence[Row]) -> None:
    """Replaces decimal commas by points."""
    for row in rows:
        for name, field in row.items():
            if _DECIMAL_COMMA.fullmatch(field):
                row[name] = field.replace(",", ".")
