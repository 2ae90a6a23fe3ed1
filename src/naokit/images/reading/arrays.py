"""Readers of the digits, of arrays and of folders; each gives a `Source` (see also `tables`)."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from naokit.base import InputError
from naokit.files import check_fits
from naokit.images.classes import numbered
from naokit.images.data import Source, Split
from naokit.images.pictures.modes import Adjustment, remarks
from naokit.images.pictures.pixels import scaled
from naokit.images.reading.folders import listing_of
from naokit.images.reading.listing import source_of
from naokit.training.tree import Tree

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
        InputError: The file is not a readable .npz file, or an array is absent, of another
            type or shape.
    """
    arrays = _arrays(path)
    names = {"images": "x_train", "labels": "y_train", "x_valid": "x_val", "y_valid": "y_val"}
    arrays = {names.get(name, name): array for name, array in arrays.items()}
    if not {"x_train", "y_train"} <= arrays.keys():
        raise InputError(
            f"{path} holds {', '.join(arrays) or 'nothing'}; expected arrays images and labels, "
            "or x_train, y_train (and x_val, y_val, x_test, y_test)"
        )
    arrays, said = _in_bytes(path, arrays)
    train, validation, test = (
        _array_split(path, arrays, part) for part in ("train", "val", "test")
    )
    assert train is not None
    largest = max(int(s.labels.max(initial=0)) for s in (train, validation, test) if s is not None)
    return Source(train, validation, test, numbered(str(path), largest), remarks=said)


def _in_bytes(
    path: Path, arrays: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The arrays, images of 16 bits scaled to 8, and what there is to say of it."""
    names = [n for n, array in arrays.items() if n[0] == "x" and array.dtype == np.uint16]
    deep = {name: scaled(arrays[name]) for name in names}
    kinds = [Adjustment.DEEP] * sum(map(len, deep.values()))
    brightest = max((int(images.max(initial=0)) for images in deep.values()), default=None)
    return {**arrays, **deep}, tuple(remarks(str(path), kinds, brightest))


def folder(tree: Tree, size: int | None = None, *, skip_bad: bool = False) -> Source:
    """One folder a class, or such folders below `train`, `validation` and `test`.

    Raises:
        InputError: A part has other classes than `train`, a class has no images, or a picture
            cannot be decoded (not with `skip_bad`).
    """
    return source_of(listing_of(tree), size, skip_bad=skip_bad)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        raise InputError(f"there is no file {path}")
    if path.is_file() and not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a readable .npz file: it is no whole zip archive")
    try:
        with zipfile.ZipFile(path) as archive:
            check_fits(path, sum(member.file_size for member in archive.infolist()))
        with np.load(path, allow_pickle=False) as file:
            return {name.lower(): file[name] for name in file.files}
    except InputError:
        raise
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
