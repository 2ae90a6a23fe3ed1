"""Images to learn from: in memory as bytes, or decoded while training; with a held-out part.

    load_images("digits")              real images that come with scikit-learn
    load_images("folder/")             one folder a class, or such in parts, or parquet files
    load_images("images.npz")          arrays
    load_images("owner/name")          a data set on the Hugging Face hub
    load_images("folder/", size=224)   pictures of any size, not held in memory

Shapes: N images, B batch, C channels, H and W height and width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from naokit.base import InputError
from naokit.training.classes import NUMBER_THEM, numbered
from naokit.training.columns import UNNAMED, ColumnNames
from naokit.training.stream import Stream

if TYPE_CHECKING:  # listing data needs no torch
    from torch import Tensor

VALIDATION = 0.1  # section 2: 45,000 of CIFAR-10's 50,000 images train, 5,000 are held out
PARTS = ("test", "validation", "train")


@dataclass(frozen=True, eq=False)
class Split:
    """Images (N, C, H, W) of bytes and their labels (N,) from 0."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image(self) -> tuple[int, int, int]:
        """Shape of an image (C, H, W)."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def take(self, rows: np.ndarray) -> Split:
        """Some of the images."""
        return Split(self.images[rows], self.labels[rows])

    def batches(
        self, order: Sequence[np.ndarray], *, seed: int | None, workers: int = 0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Images (B, C, H, W) and labels (B,) for each array of rows, in this order.

        Seed and workers are a `Stream`'s: here nothing is cropped or decoded.
        """
        import torch

        del seed, workers
        for rows in order:
            # Copies: what torch is given must be writable, which a mapped file is not.
            images, labels = self.images[rows], self.labels[rows]
            yield torch.from_numpy(images), torch.from_numpy(labels)

    def content(self) -> Iterator[bytes]:
        """What tells it from other data: shape, labels and every 97th image."""
        yield str(self.images.shape).encode()
        yield np.ascontiguousarray(self.labels).tobytes()
        yield np.ascontiguousarray(self.images[::97]).tobytes()

    def levels(self) -> np.ndarray:
        """How often each level comes in each channel (C, 256)."""
        channels = self.images.swapaxes(0, 1)
        return np.stack([np.bincount(channel.ravel(), minlength=256) for channel in channels])


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set in three parts; `test` is never looked at by a search.

    Attributes:
        name: where it came from.
        train: what networks learn from.
        validation: what they are compared on.
        test: what the last network is reported on; empty where the source has none.
        class_names: one a label.
        held_out: rows of the source's training part (without those skipped) that became the
            validation part; None where the source has one.
        skipped: pictures that cannot be decoded and were left out, by name.
        remarks: what a person should know of how it was read, a line each.
        columns: of a table, that it was read from.
    """

    name: str
    train: Split | Stream
    validation: Split | Stream
    test: Split | Stream
    class_names: tuple[str, ...]
    held_out: tuple[int, ...] | None = None
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    columns: ColumnNames = UNNAMED

    @property
    def image(self) -> tuple[int, int, int]:
        """Shape of an image (C, H, W)."""
        return self.train.image

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @cached_property
    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of each channel (C,) of the training images, in [0, 1].

        Of a stream: of a fixed sample of their centres.
        """
        levels = np.arange(256) / 255
        counts = self.train.levels()
        shares = counts / counts.sum(axis=1, keepdims=True)  # (C, 256)
        mean = shares @ levels
        deviation = np.sqrt(np.maximum(shares @ levels**2 - mean**2, 1e-6))
        return mean, deviation

    @cached_property
    def fingerprint(self) -> str:
        """A name for the content: counts, shapes, labels and some images, or their headers."""
        state = hashlib.blake2b(digest_size=8)
        for split in (self.train, self.validation, self.test):
            for content in split.content():
                state.update(content)
        return state.hexdigest()


@dataclass(frozen=True)
class Source:
    """What a reader found: the parts that the source itself distinguishes, in its own order."""

    train: Split | Stream
    validation: Split | Stream | None
    test: Split | Stream | None
    class_names: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    columns: ColumnNames = UNNAMED


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
    """The data set of a name or path; its validation part is drawn from `train` if need be.

    Args:
        source: "digits", a folder, a .npz or .parquet file, or a data set on the hub.
        seed: of the held-out part, a tenth of each class (only where the source has none).
        size: None: images of one size, in memory. Else pictures of any size, decoded while a
            network trains and shown as `size` x `size`.
        skip_bad: leave out pictures that cannot be decoded.
        hold_out: whether a source without a validation part gives some of its training part; else
            the validation part is empty.
        image_column: of the pictures in parquet files or on the hub, where it cannot be told.
        label_column: of the labels, likewise.

    Raises:
        InputError: it cannot be read, is empty, has one class only or images of several sizes.
    """
    if size is not None and size < 1:
        raise InputError(f"the image size must be 1 or more pixels, not {size}")
    from naokit.training import reading

    chosen = ColumnNames(image_column, label_column)
    if isinstance(source, ImageData):
        reading.refuse_size("what is in memory", size)
        reading.refuse_columns("what is in memory", chosen)
        _check(source.name, (source.train, source.validation, source.test), source.class_names)
        return source
    found = reading.read(source, size, chosen, skip_bad=skip_bad)
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


class InParts(Protocol):
    """Data of any kind, in three parts."""

    @property
    def name(self) -> str:
        """Where it came from."""

    @property
    def train(self) -> Sized:
        """What networks learn from."""

    @property
    def validation(self) -> Sized:
        """What they are compared on."""

    @property
    def test(self) -> Sized:
        """What the last network is reported on."""


def part_named(data: InParts, name: str | None = None, *, fewest: int = 1) -> str:
    """The part asked for, else the test part or what stands in for it.

    Args:
        data: whose part.
        name: of `PARTS`.
        fewest: a part with less in it is none.

    Raises:
        InputError: there is no part of this name, or too little in it.
    """
    if name is None:
        name = "test" if len(data.test) else "validation"
    if name not in PARTS:
        raise InputError(f"there is no part {name!r}; expected {', '.join(PARTS)}")
    if len(getattr(data, name)) < fewest:
        raise InputError(f"{data.name} has no {name} part; use `part='validation'`")
    return name


def held_out(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which rows (N,) are held out: `share` of each class, at least one of two."""
    generator = np.random.default_rng(seed)
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == label))
        chosen[rows[: max(1, round(share * len(rows))) if len(rows) > 1 else 0]] = True
    return chosen


def check_classes(data: ImageData) -> None:
    """Raises InputError where labels are no numbers of classes: most of these have no image.

    Names of the source's own may be of classes that it has no images of.
    """
    present, classes = len(np.unique(data.train.labels)), data.classes
    if 2 * present < classes and data.class_names == numbered(data.name, classes - 1):
        raise InputError(
            f"{data.name}: its {present} different labels run up to {classes - 1}, which makes "
            f"{classes} classes, most of them without an image; {NUMBER_THEM}"
        )


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Weight of each class (K,) by inverse frequency; the mean over the images is 1.

    A class without images has weight 0, as nothing is known of it.

    Args:
        labels: of the training images, (N,).
        classes: K.
    """
    counts = np.bincount(labels, minlength=classes)
    present = np.count_nonzero(counts)
    return np.where(counts > 0, len(labels) / np.maximum(present * counts, 1), 0.0)


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
