"""Data sets on the Hugging Face hub, from its local cache where there is no network."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from naokit.base import InputError
from naokit.training.tree import is_there
from naokit.wording import first_line

VALIDATION_NAMES = ("validation", "valid", "val", "dev")
NAME = re.compile(r"[\w.-]*\w/\w[\w.-]*")
FILES = (
    *(
        ".npz",
        ".parquet",
        ".parq",
        ".pq",
        ".csv",
        ".tsv",
        ".json",
        ".jsonl",
        ".txt",
        ".text",
        ".tokens",
    ),
    *(".raw", ".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".arrow", ".h5", ".npy", ".pt"),
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif", ".bmp", ".webp"),
)
"""Endings that no data set's name has."""
PATIENCE = 5.0
"""Seconds for the hub's first answer; its client alone tries for 24 without a network."""


def load_tables(name: str, embedded: str, config: str | None = None) -> Mapping[str, Any]:
    """The tables of a data set by part: `train`, and `validation` and `test` where it has them.

    Args:
        name: The name of the data set on the hub, as in `owner/name`.
        embedded: The data that need no network, for the message.
        config: The name of one of its configurations, where it has several.

    Raises:
        InputError: There is no data set of this name, no network, or no `train` split.
    """
    asked = name if config is None else f"{name}:{config}"
    _check(name, embedded)
    try:
        tables = _loaded(name, config)
    except Exception as error:  # the hub's client raises a dozen unrelated kinds
        raise InputError(
            f"there is no file or folder {asked!r}, and no such data set could be loaded from the "
            f"Hugging Face hub ({first_line(error)}); {_meant(name, embedded)}give a path, "
            "or check the name and the network"
        ) from error
    if "train" not in tables:
        raise InputError(f"{asked} has no train split; it has {', '.join(map(str, tables))}")
    validation = next((n for n in VALIDATION_NAMES if n in tables), "validation")
    names = {"train": "train", "validation": validation, "test": "test"}
    return {part: tables[n] for part, n in names.items() if n in tables}


def _loaded(name: str, config: str | None) -> Any:
    """A data set of the hub, from its cache where the hub does not answer soon."""
    import datasets

    if _answers(name):
        return datasets.load_dataset(name, config)
    with _without_network():
        return datasets.load_dataset(name, config)


def _answers(name: str) -> bool:
    """Whether the hub can be reached.

    Raises:
        InputError: The hub was reached and has no such data set.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    try:
        HfApi().dataset_info(name, timeout=PATIENCE)
    except RepositoryNotFoundError:
        raise InputError("it has none of this name") from None
    except HfHubHTTPError:  # whatever else it says, it is there: loading will say it again
        return True
    except Exception:  # noqa: BLE001  no network, in the words of one of several HTTP libraries
        return False
    return True


@contextmanager
def _without_network() -> Iterator[None]:
    """The hub's libraries look into their cache only, and do not try the network for minutes."""
    import datasets
    from huggingface_hub import constants

    places: tuple[Any, ...] = (constants, datasets.config)
    before = [place.HF_HUB_OFFLINE for place in places]
    for place in places:
        place.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            place.HF_HUB_OFFLINE = value


def _check(name: str, embedded: str) -> None:
    """Raises InputError for a mistyped path or word, without asking the hub.

    Where there is a folder of the owner's name, a path in it is meant.
    """
    if (
        NAME.fullmatch(name)
        and not name.lower().endswith(FILES)
        and not is_there(Path(name).parent)
    ):
        return
    raise InputError(
        f"there is no file or folder {name!r}; {_meant(name, embedded)}give a path, {embedded}, or "
        "owner/name, a data set on the Hugging Face hub"
    )


def _meant(name: str, own: str) -> str:
    """A question for names that the name is similar to; empty where there are none."""
    near = [str(one) for one in _nearest(Path(name), own)]
    return f"did you mean {' or '.join(near)}? Else " if near else ""


def _nearest(path: Path, own: str) -> list[Path]:
    """The existing names that are similar to the missing part of a path: `phtos/mine`, `photos`."""
    while path.parent != path and not is_there(path.parent):
        path = path.parent
    try:
        known = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        known = []
    if path.parent == Path():
        known.append(own)
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(path.name.lower(), lower, n=2)
    return [path.parent / lower[name] for name in near]
