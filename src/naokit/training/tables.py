"""Image data in tables of the Hugging Face schema: parquet files and data sets on the hub.

Decoding a whole data set takes a while (CIFAR-10: 23 s of one core), so the arrays are cached.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from naokit.base import InputError
from naokit.training.data import VALIDATION_NAMES, Source, numbered
from naokit.training.decoded_cache import cached
from naokit.training.encoded import ParquetRows, TableRows, digest, file_stamps
from naokit.training.hub import first_line, load_tables
from naokit.training.listing import Listing, Part, decoded, streamed

LABEL_NAMES = ("label", "fine_label", "labels")
PART = re.compile(rf"(train|test|{'|'.join(VALIDATION_NAMES)})(?![a-z])")


def parquet_files(path: Path) -> list[Path]:
    """The files of a .parquet file, a folder of them, or a copy of a hub repository (`data/`)."""
    if path.is_file():
        return [path] if path.suffix == ".parquet" else []
    return sorted(path.glob("*.parquet")) or sorted(path.glob("data/*.parquet"))


def parquet(path: Path, size: int | None = None, *, skip_bad: bool = False) -> Source:
    """A .parquet file, or a folder of `train*.parquet`, `test*.parquet`: the hub's schema.

    Raises:
        InputError: it is absent, unreadable, has no image or label column, or no training part.
    """
    files = parquet_files(path)
    if not files:
        raise InputError(f"there is no file {path}")
    parts = _parts(path, files)
    if size is not None:
        return streamed(_parquet_listing(path, parts), size, skip_bad=skip_bad)
    key = digest([*file_stamps(files), str(skip_bad)])
    return cached(key, lambda: decoded(_parquet_listing(path, parts), skip_bad=skip_bad))


def hub(name: str, size: int | None = None, *, skip_bad: bool = False) -> Source:
    """A data set on the Hugging Face hub, from its local cache where there is no network.

    Raises:
        InputError: there is none of this name, no network, or no `train` split.
    """
    listing = _hub_listing(name, load_tables(name, "images"))
    if size is not None:
        return streamed(listing, size, skip_bad=skip_bad)
    keys = [part.pictures.key for part in listing.parts.values()]
    if None in keys:
        return decoded(listing, skip_bad=skip_bad)
    key = digest([*map(str, keys), str(skip_bad)])
    return cached(key, lambda: decoded(listing, skip_bad=skip_bad))


def _parts(path: Path, files: list[Path]) -> dict[str, list[Path]]:
    """Which files make which part; those without a part's name train where none is named so."""
    found: dict[str, list[Path]] = {"train": [], "validation": [], "test": []}
    unnamed: list[Path] = []
    for file in files:
        match = PART.match(file.name)
        part = match.group(1) if match else ""
        found.get("validation" if part in VALIDATION_NAMES else part, unnamed).append(file)
    if len(files) == 1:  # a single file is what to learn from, whatever it is called
        return {"train": files}
    found["train"] = found["train"] or unnamed
    if not found["train"]:
        raise InputError(f"{path} has no train*.parquet; it has {', '.join(f.name for f in files)}")
    return {part: chosen for part, chosen in found.items() if chosen}


def _parquet_listing(path: Path, parts: Mapping[str, Sequence[Path]]) -> Listing:
    import datasets
    from pyarrow import parquet as pq  # type: ignore[import-untyped]

    try:
        features = {
            part: [datasets.Features.from_arrow_schema(pq.read_schema(file)) for file in files]
            for part, files in parts.items()
        }
        image, label = _columns(str(path), features)
        labels = {
            part: [n for f in files for n in pq.read_table(f, columns=[label])[label].to_pylist()]
            for part, files in parts.items()
        }
        pictures = {
            part: ParquetRows(f"{path} ({part})", files, image) for part, files in parts.items()
        }
    except InputError:
        raise
    except Exception as error:  # pyarrow and datasets raise many kinds
        raise InputError(f"{path} is not readable as parquet: {first_line(error)}") from error
    found = {part: Part(p, _integers(p.name, labels[part])) for part, p in pictures.items()}
    return _listing(found, features["train"][0][label])


def _hub_listing(name: str, tables: Mapping[str, Any]) -> Listing:
    """Images and labels of tables in the hub's schema."""
    image, label = _columns(name, {part: [t.features] for part, t in tables.items()})
    parts = {
        part: Part(
            TableRows(f"{name} ({part})", table, image),
            _integers(f"{name} ({part})", table[label][:]),
        )
        for part, table in tables.items()
    }
    return _listing(parts, tables["train"].features[label])


def _listing(parts: dict[str, Part], label: Any) -> Listing:
    if "test" in parts and (parts["test"].labels == -1).all():  # the hub's sign for secret labels
        del parts["test"]
    names = getattr(label, "names", None)
    if names is None:
        part = parts["train"]
        names = numbered(part.pictures.name, int(part.labels.max(initial=0)))
    return Listing(parts, tuple(names))


def _columns(name: str, features: Mapping[str, Sequence[Any]]) -> tuple[str, str]:
    """The image and the label column, the same in every table of every part."""
    import datasets

    train = features["train"][0]
    image = next((c for c, f in train.items() if isinstance(f, datasets.Image)), None)
    label = next((c for c, f in train.items() if isinstance(f, datasets.ClassLabel)), None)
    label = label or next((c for c in LABEL_NAMES if c in train), None)
    if image is None or label is None:
        raise InputError(f"{name} needs an image and a label column; it has {', '.join(train)}")
    for part, tables in features.items():
        for table in tables:
            _same_columns(name, part, train, table, (image, label))
    return image, label


def _same_columns(
    name: str, part: str, train: dict[str, Any], other: dict[str, Any], columns: tuple[str, str]
) -> None:
    for column in columns:
        if column not in other:
            raise InputError(f"{name}: its {part} part has no column {column!r} as train has")
    names, own = (getattr(f[columns[1]], "names", None) for f in (train, other))
    if names != own:
        odd = sorted(set(names or ()) ^ set(own or ())) or ["their order"]
        raise InputError(f"{name}: its train and {part} parts differ in classes: {', '.join(odd)}")


def _integers(name: str, labels: Sequence[Any]) -> np.ndarray:
    found = np.array(labels)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        if not len(found):
            return np.zeros(0, dtype=np.int64)
        raise InputError(f"{name}: labels must be integers or class labels, not {found.dtype}")
    return found.astype(np.int64)
