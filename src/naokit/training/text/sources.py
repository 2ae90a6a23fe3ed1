"""Where text comes from: folders, files, the hub, and what every machine has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from naokit.base import InputError
from naokit.training.data import VALIDATION_NAMES
from naokit.training.hub import load_tables
from naokit.training.text.prose import prose, shared_out, topics

SUFFIXES = ("", ".txt", ".tokens", ".raw", ".text")
PARTS = {"train": "train", "test": "test", **dict.fromkeys(VALIDATION_NAMES, "validation")}
EXPECTED = (
    "expected train.txt, valid.txt and test.txt, or names such as ptb.train.txt and "
    "wiki.train.tokens (valid and test may be absent)"
)
PYDOC_SHARES = (0.8, 0.1, 0.1)
PYDOC_LEAST = 3  # as rare as this, a word tells a network nothing


@dataclass(frozen=True)
class TextSource:
    """What a reader found: the parts that the source itself distinguishes; each ends a line.

    Attributes:
        train: what networks learn from.
        validation: None where the source has none.
        test: None where the source has none.
        least: words that come less often in `train` are no part of a vocabulary.
    """

    train: str
    validation: str | None = None
    test: str | None = None
    least: int = 1


def read(source: str | Path) -> TextSource:
    """What the reader for this kind of source finds.

    Raises:
        InputError: there is none of this name, it is not UTF-8, or its parts cannot be told.
    """
    path = Path(source)
    if str(source) == "pydoc":
        return pydoc()
    if path.is_dir():
        return folder(path)
    if path.exists():
        return TextSource(text(path))
    return hub(str(source))


def pydoc() -> TextSource:
    """The prose of Python's own documentation (about 50,000 words), some topics held out."""
    train, validation, test = shared_out(prose(topics()), PYDOC_SHARES)
    return TextSource(train, validation, test, PYDOC_LEAST)


def folder(path: Path) -> TextSource:
    """A folder with a text file for each part.

    Raises:
        InputError: none is to learn from, or two files may be the same part.
    """
    found: dict[str, Path] = {}
    names = sorted(entry.name for entry in path.iterdir() if entry.is_file())
    for name in names:
        part = _part(name)
        if part in found:
            raise InputError(
                f"{path} has two files for the {part} part, {found[part].name} and {name}; "
                "move one away"
            )
        if part is not None:
            found[part] = path / name
    if "train" not in found:
        has = ", ".join(names[:8]) or "no files"
        raise InputError(f"{path} has no text to learn from: {EXPECTED}; it has {has}")
    texts = {part: text(file) for part, file in found.items()}
    return TextSource(texts["train"], texts.get("validation"), texts.get("test"))


def hub(name: str) -> TextSource:
    """A data set on the Hugging Face hub, `owner/name` or `owner/name:configuration`.

    Each row is a line: its column `text`, or the only one of strings.

    Raises:
        InputError: as `load_tables`, or no column is the text.
    """
    owner_and_name, _, config = name.partition(":")
    tables = load_tables(owner_and_name, "text", config or None)
    texts = {part: _rows(name, part, table) for part, table in tables.items()}
    return TextSource(texts["train"], texts.get("validation"), texts.get("test"))


def text(path: Path) -> str:
    """The text of a file, its last line ended; raises InputError where it is not UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    try:
        read = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path} is not UTF-8 text: line {line} has the byte 0x{content[error.start]:02x}; "
            f"convert it first (iconv -t utf-8 -f its-encoding)"
        ) from None
    return ended(re.sub("\r\n?", "\n", read) if "\r" in read else read)


def ended(text: str) -> str:
    """A text whose last line has its end."""
    return text if not text or text.endswith("\n") else text + "\n"


def _part(name: str) -> str | None:
    """Which part a file's name tells of: `train` in wiki.train.tokens."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    if name.startswith(".") or (Path(name).suffix not in SUFFIXES and words[-1] not in PARTS):
        return None
    return next((PARTS[word] for word in words if word in PARTS), None)


def _rows(name: str, part: str, table: Any) -> str:
    column = _column(f"{name} ({part})", table.features)
    rows: Sequence[str | None] = table[column][:]
    return "".join((row or "").removesuffix("\n") + "\n" for row in rows)


def _column(name: str, features: Mapping[str, Any]) -> str:
    if "text" in features:
        return "text"
    strings = [c for c, f in features.items() if getattr(f, "dtype", "").endswith("string")]
    if len(strings) != 1:
        raise InputError(
            f"{name} needs a column `text` or one column of strings; it has {', '.join(features)}"
        )
    return strings[0]
