"""How many images of a split a network gets right.

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from naokit.images.augmentation import Augmentation
from naokit.images.data import ImageData, Split
from naokit.images.memory_format import laid_out, memory_format
from naokit.images.on_device import EVALUATION_BATCH, Feed
from naokit.images.pictures.stream import Stream
from naokit.images.recipes import ImageRecipe
from naokit.training.device import make_fabric
from naokit.training.failures import memory_failures

_PLAIN = ImageRecipe("plain", epochs=1, crop_padding=0, flip=False)


def evaluate(
    network: nn.Module,
    data: ImageData,
    split: Split | Stream,
    fabric: Fabric | None = None,
    decoders: int = 0,
    on_batch: Callable[[int], None] | None = None,
) -> float:
    """Accuracy on a split, in percent; the network is put on the device, in eval mode.

    Args:
        network: The network, (B, C, H, W) -> (B, K).
        data: The data whose mean and deviation standardise the images.
        split: The part of the data to measure on.
        fabric: The device. If None, `make_fabric()`.
        decoders: The number of processes that decode pictures.
        on_batch: Called with the number of images measured so far.
    """
    with memory_failures():
        fabric = fabric or make_fabric()
        feed = Feed(split, fabric.device, decoders)
        augmentation = augmentation_of(data, fabric.device)
        return accuracy(network.to(fabric.device), augmentation, feed, fabric, on_batch)


def augmentation_of(
    data: ImageData, device: torch.device, recipe: ImageRecipe = _PLAIN
) -> Augmentation:
    """The augmentation of a recipe for this data; by default images are standardised alone."""
    mean, std = (torch.tensor(a, dtype=torch.float32).to(device) for a in data.statistics)
    return Augmentation(recipe, data.image, mean, std)


@torch.no_grad()
def accuracy(
    network: nn.Module,
    augmentation: Augmentation,
    feed: Feed,
    fabric: Fabric,
    on_batch: Callable[[int], None] | None = None,
) -> float:
    """Percent of a feed's images that get their label; processes share the work."""
    layout = memory_format(network, fabric.device)
    network.eval()
    rows = np.arange(len(feed))[fabric.global_rank :: fabric.world_size]
    right = torch.zeros((), dtype=torch.long, device=fabric.device)
    parts = [rows[i : i + EVALUATION_BATCH] for i in range(0, len(rows), EVALUATION_BATCH)]
    measured = 0
    for images, labels in feed.batches(parts, seed=None):
        logits = network(laid_out(augmentation.standardise(images), layout))
        right += (logits.argmax(dim=1) == labels).sum()
        measured += len(labels)
        if on_batch is not None:
            on_batch(measured)
    if fabric.world_size > 1:
        right = fabric.all_reduce(right, reduce_op="sum")  # type: ignore[assignment]
    return 100 * float(right) / max(1, len(feed))
