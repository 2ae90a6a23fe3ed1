"""Batches on the device: of images that are stored there, or that a stream decodes.

Shapes: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from naokit.images.data import Split
from naokit.images.pictures.stream import Stream

EVALUATION_BATCH = 125  # a fifth less time an image than 500 on a processor: caches


class Feed:
    """The images of a split, batch by batch.

    Args:
        split: The images; those in memory are put on the device once, as bytes.
        device: The device that batches are put on.
        decoders: The number of processes that decode a stream's pictures.
    """

    def __init__(self, split: Split | Stream, device: torch.device, decoders: int = 0) -> None:
        self.split, self.device, self.decoders = split, device, decoders
        self.images: Tensor | None = None
        self.labels = torch.tensor(split.labels, device=device)
        if isinstance(split, Split):
            images = split.images if split.images.flags.writeable else split.images.copy()
            self.images = torch.from_numpy(images).to(device)

    def __len__(self) -> int:
        return len(self.split)

    def batches(
        self, order: Sequence[np.ndarray], *, seed: int | None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Bytes (B, C, H, W) and labels (B,) for each array of rows.

        Args:
            order: The rows of each batch.
            seed: The seed of a stream's random crops. If None, the centres are taken.
        """
        if self.images is None:
            for images, labels in self.split.batches(order, seed=seed, decoders=self.decoders):
                yield images.to(self.device), labels.to(self.device)
            return
        for rows in order:
            chosen = torch.from_numpy(rows).to(self.device)
            yield self.images[chosen], self.labels[chosen]
