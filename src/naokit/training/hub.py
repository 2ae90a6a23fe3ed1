"""Data sets on the Hugging Face hub, from its local cache where there is no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from naokit.base import InputError
from naokit.training.data import VALIDATION_NAMES


def load_tables(name: str, config: str | None = None) -> Mapping[str, Any]:
    """The tables of a data set by part: `train`, and `validation` and `test` where it has them.

    Args:
        name: `owner/name`.
        config: which of its configurations, where it has several.

    Raises:
        InputError: there is none of this name, no network, or no `train` split.
    """
    import datasets

    asked = name if config is None else f"{name}:{config}"
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


def first_line(error: BaseException) -> str:
    """The first line of the innermost error: what a person can use."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0]
