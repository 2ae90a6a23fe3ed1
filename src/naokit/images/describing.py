"""Training images that untrained networks are looked at with.

Shapes: E examples, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from naokit.images.accuracy import augmentation_of
from naokit.images.data import ImageData
from naokit.images.memory_format import laid_out, memory_format
from naokit.images.recipes import ImageRecipe
from naokit.images.task import ImageTask
from naokit.training.describing import Probe, with_last_features

FITTED, JUDGING = 192, 128
"""How many images the regression is fitted to, and how many judge it."""
UPDATES, BATCH = 3, 48
"""How many updates a network learns by, and of how many images at most. Six of 24 tell as much and
take 1.7 times as long on small networks (docs/results.md)."""
AT_ONCE = 96
"""Images that are looked at together, whose statistics normalise them."""


class ImageProbe(Probe):
    """The first images of a shuffle that is the same for every network.

    Args:
        data: The images; those of the training part alone are looked at.
        recipe: The recipe of the updates.
        fabric: Where networks are.
    """

    def __init__(self, data: ImageData, recipe: ImageRecipe, fabric: Fabric) -> None:
        order = np.random.default_rng(0).permutation(len(data.train))
        batch = min(recipe.batch, BATCH)
        learnt = min(UPDATES * batch, len(order) // 3)
        taught, shown = order[:learnt], order[learnt:][: FITTED + JUDGING]
        few = replace(data, train=data.train.take(taught), validation=data.train.take(np.arange(0)))
        short = replace(recipe, batch=batch, train_images=None)
        self.task: ImageTask = ImageTask(few, short, fabric)
        self.fitted = len(shown) * FITTED // (FITTED + JUDGING)
        self.answers = torch.from_numpy(data.train.labels[shown]).long()
        standardise = augmentation_of(data, fabric.device).standardise
        parts = (shown[: self.fitted], shown[self.fitted :])
        self._to_fit, self._to_judge = (
            [
                standardise(images.to(fabric.device))
                for images, _ in data.train.batches(_groups(part), seed=None)
            ]
            for part in parts
        )

    @torch.no_grad()
    def look(self, network: nn.Module, *, judge: bool) -> tuple[Tensor, Tensor]:
        """The last features and the logits, group by group."""
        groups = self._to_judge if judge else [*self._to_fit, *self._to_judge]
        layout = memory_format(network, groups[0].device)
        seen = [with_last_features(network, laid_out(images, layout)) for images in groups]
        features, logits = zip(*seen, strict=True)
        return torch.cat(features), torch.cat(logits)


def _groups(rows: np.ndarray) -> list[np.ndarray]:
    """Rows that are looked at together, about as many in each group."""
    return np.array_split(rows, -(-len(rows) // AT_ONCE))
