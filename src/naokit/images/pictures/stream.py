"""Pictures that are decoded while a network trains, in this process or in workers.

Shapes: N pictures, B batch, C channels, S side of what is shown, H and W of a picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from naokit.base import InputError
from naokit.images.pictures.crops import centre_view, random_view
from naokit.images.pictures.reduced import Reduced

if TYPE_CHECKING:  # listing data needs no torch
    from torch import Tensor

SAMPLE = 1000  # pictures: the mean of a channel is then known to about 0.005
REPLACEMENTS = 100


@dataclass(frozen=True, eq=False)
class Stream:
    """Pictures of any size, shown as (C, S, S).

    Attributes:
        pictures: The pictures of the source's part.
        rows: The rows that belong to this stream, (N,).
        labels: The labels from 0, (N,).
        size: The side S at which pictures are shown.
        channels: The number of colour channels C.
        skip_bad: Whether a picture that cannot be decoded is replaced by the next that can, with
            its label.
    """

    pictures: Reduced
    rows: np.ndarray
    labels: np.ndarray
    size: int
    channels: int
    skip_bad: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image(self) -> tuple[int, int, int]:
        """Shape of what is shown (C, S, S)."""
        return self.channels, self.size, self.size

    def take(self, rows: np.ndarray) -> Stream:
        """Some of the pictures."""
        return replace(self, rows=self.rows[rows], labels=self.labels[rows])

    def batches(
        self, order: Sequence[np.ndarray], *, seed: int | None, decoders: int = 0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Bytes (B, C, S, S) and labels (B,) for each array of rows, in this order.

        Args:
            order: The rows of each batch.
            seed: The seed of the random crops; each crop is a function of it and of the row. If
                None, the centres are taken.
            decoders: The number of processes that decode; 0 means this one.

        Raises:
            InputError: A picture cannot be decoded (which).
        """
        import torch
        from torch.utils.data import DataLoader

        loader: DataLoader[Any] = DataLoader(
            _Batches(self, seed),  # type: ignore[arg-type]
            batch_size=None,  # an item is a batch
            sampler=list(order),
            num_workers=decoders,
            generator=torch.Generator(),  # else it would draw from the global one
        )
        for found in loader:
            if isinstance(found, str):
                raise InputError(found)
            yield found[0], found[1]

    def content(self) -> Iterator[bytes]:
        """What tells it from other data: shape, labels and what the headers say."""
        yield str((len(self), *self.image)).encode()
        yield np.ascontiguousarray(self.labels).tobytes()
        yield np.ascontiguousarray(self.pictures.survey[self.rows, :4]).tobytes()

    def levels(self) -> np.ndarray:
        """How often each level comes in each channel (C, 256) of a fixed sample of centres."""
        sample = np.random.default_rng(0).permutation(len(self))[:SAMPLE]
        counts = np.zeros((self.channels, 256), dtype=np.int64)
        for row in np.sort(sample):
            pixels, _ = self.view(int(row), None)
            for channel in range(self.channels):
                counts[channel] += np.bincount(pixels[..., channel].ravel(), minlength=256)
        return counts

    def view(self, row: int, seed: int | None) -> tuple[np.ndarray, int]:
        """One picture as it is shown (S, S, C), and its label."""
        tries = min(len(self), REPLACEMENTS)
        for step in range(tries):
            place = (row + step) % len(self)
            try:
                picture = self.pictures[int(self.rows[place])]
            except InputError:
                if not self.skip_bad:
                    raise
                continue
            if seed is None:
                shown = centre_view(picture, self.size)
            else:
                shown = random_view(picture, self.size, np.random.default_rng((seed, row)))
            return shown, int(self.labels[place])
        raise InputError(
            f"{self.pictures.pictures.name}: {tries} pictures in a row cannot be decoded; "
            "is the disk still there?"
        )


class _Batches:
    """Batches by their rows; an error comes as text, which a worker can send in one line."""

    def __init__(self, stream: Stream, seed: int | None) -> None:
        self.stream, self.seed = stream, seed

    def __len__(self) -> int:
        return len(self.stream)

    def __getitem__(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray] | str:
        images = np.empty((len(rows), *self.stream.image), dtype=np.uint8)
        labels = np.empty(len(rows), dtype=np.int64)
        try:
            for place in np.argsort(rows, kind="stable"):  # neighbours lie in one row group
                pixels, labels[place] = self.stream.view(int(rows[place]), self.seed)
                images[place] = pixels.transpose(2, 0, 1)
        except InputError as error:
            return str(error)
        return images, labels
