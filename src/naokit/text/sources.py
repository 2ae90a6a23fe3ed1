"""Where text comes from: folders, files, the hub, and what every machine has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from naokit.base import InputError
from naokit.text.lines import read_text
from naokit.text.prose import prose, shared_out, topics
from naokit.training.hub import load_tables
from naokit.training.part_names import PARTS, files_by_part, two_of
from naokit.training.tree import grown, is_there
from naokit.wording import listed

SUFFIXES = ("", ".txt", ".tokens", ".raw", ".text")
EXPECTED = (
    "expected train.txt, valid.txt and test.txt, or names such as ptb.train.txt and "
    "wiki.train.tokens (valid and test may be absent)"
)
PYDOC_SHARES = (0.8, 0.1, 0.1)
PYDOC_LEAST = 3  # as rare as this, a word tells a network nothing


@dataclass(frozen=True)
class TextSource:
    """The result of a reader: the parts that the source itself distinguishes; each ends a line.

    Attributes:
        train: The text that networks learn from.
        validation: The text that settings are chosen by. If None, the source has none.
        test: The text that is looked at once. If None, the source has none.
        least: The count in `train` that a word needs to be part of a vocabulary.
        remarks: Remarks for a person on how the source is read, one line each.
    """

    train: str
    validation: str | None = None
    test: str | None = None
    least: int = 1
    remarks: tuple[str, ...] = ()


def read_source(source: str | Path) -> TextSource:
    """The text of a source, by the reader for its kind.

    Raises:
        InputError: There is no source of this name, it is not UTF-8, or its parts cannot be told.
    """
    path = Path(source)
    if str(source) == "pydoc":
        return pydoc()
    if not is_there(path):
        return hub(str(source))
    if path.is_dir():
        return folder(path)
    content, remarks = read_text(path)
    return TextSource(content, remarks=remarks)


def pydoc() -> TextSource:
    """The prose of Python's own documentation (about 50,000 words), some topics held out."""
    train, validation, test = shared_out(prose(topics()), PYDOC_SHARES)
    return TextSource(train, validation, test, PYDOC_LEAST)


def folder(path: Path) -> TextSource:
    """A folder with a text file for each part, in it or in folders of it.

    Raises:
        InputError: There is no training part, or two files may be the same part.
    """
    names = list(grown(path).files_below())
    found, _ = files_by_part(str(path), [name for name in names if _may_be_text(name)])
    for part, files in found.items():
        if len(files) > 1:
            raise two_of(str(path), "files", part, files[0], files[1])
    if "train" not in found:
        has = listed(names, 8) or "no files"
        raise InputError(f"{path} has no text to learn from: {EXPECTED}; it has {has}")
    taken = f"{path}: {', '.join(f'{part} from {files[0]}' for part, files in found.items())}"
    read = {part: read_text(path / files[0]) for part, files in found.items()}
    texts = {part: content for part, (content, _) in read.items()}
    remarks = (taken, *(remark for _, said in read.values() for remark in said))
    return TextSource(texts["train"], texts.get("validation"), texts.get("test"), remarks=remarks)


def hub(name: str) -> TextSource:
    """A data set on the Hugging Face hub, `owner/name` or `owner/name:configuration`.

    Each row is a line: its column `text`, or the only one of strings.

    Raises:
        InputError: The same as of `load_tables`, or no column is the text.
    """
    owner_and_name, _, config = name.partition(":")
    tables = load_tables(owner_and_name, "pydoc", config or None)
    texts = {part: _rows(name, part, table) for part, table in tables.items()}
    return TextSource(texts["train"], texts.get("validation"), texts.get("test"))


def _may_be_text(name: str) -> bool:
    """Whether a file has an ending of text, or the name of a part as one: `wiki.train`."""
    path = Path(name)
    if path.suffix.lower() == ".gz":
        path = path.with_suffix("")
    return path.suffix.lower() in SUFFIXES or path.suffix.lower().removeprefix(".") in PARTS


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
