"""What a training minimises: cross-entropy, and what a recipe adds to it.

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from naokit.images.recipes import ImageRecipe

Outputs = Tensor | tuple[Tensor, Tensor]
"""Logits (B, K), or those of both heads."""


@dataclass(frozen=True)
class Targets:
    """The targets of a batch: two labels for each image where images are mixed.

    Attributes:
        labels: The labels, (B,).
        others: The labels of the images mixed in, (B,).
        share: The share of the first label, in [0, 1].
    """

    labels: Tensor
    others: Tensor
    share: float = 1.0

    def __getitem__(self, part: slice) -> Targets:
        return Targets(self.labels[part], self.others[part], self.share)


def mixed(
    images: Tensor, labels: Tensor, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Targets]:
    """Images (B, C, H, W) mixed in pairs (Zhang et al. 2018, arXiv 1710.09412); alpha 0: none."""
    if not alpha:
        return images, Targets(labels, labels)
    order = torch.randperm(len(labels), generator=generator).to(images.device)
    seed = int(torch.randint(2**62, (), generator=generator))
    share = float(np.random.default_rng(seed).beta(alpha, alpha))
    return share * images + (1 - share) * images[order], Targets(labels, labels[order], share)


class ImageLoss:
    """The sum of the losses of a batch's images.

    Args:
        recipe: The recipe, which sets the smoothing and the weight of the auxiliary head.
        weights: The weights of the classes (K,), or None.
    """

    def __init__(self, recipe: ImageRecipe, weights: Tensor | None) -> None:
        self.smoothing, self.auxiliary = recipe.label_smoothing, recipe.auxiliary_weight
        self.weights = weights

    def __call__(self, outputs: Outputs, targets: Targets) -> Tensor:
        """The loss, summed over the images."""
        if isinstance(outputs, Tensor):
            return self._head(outputs, targets)
        logits, auxiliary = outputs
        return self._head(logits, targets) + self.auxiliary * self._head(auxiliary, targets)

    def _head(self, logits: Tensor, targets: Targets) -> Tensor:
        loss = self._cross_entropy(logits, targets.labels)
        if targets.share == 1:
            return loss
        others = self._cross_entropy(logits, targets.others)
        return targets.share * loss + (1 - targets.share) * others

    def _cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(
            logits,
            labels,
            weight=self.weights,
            label_smoothing=self.smoothing,
            reduction="sum",
        )
