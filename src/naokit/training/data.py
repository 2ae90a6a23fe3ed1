"""Images to learn from: in memory, as bytes, with a held-out part.

    load_images("digits")              real images that come with scikit-learn
    load_images("folder/")             one folder a class, or parquet files, or train/ and test/
    load_images("images.npz")          arrays
    load_images("owner/name")          a data set on the Hugging Face hub

Shapes: N images, C channels, H and W height and width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from naokit.base import InputError

VALIDATION = 0.1  # section 2: 45,000 of CIFAR-10's 50,000 images train, 5,000 are held out
VALIDATION_NAMES = ("validation", "valid", "val", "dev")


@dataclass(frozen=True, eq=False)
class Split:
    """Images (N, C, H, W) of bytes and their labels (N,) from 0."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Split:
        """Some of the images."""
        return Split(self.images[rows], self.labels[rows])


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set in three parts; `test` is never looked at by a search.

    Attributes:
        name: where it came from.
        train: what networks learn from.
        validation: what they are compared on.
        test: what the last network is reported on; empty where the source has none.
        class_names: one a label.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]

    @property
    def image(self) -> tuple[int, int, int]:
        """Shape of an image (C, H, W)."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @cached_property
    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of each channel (C,) of the training images, in [0, 1]."""
        levels = np.arange(256) / 255
        counts = np.stack(
            [
                np.bincount(self.train.images[:, channel].ravel(), minlength=256)
                for channel in range(self.image[0])
            ]
        )
        shares = counts / counts.sum(axis=1, keepdims=True)  # (C, 256)
        mean = shares @ levels
        deviation = np.sqrt(np.maximum(shares @ levels**2 - mean**2, 1e-6))
        return mean, deviation

    @cached_property
    def fingerprint(self) -> str:
        """A name for the content: counts, shapes, labels and every 97th image of each part."""
        state = hashlib.blake2b(digest_size=8)
        for split in (self.train, self.validation, self.test):
            state.update(str(split.images.shape).encode())
            state.update(np.ascontiguousarray(split.labels).tobytes())
            state.update(np.ascontiguousarray(split.images[::97]).tobytes())
        return state.hexdigest()


@dataclass(frozen=True)
class Source:
    """What a reader found: the parts that the source itself distinguishes, in its own order."""

    train: Split
    validation: Split | None
    test: Split | None
    class_names: tuple[str, ...]


def load_images(source: str | Path | ImageData, *, seed: int = 0) -> ImageData:
    """The data set of a name or path; its validation part is drawn from `train` if need be.

    Args:
        source: "digits", a folder, a .npz or .parquet file, or a data set on the hub.
        seed: of the held-out part, a tenth of each class (only where the source has none).

    Raises:
        InputError: it cannot be read, is empty, has one class only or images of several sizes.
    """
    if isinstance(source, ImageData):
        _check(source.name, (source.train, source.validation, source.test), source.class_names)
        return source
    found = read(source)
    splits = [split for split in (found.train, found.validation, found.test) if split is not None]
    _check(str(source), splits, found.class_names)
    train, validation = found.train, found.validation
    if not validation:  # absent or empty
        held = held_out(train.labels, VALIDATION, seed)
        train, validation = train.take(~held), train.take(held)
    if not validation:
        raise InputError(f"{source} has no class of two images, so none can be held out")
    empty = Split(train.images[:0], train.labels[:0])
    return ImageData(str(source), train, validation, found.test or empty, found.class_names)


def read(source: str | Path) -> Source:
    """What the reader for this kind of source finds."""
    from naokit.training import readers, tables

    path = Path(source)
    if str(source) == "digits":
        return readers.digits()
    if path.suffix == ".npz":
        return readers.npz(path)
    if path.suffix == ".parquet" or tables.parquet_files(path):
        return tables.parquet(path)
    if path.is_dir():
        return readers.folder(path)
    if path.exists():
        raise InputError(f"{path} is neither a folder nor a .npz or .parquet file")
    return tables.hub(str(source))


def held_out(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which rows (N,) are held out: `share` of each class, at least one of two."""
    generator = np.random.default_rng(seed)
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == label))
        chosen[rows[: max(1, round(share * len(rows))) if len(rows) > 1 else 0]] = True
    return chosen


def _check(name: str, splits: Sequence[Split], class_names: Sequence[str]) -> None:
    train = splits[0]
    for split in splits:
        if split.images.dtype != np.uint8 or split.images.ndim != 4:
            raise InputError(f"{name}: images must be bytes (uint8) of shape (N, C, H, W)")
        if split.labels.dtype != np.int64 or split.labels.shape != split.images.shape[:1]:
            raise InputError(f"{name}: labels must be int64, one an image")
    if not len(train):
        raise InputError(f"{name} holds no training images")
    shapes = {split.images.shape[1:] for split in splits if len(split)}
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
