"""The one training loop, on Lightning Fabric: a search and a final training differ by recipe.

A training is a function of network, data, recipe and seed. Every epoch draws its randomness from
the seed and its own number, so that a training stopped after any epoch continues to the same
weights (bit for bit on a CPU).

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional as F

from naokit.base import EvaluationFailed, derive_seed
from naokit.training.augmentation import Augmentation
from naokit.training.checkpoint import Checkpoint
from naokit.training.data import ImageData, Split
from naokit.training.device import make_fabric, seeded
from naokit.training.failures import memory_failures
from naokit.training.layout import laid_out, lay_out, memory_format
from naokit.training.recipes import Recipe

EVALUATION_BATCH = 125  # a fifth less time an image than 500 on a processor: caches
CHECK_LOSS_EVERY = 20  # steps; reading the loss makes a GPU wait


@dataclass(frozen=True)
class Epoch:
    """What happened in one epoch.

    Attributes:
        number: from 1.
        of: how many the recipe has.
        loss: mean over the epoch's steps.
        validation_accuracy: percent.
        seconds: since the training (or its continuation) began.
    """

    number: int
    of: int
    loss: float
    validation_accuracy: float
    seconds: float


@dataclass(frozen=True)
class Trained:
    """How a training ended; the network holds the weights of its last step.

    Attributes:
        best_accuracy: the best validation accuracy of any epoch, percent.
        best_epoch: the epoch that reached it, from 1.
        last_accuracy: validation accuracy of the last epoch, percent.
        epochs: epochs done, earlier runs included.
        complete: False where the limit on the clock came first.
        seconds: duration of this run.
    """

    best_accuracy: float
    best_epoch: int
    last_accuracy: float
    epochs: int
    complete: bool
    seconds: float


def train(
    network: nn.Module,
    data: ImageData,
    recipe: Recipe,
    *,
    seed: int,
    fabric: Fabric | None = None,
    seconds: float | None = None,
    checkpoint: Path | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Trained:
    """Trains `network` in place.

    Args:
        network: (B, C, H, W) -> (B, K), or a pair of these in training with an auxiliary head;
            an attribute `progress`, where there is one, is kept at the share of steps done.
        data: the images.
        recipe: how.
        seed: of batches, augmentation and dropout; the weights are the caller's.
        fabric: where; None: `make_fabric()`.
        seconds: limit on the clock, checked after each step.
        checkpoint: folder of `last.safetensors` and `best.safetensors`, continued if present.
        on_epoch: called after each epoch.

    Raises:
        EvaluationFailed: the loss is not finite ("diverged"), or memory ran out.
        InputError: the checkpoint is of another training, or cannot be written.
    """
    with memory_failures():
        run = _Run(network, data, recipe, seed, fabric or make_fabric(), seconds, checkpoint)
        while run.epoch < recipe.epochs and run.one_epoch():
            if on_epoch is not None:
                on_epoch(run.report)
        return run.result()


def evaluate(
    network: nn.Module, data: ImageData, split: Split, fabric: Fabric | None = None
) -> float:
    """Accuracy on a split, in percent."""
    with memory_failures():
        fabric = fabric or make_fabric()
        mean, std = (
            torch.tensor(a, dtype=torch.float32).to(fabric.device) for a in data.statistics
        )
        augmentation = Augmentation(_PLAIN, data.image, mean, std)
        images, labels = _tensors(split, fabric)
        layout = memory_format(network, fabric.device)
        return _accuracy(network.to(fabric.device), augmentation, images, labels, layout)


_PLAIN = Recipe("plain", epochs=1, crop_padding=0, flip=False)


class _Run:
    """The state of one training."""

    def __init__(
        self,
        network: nn.Module,
        data: ImageData,
        recipe: Recipe,
        seed: int,
        fabric: Fabric,
        seconds: float | None,
        folder: Path | None,
    ) -> None:
        self.began = time.monotonic()
        self.recipe, self.seed, self.seconds, self.fabric = recipe, seed, seconds, fabric
        self.layout = memory_format(network, fabric.device)
        lay_out(network, self.layout)
        self.bare: Any = network  # may have a `progress` to set
        optimizer = torch.optim.SGD(
            network.parameters(),
            recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            foreach=True,
        )
        self.network, self.optimizer = fabric.setup(network, optimizer)
        self.images, self.labels = _tensors(_chosen(data.train, recipe), fabric)
        self.validation = _tensors(data.validation, fabric)
        mean, std = (
            torch.tensor(a, dtype=torch.float32).to(fabric.device) for a in data.statistics
        )
        self.augmentation = Augmentation(recipe, data.image, mean, std)
        self.steps = sum(1 for _ in self._batches(torch.arange(len(self.labels))))
        self.checkpoint = folder and Checkpoint(folder, recipe, data.fingerprint, seed)
        self.epoch = 0
        self.best = (-1.0, 0)
        self.last = -1.0
        if self.checkpoint:
            self.epoch, self.best, self.last = self.checkpoint.resume(network, optimizer)

    def one_epoch(self) -> bool:
        """Trains one epoch, measures, saves; False where the clock ran out before its end."""
        generator = torch.Generator().manual_seed(derive_seed(self.seed, "epoch", self.epoch))
        # Dropout and drop path know only the global generators.
        with seeded(derive_seed(self.seed, "dropout", self.epoch), self.fabric.device):
            loss = self._steps(generator)
        if loss is None:
            return False
        self.last = _accuracy(self.network, self.augmentation, *self.validation, self.layout)
        self.epoch += 1
        improved = self.last > self.best[0]
        if improved:
            self.best = (self.last, self.epoch)
        if self.checkpoint:
            state = (self.epoch, self.best, self.last)
            self.checkpoint.save(self.bare, self.optimizer, state, improved=improved)
        self.report = Epoch(self.epoch, self.recipe.epochs, loss, self.last, self._elapsed())
        return True

    def result(self) -> Trained:
        """The result of the epochs done."""
        complete = self.epoch >= self.recipe.epochs
        return Trained(*self.best, self.last, self.epoch, complete, self._elapsed())

    def _steps(self, generator: torch.Generator) -> float | None:
        """Mean loss of the epoch's steps; None where the clock ran out."""
        self.network.train()
        total = torch.zeros((), device=self.fabric.device)
        order = torch.randperm(len(self.labels), generator=generator).to(self.labels.device)
        for step, rows in enumerate(self._batches(order)):
            total += self._step(rows, generator, self.epoch * self.steps + step)
            if step % CHECK_LOSS_EVERY == 0:
                _check_finite(total)
            if self.seconds is not None and self._elapsed() > self.seconds:
                return None
        _check_finite(total)
        return float(total) / self.steps

    def _step(self, rows: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """One update; the loss."""
        images = laid_out(self.augmentation(self.images[rows], generator), self.layout)
        share = step / (self.steps * self.recipe.epochs)
        if hasattr(self.bare, "progress"):
            self.bare.progress = share
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe, step / self.steps)
        self.optimizer.zero_grad(set_to_none=True)
        loss = _loss(self.network(images), self.labels[rows], self.recipe.auxiliary_weight)
        self.fabric.backward(loss)
        self.fabric.clip_gradients(
            self.network, self.optimizer, max_norm=self.recipe.clip, error_if_nonfinite=False
        )
        self.optimizer.step()
        return loss.detach()

    def _batches(self, order: Tensor) -> Iterator[Tensor]:
        """Batches of rows; a last batch of one image has no variance to normalise by."""
        parts: tuple[Tensor, ...] = order.split(self.recipe.batch)
        return (rows for rows in parts if len(rows) > 1)

    def _elapsed(self) -> float:
        return time.monotonic() - self.began


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """Half a cosine from the first rate to the last; `epoch` counts fractions."""
    share = min(1.0, epoch / (recipe.cosine_epochs or recipe.epochs))
    span = recipe.learning_rate - recipe.final_learning_rate
    return recipe.final_learning_rate + span * (1 + math.cos(math.pi * share)) / 2


def _loss(outputs: Tensor | tuple[Tensor, Tensor], labels: Tensor, weight: float) -> Tensor:
    """Cross-entropy, plus the auxiliary head's."""
    if isinstance(outputs, Tensor):
        return F.cross_entropy(outputs, labels)
    logits, auxiliary = outputs
    return F.cross_entropy(logits, labels) + weight * F.cross_entropy(auxiliary, labels)


@torch.no_grad()
def _accuracy(
    network: nn.Module,
    augmentation: Augmentation,
    images: Tensor,
    labels: Tensor,
    layout: torch.memory_format,
) -> float:
    """Percent of the images (N, C, H, W) that get their label."""
    network.eval()
    right = torch.zeros((), dtype=torch.long, device=labels.device)
    for start in range(0, len(labels), EVALUATION_BATCH):
        part = slice(start, start + EVALUATION_BATCH)
        logits = network(laid_out(augmentation.standardise(images[part]), layout))
        right += (logits.argmax(dim=1) == labels[part]).sum()
    return 100 * float(right) / max(1, len(labels))


def _chosen(split: Split, recipe: Recipe) -> Split:
    """The first `train_images` of a shuffle that is the same for every network and seed."""
    if recipe.train_images is None or recipe.train_images >= len(split):
        return split
    order = np.random.default_rng(0).permutation(len(split))
    return split.take(np.sort(order[: recipe.train_images]))


def _tensors(split: Split, fabric: Fabric) -> tuple[Tensor, Tensor]:
    """Images as bytes and labels, on the device."""
    images = split.images if split.images.flags.writeable else split.images.copy()
    on_device = [torch.from_numpy(array).to(fabric.device) for array in (images, split.labels)]
    return on_device[0], on_device[1]


def _check_finite(total: Tensor) -> None:
    if not math.isfinite(float(total)):
        raise EvaluationFailed("diverged", "the training loss is not finite")
