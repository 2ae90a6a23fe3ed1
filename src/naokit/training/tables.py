"""Image data in tables of the Hugging Face schema: parquet files and data sets on the hub.

Decoding a whole data set takes a while (CIFAR-10: 23 s of one core), so the arrays are cached.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from naokit.base import InputError
from naokit.training.cache import cached
from naokit.training.data import VALIDATION_NAMES, Source, Split
from naokit.training.pictures import stack

LABEL_NAMES = ("label", "fine_label", "labels")
PART = re.compile(rf"(train|test|{'|'.join(VALIDATION_NAMES)})(?![a-z])")


def parquet_files(path: Path) -> list[Path]:
    """The files of a .parquet file, a folder of them, or a copy of a hub repository (`data/`)."""
    if path.is_file():
        return [path] if path.suffix == ".parquet" else []
    return sorted(path.glob("*.parquet")) or sorted(path.glob("data/*.parquet"))


def parquet(path: Path) -> Source:
    """A .parquet file, or a folder of `train*.parquet`, `test*.parquet`: the hub's schema.

    Raises:
        InputError: it is absent, unreadable, has no image or label column, or no training part.
    """
    files = parquet_files(path)
    if not files:
        raise InputError(f"there is no file {path}")
    parts = _parts(path, files)
    stamps = [f"{f.resolve()} {f.stat().st_size} {f.stat().st_mtime_ns}" for f in files]
    key = hashlib.blake2b("\n".join(stamps).encode(), digest_size=12).hexdigest()
    return cached(key, lambda: _decode(str(path), _read_parquet(path, parts)))


def hub(name: str) -> Source:
    """A data set on the Hugging Face hub, from its local cache where there is no network.

    Raises:
        InputError: there is none of this name, no network, or no `train` split.
    """
    import datasets

    try:
        tables = datasets.load_dataset(name)
    except Exception as error:  # the hub's client raises a dozen unrelated kinds
        raise InputError(
            f"there is no file or folder {name!r}, and no such data set could be loaded from the "
            f"Hugging Face hub ({_first_line(error)}); give a path, or check the name and the "
            "network"
        ) from error
    if "train" not in tables:
        raise InputError(f"{name} has no train split; it has {', '.join(map(str, tables))}")
    validation = next((n for n in VALIDATION_NAMES if n in tables), "validation")
    names = {"train": "train", "validation": validation, "test": "test"}
    return _decode(name, {part: tables[n] for part, n in names.items() if n in tables})


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


def _read_parquet(path: Path, parts: dict[str, list[Path]]) -> dict[str, Any]:
    import datasets

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as cache:  # ours holds the decoded arrays; one is enough
        try:
            # Part by part: read together, the classes of the first would be put on the others.
            return {
                part: datasets.load_dataset(
                    "parquet",
                    data_files=[str(file) for file in files],
                    split="train",
                    cache_dir=f"{cache}/{part}",
                    keep_in_memory=True,
                )
                for part, files in parts.items()
            }
        except Exception as error:  # pyarrow and datasets raise many kinds
            raise InputError(f"{path} is not readable as parquet: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    """The first line of the innermost error: what a person can use."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _decode(name: str, tables: dict[str, Any]) -> Source:
    """Images and labels of tables in the hub's schema."""
    import datasets

    features = tables["train"].features
    image = next((c for c, f in features.items() if isinstance(f, datasets.Image)), None)
    label = next((c for c, f in features.items() if isinstance(f, datasets.ClassLabel)), None)
    label = label or next((c for c in LABEL_NAMES if c in features), None)
    if image is None or label is None:
        raise InputError(f"{name} needs an image and a label column; it has {', '.join(features)}")
    for part, table in tables.items():
        _same_columns(name, part, features, table.features, (image, label))
    splits = {part: _split(f"{name} ({part})", t, image, label) for part, t in tables.items()}
    names = getattr(features[label], "names", None)
    if names is None:
        names = [str(n) for n in range(int(splits["train"].labels.max(initial=0)) + 1)]
    return Source(splits["train"], splits.get("validation"), splits.get("test"), tuple(names))


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


def _split(name: str, table: Any, image: str, label: str) -> Split:
    import datasets

    raw = table.cast_column(image, datasets.Image(decode=False))[image]
    labels = np.array(table[label])
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise InputError(f"{name}: labels must be integers or class labels, not {labels.dtype}")
    rows = (
        (f"{name}, row {number}", row and (row["bytes"] or row["path"]))
        for number, row in enumerate(raw)
    )
    return Split(stack(name, rows), labels.astype(np.int64))
