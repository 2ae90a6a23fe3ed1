"""Many networks scored on the same held-out images, which are fetched once.

Shapes: N images, B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from naokit.base import InputError
from naokit.images.accuracy import augmentation_of
from naokit.images.data import ImageData
from naokit.images.memory_format import laid_out
from naokit.training.scored import Scored

BATCH = 250
"""Images at once: batch statistics of so many are those of the data, nearly."""


class ImageScorer:
    """Accuracy on some of the held-out images, percent.

    Args:
        data: The images.
        device: The device of the networks.
        examples: How many images are scored on at most, the same ones every time.

    Raises:
        InputError: Too few images are held out.
    """

    def __init__(self, data: ImageData, device: torch.device, examples: int) -> None:
        order = np.random.default_rng(0).permutation(len(data.validation))[:examples]
        if len(order) < 2:
            raise InputError(f"{data.name} holds {len(order)} images out, too few to score on")
        parts = np.array_split(np.sort(order), -(-len(order) // BATCH))
        augmentation = augmentation_of(data, device)
        self.batches: list[tuple[Tensor, Tensor]] = [
            (
                laid_out(augmentation.standardise(images.to(device)), torch.channels_last),
                labels.to(device),
            )
            for images, labels in data.validation.batches(parts, seed=None)
        ]
        self.images = len(order)

    @torch.no_grad()
    def __call__(self, network: Callable[..., Tensor]) -> Scored:
        """The score of a network (B, C, H, W) -> (B, K)."""
        right = sum(
            int((network(images).argmax(dim=1) == labels).sum()) for images, labels in self.batches
        )
        share = right / self.images
        # A share of all or none has a spread as well: that of one more image of either kind.
        assumed = (right + 1) / (self.images + 2)
        return Scored(100 * share, 100 * math.sqrt(assumed * (1 - assumed) / self.images))
