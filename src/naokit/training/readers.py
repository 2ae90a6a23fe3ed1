"""Readers of the digits, of arrays and of folders; each gives a `Source` (see also `tables`)."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from naokit.base import InputError
from naokit.training.data import VALIDATION_NAMES, Source, Split, numbered
from naokit.training.decoded_cache import cached
from naokit.training.encoded import Files, digest
from naokit.training.listing import Listing, Part, decoded, streamed
from naokit.training.pictures import SUFFIXES

CHANNELS = (1, 3, 4)
"""Sizes of a last axis that are taken for channels."""
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
    """Arrays `images` and `labels`, or `x_train`, `y_train` and the same of val and test.

    Raises:
        InputError: it is no readable .npz file, or an array is absent, of another type or shape.
    """
    arrays = _arrays(path)
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
    return Source(train, validation, test, numbered(str(path), largest))


def folder(path: Path, size: int | None = None, *, skip_bad: bool = False) -> Source:
    """One folder a class, or such folders below `train`, `validation` and `test`.

    Raises:
        InputError: a part has other classes than `train`, a class has no images, or a picture
            cannot be decoded (not with `skip_bad`).
    """
    listing = _listing(path)
    if size is not None:
        return streamed(listing, size, skip_bad=skip_bad)
    keys = [f"{name} {part.pictures.key}" for name, part in listing.parts.items()]
    key = digest([*keys, *listing.class_names, str(skip_bad)])
    return cached(key, lambda: decoded(listing, skip_bad=skip_bad))


def _listing(path: Path) -> Listing:
    if not _class_folders(path / "train"):  # absent, or a class of trains
        names = _class_folders(path)
        if names and set(names) <= {*VALIDATION_NAMES, "test"}:
            raise InputError(f"{path} has {' and '.join(names)}, but no train folder")
        return Listing({"train": _training_part(path, names)}, names)
    names = _class_folders(path / "train")
    parts = {
        "train": _training_part(path / "train", names),
        "validation": _further_part(path, VALIDATION_NAMES, names),
        "test": _further_part(path, ("test",), names),
    }
    return Listing({name: part for name, part in parts.items() if part is not None}, names)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        raise InputError(f"there is no file {path}")
    if path.is_file() and not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a readable .npz file: it is no whole zip archive")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name.lower(): file[name] for name in file.files}
    except Exception as error:  # zipfile, zlib and numpy each have their own
        raise InputError(f"{path} is not a readable .npz file of plain arrays: {error}") from error


def _array_split(path: Path, arrays: Mapping[str, np.ndarray], part: str) -> Split | None:
    """The images and labels of one part, brought to bytes (N, C, H, W)."""
    if f"x_{part}" not in arrays:
        return None
    images, labels = arrays[f"x_{part}"], arrays.get(f"y_{part}")
    if labels is None:
        raise InputError(f"{path} has x_{part}, but no y_{part}")
    if labels.dtype.kind not in "iu":
        raise InputError(f"{path}: labels must be integers, not {labels.dtype}")
    if images.dtype != np.uint8:
        raise InputError(f"{path}: images must be bytes (uint8, 0 to 255), not {images.dtype}")
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[3] in CHANNELS:
        if images.shape[1] in CHANNELS:
            raise InputError(
                f"{path}: x_{part} of shape {images.shape} may be (N, C, H, W) or (N, H, W, C): "
                "enlarge the images to five pixels a side"
            )
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4:
        raise InputError(f"{path}: images must be (N, H, W), (N, H, W, C) or (N, C, H, W)")
    if labels.shape not in ((len(images),), (len(images), 1)):
        raise InputError(
            f"{path}: y_{part} must hold one label for each of {len(images)} images, "
            f"but its shape is {labels.shape}"
        )
    return Split(np.ascontiguousarray(images), labels.reshape(-1).astype(np.int64))


def _class_folders(path: Path) -> tuple[str, ...]:
    """Names of the folders in `path` (none where it is absent); hidden ones are no classes."""
    if not path.is_dir():
        return ()
    names = (entry.name for entry in path.iterdir() if entry.is_dir())
    return tuple(sorted(name for name in names if not name.startswith(".")))


def _training_part(path: Path, names: Sequence[str]) -> Part:
    """Every picture below the class folders; each class must have one."""
    part = _pictures_below(path, names)
    empty = [name for label, name in enumerate(names) if label not in part.labels]
    if empty:
        raise InputError(f"{path} has class folders without images: {', '.join(empty)}")
    return part


def _further_part(path: Path, folders: Sequence[str], names: Sequence[str]) -> Part | None:
    present = next((path / name for name in folders if (path / name).is_dir()), None)
    if present is None:
        return None
    odd = sorted(set(_class_folders(present)) ^ set(names))
    if odd:
        raise InputError(f"{present} and {path / 'train'} differ in classes: {', '.join(odd)}")
    return _pictures_below(present, names)


def _pictures_below(path: Path, names: Sequence[str]) -> Part:
    files = [(file, label) for label, name in enumerate(names) for file in _files(path, name)]
    if not files:
        raise InputError(
            f"{path} holds no images; expected one folder a class with files of the kinds "
            f"{', '.join(sorted(SUFFIXES))}"
        )
    labels = np.array([label for _, label in files], dtype=np.int64)
    return Part(Files(path, [file for file, _ in files]), labels)


def _files(path: Path, name: str) -> list[str]:
    """Pictures below a class folder, relative to `path`, folder by folder."""
    found = [
        os.path.join(folder, file)  # noqa: PTH118  there may be a million
        for folder, _, files in os.walk(path / name)
        for file in files
        if Path(file).suffix.lower() in SUFFIXES and not file.startswith(".")
    ]
    relative = [os.path.relpath(file, path) for file in found]
    return sorted(relative, key=lambda file: Path(file).parts)
