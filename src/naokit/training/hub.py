"""Data sets on the Hugging Face hub, from its local cache where there is no network."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from naokit.base import InputError, Reads
from naokit.presets import EMBEDDED
from naokit.training.data import VALIDATION_NAMES

NAME = re.compile(r"[\w.-]*\w/\w[\w.-]*")
FILES = (".npz", ".parquet", ".csv", ".json", ".txt", ".tokens", ".raw", ".zip", ".gz")


def load_tables(name: str, reads: Reads, config: str | None = None) -> Mapping[str, Any]:
    """The tables of a data set by part: `train`, and `validation` and `test` where it has them.

    Args:
        name: `owner/name`.
        reads: what networks read of it.
        config: which of its configurations, where it has several.

    Raises:
        InputError: there is none of this name, no network, or no `train` split; or it is embedded
            data of the other kind.
    """
    asked = name if config is None else f"{name}:{config}"
    _check(name, reads)
    import datasets

    try:
        tables = datasets.load_dataset(name, config)
    except Exception as error:  # the hub's client raises a dozen unrelated kinds
        raise InputError(
            f"there is no file or folder {asked!r}, and no such data set could be loaded from the "
            f"Hugging Face hub ({first_line(error)}); give a path, or check the name and the "
            "network"
        ) from error
    if "train" not in tables:
        raise InputError(f"{asked} has no train split; it has {', '.join(map(str, tables))}")
    validation = next((n for n in VALIDATION_NAMES if n in tables), "validation")
    names = {"train": "train", "validation": validation, "test": "test"}
    return {part: tables[n] for part, n in names.items() if n in tables}


def _check(name: str, reads: Reads) -> None:
    """Raises InputError for what is no `owner/name`, as a mistyped path or word.

    The hub's client would try for half a minute where there is no network.
    """
    if NAME.fullmatch(name) and not name.endswith(FILES):
        return
    own = EMBEDDED[reads]
    for other, embedded in EMBEDDED.items():
        if name == embedded != own:
            raise InputError(
                f"{name} holds {other}; the network reads {reads}: give other data, or {own}"
            )
    folder = Path(name).parent
    there = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    known = [*there, own] if folder == Path() else there
    near = difflib.get_close_matches(Path(name).name, known, n=2)
    meant = f"did you mean {' or '.join(str(folder / one) for one in near)}? Else " if near else ""
    raise InputError(
        f"there is no file or folder {name!r}; {meant}give a path, {own}, or "
        "owner/name, a data set on the Hugging Face hub"
    )


def first_line(error: BaseException) -> str:
    """The first line of the innermost error: what a person can use."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0]
