"""Readers of image data, one a kind of source; each gives a `Source`.

Decoding a whole parquet data set takes a while (CIFAR-10: 20 s), so its arrays are kept in a cache.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from naokit.base import InputError
from naokit.training.cache import cached
from naokit.training.data import Source, Split

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
VALIDATION_NAMES = ("validation", "valid", "val", "dev")
DIGITS_TRAIN, DIGITS_VALIDATION = 900, 450


def digits() -> Source:
    """scikit-learn's 1,797 handwritten digits, 8 x 8, one channel: 900, 450 and 447 images."""
    from sklearn.datasets import load_digits

    bundle = load_digits()
    images = np.round(bundle.images * (255 / 16)).astype(np.uint8)[:, None]
    order = np.random.default_rng(0).permutation(len(images))
    parts = np.split(order, [DIGITS_TRAIN, DIGITS_TRAIN + DIGITS_VALIDATION])
    labels = bundle.target.astype(np.int64)
    train, validation, test = (Split(images[rows], labels[rows]) for rows in parts)
    return Source(train, validation, test, tuple(str(digit) for digit in range(10)))


def npz(path: Path) -> Source:
    """Arrays `images` and `labels`, or `x_train`, `y_train` and the same of val and test."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name.lower(): file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} is not a readable .npz file of plain arrays: {error}") from error
    names = {"images": "x_train", "labels": "y_train", "x_valid": "x_val", "y_valid": "y_val"}
    arrays = {names.get(name, name): array for name, array in arrays.items()}
    if not {"x_train", "y_train"} <= arrays.keys():
        raise InputError(
            f"{path} holds {', '.join(arrays) or 'nothing'}; expected arrays images and labels, "
            "or x_train, y_train (and x_val, y_val, x_test, y_test)"
        )
    train, validation, test = (
        _array_split(path, arrays, part) for part in ("train", "val", "test")
    )
    assert train is not None
    largest = max(int(s.labels.max(initial=0)) for s in (train, validation, test) if s is not None)
    return Source(train, validation, test, tuple(str(label) for label in range(largest + 1)))


def folder(path: Path) -> Source:
    """One folder a class, or such folders below `train`, `validation` and `test`."""
    if not (path / "train").is_dir():
        names = _class_folders(path)
        return Source(_folder_split(path, names), None, None, names)
    names = _class_folders(path / "train")
    parts: dict[str, Split | None] = {"train": _folder_split(path / "train", names)}
    for part, folders in (("validation", VALIDATION_NAMES), ("test", ("test",))):
        present = next((path / name for name in folders if (path / name).is_dir()), None)
        if present is not None and _class_folders(present) != names:
            odd = sorted(set(_class_folders(present)) ^ set(names))
            raise InputError(f"{present} and {path / 'train'} differ in classes: {', '.join(odd)}")
        parts[part] = None if present is None else _folder_split(present, names)
    assert parts["train"] is not None
    return Source(parts["train"], parts["validation"], parts["test"], names)


def parquet(path: Path) -> Source:
    """A .parquet file, or a folder of `train*.parquet`, `test*.parquet`: the hub's schema."""
    if not path.exists():
        raise InputError(f"there is no file {path}")
    files = [path] if path.is_file() else sorted(path.glob("*.parquet"))
    parts = {"train": [f for f in files if f.name.startswith("train")] or files}
    parts |= {"validation": [f for f in files if f.name.startswith(VALIDATION_NAMES)]}
    parts |= {"test": [f for f in files if f.name.startswith("test") and f not in parts["train"]]}
    stamps = [f"{f.resolve()} {f.stat().st_size} {f.stat().st_mtime_ns}" for f in files]
    key = hashlib.blake2b("\n".join(stamps).encode(), digest_size=12).hexdigest()
    return cached(key, lambda: _decode(str(path), _parquet_tables(path, parts)))


def hub(name: str) -> Source:
    """A data set on the Hugging Face hub, from its local cache where there is no network."""
    import datasets

    try:
        tables = datasets.load_dataset(name)
    except Exception as error:  # the hub's client raises a dozen unrelated kinds
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"there is no file or folder {name!r}, and no such data set could be loaded from the "
            f"Hugging Face hub ({reason}); give a path, or check the name and the network"
        ) from error
    if "train" not in tables:
        raise InputError(f"{name} has no train split; it has {', '.join(map(str, tables))}")
    validation = next((n for n in VALIDATION_NAMES if n in tables), "validation")
    names = {"train": "train", "validation": validation, "test": "test"}
    return _decode(name, {part: tables[n] for part, n in names.items() if n in tables})


def _array_split(path: Path, arrays: dict[str, np.ndarray], part: str) -> Split | None:
    """The images and labels of one part, brought to bytes (N, C, H, W)."""
    if f"x_{part}" not in arrays:
        return None
    images, labels = arrays[f"x_{part}"], arrays.get(f"y_{part}")
    if labels is None or len(images) != len(labels):
        raise InputError(f"{path}: x_{part} has {len(images)} images, but not as many labels")
    if labels.dtype.kind not in "iu":
        raise InputError(f"{path}: labels must be integers, not {labels.dtype}")
    if images.dtype != np.uint8:
        raise InputError(f"{path}: images must be bytes (uint8, 0 to 255), not {images.dtype}")
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[3] in (1, 3, 4):
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4:
        raise InputError(f"{path}: images must be (N, H, W), (N, H, W, C) or (N, C, H, W)")
    return Split(np.ascontiguousarray(images), labels.reshape(-1).astype(np.int64))


def _class_folders(path: Path) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in path.iterdir() if entry.is_dir()))


def _folder_split(path: Path, names: Sequence[str]) -> Split:
    files = [
        (file, label)
        for label, name in enumerate(names)
        for file in sorted((path / name).rglob("*"))
        if file.suffix.lower() in PICTURES
    ]
    if not files:
        raise InputError(
            f"{path} holds no images; expected one folder a class with files of the kinds "
            f"{', '.join(sorted(PICTURES))}"
        )
    images = _stack(str(path), (file for file, _ in files))
    return Split(images, np.array([label for _, label in files], dtype=np.int64))


def _parquet_tables(path: Path, parts: dict[str, list[Path]]) -> dict[str, Any]:
    import datasets

    files = {part: [str(file) for file in found] for part, found in parts.items() if found}
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as cache:  # ours holds the decoded arrays; one is enough
        try:
            tables = datasets.load_dataset(
                "parquet", data_files=files, cache_dir=cache, keep_in_memory=True
            )
        except Exception as error:  # pyarrow and datasets raise many kinds
            raise InputError(f"{path} is not readable as parquet: {_first(error)}") from error
        return dict(tables)


def _first(error: BaseException) -> str:
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
    label = label or next((c for c in ("label", "fine_label", "labels") if c in features), None)
    if image is None or label is None:
        raise InputError(f"{name} needs an image and a label column; it has {', '.join(features)}")
    splits = {part: _table_split(name, table, image, label) for part, table in tables.items()}
    names = getattr(features[label], "names", None)
    if names is None:
        names = [str(n) for n in range(int(splits["train"].labels.max(initial=0)) + 1)]
    return Source(splits["train"], splits.get("validation"), splits.get("test"), tuple(names))


def _table_split(name: str, table: Any, image: str, label: str) -> Split:
    import datasets

    raw = table.cast_column(image, datasets.Image(decode=False))[image]
    labels = np.array(table[label])
    if labels.dtype.kind not in "iu":
        raise InputError(f"{name}: labels must be integers or class labels, not {labels.dtype}")
    images = _stack(name, (row["bytes"] or row["path"] for row in raw))
    return Split(images, labels.astype(np.int64))


def _stack(name: str, pictures: Iterable[Path | bytes | str]) -> np.ndarray:
    """Pictures as (N, C, H, W) bytes, decoded in two threads (Pillow releases the GIL)."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        arrays = list(pool.map(_pixels, pictures))
    if not arrays:
        raise InputError(f"{name} holds no images")
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        sizes = ", ".join(f"{w} x {h} x {c}" for c, h, w in sorted(shapes)[:5])
        raise InputError(f"{name} has images of several sizes ({sizes}); resize them to one")
    return np.stack(arrays)


def _pixels(picture: Path | bytes | str) -> np.ndarray:
    """One picture as (C, H, W): grey stays one channel, everything else becomes RGB."""
    import PIL.Image

    try:
        with PIL.Image.open(
            io.BytesIO(picture) if isinstance(picture, bytes) else picture
        ) as image:
            return _channels_first(image)
    except (OSError, SyntaxError, ValueError) as error:
        place = f"{len(picture)} bytes" if isinstance(picture, bytes) else str(picture)
        raise InputError(f"an image cannot be decoded ({place}): {error}") from error


def _channels_first(image: Image) -> np.ndarray:
    pixels = np.asarray(image if image.mode == "L" else image.convert("RGB"))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
