"""Images in three parts, and their labels: what readers make and networks learn from.

Shapes: N images, B batch, C channels, H and W height and width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from naokit.base import InputError
from naokit.images.classes import NUMBER_THEM, numbered
from naokit.images.pictures.stream import Stream

if TYPE_CHECKING:  # listing data needs no torch
    from torch import Tensor


@dataclass(frozen=True)
class ColumnNames:
    """Names of columns; None where they are not given, or there is no table.

    Attributes:
        image: The column of the pictures.
        label: The column of the labels.
    """

    image: str | None = None
    label: str | None = None

    def __bool__(self) -> bool:
        return self != UNNAMED


UNNAMED = ColumnNames()


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
        self, order: Sequence[np.ndarray], *, seed: int | None, decoders: int = 0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Images (B, C, H, W) and labels (B,) for each array of rows, in this order.

        Seed and decoders are a `Stream`'s: here nothing is cropped or decoded.
        """
        import torch

        del seed, decoders
        for rows in order:
            # Copies: what torch is given must be writable, which a mapped file is not.
            images, labels = self.images[rows], self.labels[rows]
            yield torch.from_numpy(images), torch.from_numpy(labels)

    def content(self) -> Iterator[bytes]:
        """The bytes of its fingerprint: shape, labels and every 97th image."""
        yield str(self.images.shape).encode()
        yield np.ascontiguousarray(self.labels).tobytes()
        yield np.ascontiguousarray(self.images[::97]).tobytes()

    def levels(self) -> np.ndarray:
        """The count of each level in each channel (C, 256)."""
        channels = self.images.swapaxes(0, 1)
        return np.stack([np.bincount(channel.ravel(), minlength=256) for channel in channels])


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set in three parts; `test` is never looked at by a search.

    Attributes:
        name: The name of the source.
        train: The part that networks learn from.
        validation: The part that networks are compared on.
        test: The part that the last network is reported on; empty where the source has none.
        class_names: The name of each label.
        held_out: The number of rows of the source's training part (without those skipped) that
            became the validation part; None where the source has one.
        skipped: The names of pictures that cannot be decoded and were left out.
        remarks: Remarks for a person on how the source was read, one line each.
        columns: The columns of a table that the data were read from.
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
        """The number of classes."""
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
    """The result of a reader: the parts that the source itself distinguishes, in its own order."""

    train: Split | Stream
    validation: Split | Stream | None
    test: Split | Stream | None
    class_names: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    columns: ColumnNames = UNNAMED


def check_classes(data: ImageData) -> None:
    """Raises InputError where labels are not numbers of classes: most of these have no image.

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
        labels: The labels of the training images, (N,).
        classes: The number of classes K.
    """
    counts = np.bincount(labels, minlength=classes)
    present = np.count_nonzero(counts)
    return np.where(counts > 0, len(labels) / np.maximum(present * counts, 1), 0.0)
