"""The task of learning to classify images: shuffled, augmented batches and their loss.

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from naokit.base import InputError, derive_seed
from naokit.images.accuracy import accuracy, augmentation_of
from naokit.images.data import ImageData, Split, class_weights
from naokit.images.loss import ImageLoss, Targets, mixed
from naokit.images.memory_format import laid_out, lay_out, memory_format
from naokit.images.on_device import Feed
from naokit.images.pictures.stream import Stream
from naokit.images.recipes import ImageRecipe
from naokit.training.metric import Metric
from naokit.training.normalising import take_statistics
from naokit.training.task import Task, Update

ACCURACY = Metric("accuracy", " %", "maximize")


@dataclass(frozen=True, eq=False)
class ImageUpdate(Update):
    """The images of one update.

    Attributes:
        places: The rows of this process in the training part.
        images: The bytes (B, C, H, W), once they are fetched.
        labels: The labels (B,), once they are fetched.
    """

    places: np.ndarray
    images: Tensor | None = None
    labels: Tensor | None = None

    @property
    def rows(self) -> int:
        """The images of this process."""
        return len(self.places)


@dataclass(frozen=True, eq=False)
class ImageBatch:
    """Images as the network is shown them (B, C, H, W), and what it should say."""

    images: Tensor
    targets: Targets

    def __len__(self) -> int:
        return len(self.images)


class ImageTask(Task[ImageUpdate, ImageBatch]):
    """A data set, a recipe and a device.

    Args:
        data: The images.
        recipe: The recipe that they are learnt by.
        fabric: The device, and the number of processes.
        decoders: The number of processes that decode pictures.
    """

    metric = ACCURACY

    def __init__(
        self, data: ImageData, recipe: ImageRecipe, fabric: Fabric, decoders: int = 0
    ) -> None:
        device = fabric.device
        self.recipe: ImageRecipe = recipe
        self.fabric, self.fingerprint = fabric, data.fingerprint
        chosen = _chosen(data.train, recipe)
        self.train, self.validation = (
            Feed(split, device, decoders) for split in (chosen, data.validation)
        )
        self.held_out = len(data.validation)
        weights = class_weights(chosen.labels, data.classes) if recipe.balance else None
        self.objective = ImageLoss(
            recipe, None if weights is None else torch.tensor(weights).float().to(device)
        )
        self.augmentation = augmentation_of(data, device, recipe)
        self.layout = torch.contiguous_format
        self.most_steps = len(self._batches(np.arange(len(chosen))))

    def lay_out(self, network: nn.Module) -> None:
        """channels_last, where that is safe."""
        self.layout = memory_format(network, self.fabric.device)
        lay_out(network, self.layout)

    def plan(self, epoch: int, seed: int) -> list[ImageUpdate]:
        """Batches of a shuffle."""
        order = np.random.default_rng(derive_seed(seed, "epoch", epoch))
        batches = self._batches(order.permutation(len(self.train)))
        rank, processes = self.fabric.global_rank, self.fabric.world_size
        return [ImageUpdate(len(rows), 1.0, rows[rank::processes]) for rows in batches]

    def batches(
        self, plan: Sequence[ImageUpdate], first: int, epoch: int, seed: int
    ) -> Iterator[ImageUpdate]:
        """Their images, cropped at random where they are a stream."""
        left = plan[first:]
        crops = derive_seed(seed, "crops", epoch)
        found = self.train.batches([update.places for update in left], seed=crops)
        for update, (images, labels) in zip(left, found, strict=True):
            yield replace(update, images=images, labels=labels)

    def prepare(self, update: ImageUpdate, generator: torch.Generator) -> ImageBatch:
        """Augments and mixes."""
        assert update.images is not None
        assert update.labels is not None
        changed = self.augmentation(update.images, generator)
        images, targets = mixed(changed, update.labels, self.recipe.mixup, generator)
        return ImageBatch(laid_out(images, self.layout), targets)

    def loss(self, network: nn.Module, batch: ImageBatch, part: slice) -> Tensor:
        """The sum of the objective over some of the images."""
        return self.objective(network(batch.images[part]), batch.targets[part])

    def measure(self, network: nn.Module) -> float:
        """Accuracy on the validation part, percent."""
        if self.recipe.statistics_batches is not None:
            take_statistics(network, self._shown(self.recipe.statistics_batches))
        return accuracy(network, self.augmentation, self.validation, self.fabric)

    def _shown(self, batches: int) -> Iterator[Tensor]:
        """The first so many batches as they are measured: not augmented."""
        rows = [update.places for update in self.plan(0, seed=0)[:batches]]
        for images, _ in self.train.batches(rows, seed=None):
            yield laid_out(self.augmentation.standardise(images), self.layout)

    def _batches(self, order: np.ndarray) -> list[np.ndarray]:
        """Batches of rows; a last batch of one image has no variance to normalise by."""
        length, fewest = self.recipe.batch, max(2, self.fabric.world_size)
        parts = (order[start : start + length] for start in range(0, len(order), length))
        return [rows for rows in parts if len(rows) >= fewest]


def check_crops(data: ImageData, recipe: ImageRecipe) -> None:
    """Raises InputError where a recipe crops while pictures are decoded, and these are already."""
    if recipe.resized_crop and not isinstance(data.train, Stream):
        raise InputError(
            f"the recipe {recipe.name} crops pictures of any size while it decodes them "
            f"(resized_crop); those of {data.name} are in memory: give `image_size`, or another "
            "recipe"
        )


def _chosen(split: Split | Stream, recipe: ImageRecipe) -> Split | Stream:
    """The first `train_images` of a shuffle that is the same for every network and seed."""
    if recipe.train_images is None or recipe.train_images >= len(split):
        return split
    order = np.random.default_rng(0).permutation(len(split))
    return split.take(np.sort(order[: recipe.train_images]))
