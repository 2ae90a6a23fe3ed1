"""Images to learn from, read: in memory as bytes, or decoded while training; a part is held out.

    load_images("digits")              real images that come with scikit-learn
    load_images("folder/")             one folder a class, or such in parts, or parquet files
    load_images("images.npz")          arrays
    load_images("owner/name")          a data set on the Hugging Face hub
    load_images("folder/", size=224)   pictures of any size, not held in memory

Shapes: N images, C channels, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from naokit.base import InputError, unexpected
from naokit.images import reading
from naokit.images.data import ColumnNames, ImageData, Split
from naokit.images.pictures.stream import Stream
from naokit.training.parts import VALIDATION


def load_images(
    source: str | Path | ImageData,
    *,
    seed: int = 0,
    size: int | None = None,
    skip_bad: bool = False,
    hold_out: bool = True,
    image_column: str | None = None,
    label_column: str | None = None,
) -> ImageData:
    """The data set of a name or path; its validation part is drawn from `train` if it has none.

    Args:
        source: "digits", a folder, a .npz or .parquet file, or a data set on the hub.
        seed: The seed of the held-out part, a tenth of each class (only where the source has none).
        size: The side at which pictures of any size are shown; they are decoded while a network
            trains. If None, all images have one size and are kept in memory.
        skip_bad: Whether pictures that cannot be decoded are left out.
        hold_out: Whether a source without a validation part gives some of its training part; if
            not, the validation part is empty.
        image_column: The column of the pictures in parquet files or on the hub, where it cannot be
            told.
        label_column: The column of the labels, where it cannot be told.

    Raises:
        InputError: The source cannot be read, is empty, or has one class only or images of several
            sizes.
    """
    if size is not None and size < 1:
        raise InputError(f"the image size must be 1 or more pixels, not {size}")

    chosen = ColumnNames(image_column, label_column)
    if isinstance(source, ImageData):
        reading.refuse_size("what is in memory", size)
        reading.refuse_columns("what is in memory", chosen)
        _check(source.name, (source.train, source.validation, source.test), source.class_names)
        return source
    given: object = source
    if not isinstance(given, str | Path):
        expected = "a name or a path, or a naokit.images.data.ImageData of arrays"
        raise unexpected("data", given, expected)
    found = reading.read_images(source, size, chosen, skip_bad=skip_bad)
    splits = [split for split in (found.train, found.validation, found.test) if split is not None]
    _check(str(source), splits, found.class_names)
    train, validation, rows = found.train, found.validation, None
    if not validation and hold_out:  # absent or empty
        held = held_out(train.labels, VALIDATION, seed)
        train, validation = train.take(~held), train.take(held)
        rows = tuple(np.flatnonzero(held).tolist())
    if hold_out and not validation:
        raise InputError(f"{source} has no class of two images, so none can be held out")
    nothing = train.take(np.arange(0))
    test = found.test or nothing
    return ImageData(
        str(source),
        train,
        validation or nothing,
        test,
        found.class_names,
        rows,
        found.skipped,
        found.remarks,
        found.columns,
    )


def held_out(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """The rows (N,) that are held out: `share` of each class, at least one of two."""
    generator = np.random.default_rng(seed)
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == label))
        chosen[rows[: max(1, round(share * len(rows))) if len(rows) > 1 else 0]] = True
    return chosen


def _check(name: str, splits: Sequence[Split | Stream], class_names: Sequence[str]) -> None:
    train = splits[0]
    for split in splits:
        if isinstance(split, Stream):
            continue
        if split.images.dtype != np.uint8 or split.images.ndim != 4:
            raise InputError(f"{name}: images must be bytes (uint8) of shape (N, C, H, W)")
        if split.labels.dtype != np.int64 or split.labels.shape != split.images.shape[:1]:
            raise InputError(f"{name}: labels must be int64, one an image")
    if not len(train):
        raise InputError(f"{name} holds no training images")
    shapes = {split.image for split in splits if len(split)}
    if len(shapes) > 1:
        raise InputError(f"{name}: its parts differ in image size: {sorted(shapes)}; resize them")
    present = np.unique(train.labels)
    if len(present) < 2:
        raise InputError(
            f"{name} has one class only ({class_names[int(present[0])]}); "
            "a classifier needs two or more"
        )
    for split in splits:
        if len(split) and not 0 <= split.labels.min() <= split.labels.max() < len(class_names):
            raise InputError(
                f"{name}: labels run from {split.labels.min()} to {split.labels.max()}, "
                f"but there are {len(class_names)} classes (0 to {len(class_names) - 1})"
            )
