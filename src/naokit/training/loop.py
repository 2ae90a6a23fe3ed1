"""The one training loop, on Lightning Fabric: a search and a final training differ by recipe.

A training is a function of network, data, recipe and seed. Every epoch draws its order and every
step its randomness from the seed and its own number, so that a training stopped after any step
continues to the same weights (bit for bit on a CPU).

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from naokit.base import EvaluationFailed, derive_seed
from naokit.training.checkpoint import Checkpoint, State
from naokit.training.data import ImageData, Split, class_weights
from naokit.training.device import make_fabric, seeded
from naokit.training.evaluation import accuracy, augmentation_of
from naokit.training.failures import memory_failures
from naokit.training.feeding import Feed
from naokit.training.layout import laid_out, lay_out, memory_format
from naokit.training.objective import Objective, Targets, mixed
from naokit.training.recipes import Recipe
from naokit.training.schedule import learning_rate
from naokit.training.stream import Stream

CHECK_LOSS_EVERY = 20  # steps; reading the loss makes a GPU wait
SAVE_EVERY = 600.0  # seconds between checkpoints within an epoch


@dataclass(frozen=True)
class Epoch:
    """What happened in one epoch.

    Attributes:
        number: from 1.
        of: how many the recipe has.
        loss: mean over the epoch's images.
        validation_accuracy: percent; 0 where nothing is held out.
        learning_rate: of its last step.
        seconds: since the training (or its continuation) began.
    """

    number: int
    of: int
    loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class Trained:
    """How a training ended; the network holds the weights of its last step.

    Attributes:
        best_accuracy: the best validation accuracy of any epoch, percent.
        best_epoch: the epoch that reached it, from 1; the last one where nothing is held out.
        last_accuracy: validation accuracy of the last epoch, percent.
        epochs: epochs done, earlier runs included.
        complete: False where the limit on the clock came first.
        seconds: duration of this run.
        parts: in how many parts batches went through, more than 1 where memory ran out.
    """

    best_accuracy: float
    best_epoch: int
    last_accuracy: float
    epochs: int
    complete: bool
    seconds: float
    parts: int = 1


def train(
    network: nn.Module,
    data: ImageData,
    recipe: Recipe,
    *,
    seed: int,
    fabric: Fabric | None = None,
    seconds: float | None = None,
    checkpoint: Path | None = None,
    workers: int = 0,
    split_batches: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
    on_step: Callable[[float], None] | None = None,
) -> Trained:
    """Trains `network` in place.

    Args:
        network: (B, C, H, W) -> (B, K), or a pair of these in training with an auxiliary head;
            an attribute `progress`, where there is one, is kept at the share of steps done.
        data: the images.
        recipe: how.
        seed: of batches, augmentation and dropout; the weights are the caller's.
        fabric: where; None: `make_fabric()`. With several processes each calls this.
        seconds: limit on the clock, checked after each step.
        checkpoint: folder of `last.safetensors` and `best.safetensors`, continued if present.
        workers: processes that decode pictures.
        split_batches: where memory runs out, halve what goes through at once and accumulate.
        on_epoch: called after each epoch.
        on_step: called after each step with the epochs done, a fraction.

    Raises:
        EvaluationFailed: the loss is not finite ("diverged"), or memory ran out.
        InputError: the checkpoint is of another training, or cannot be written.
    """
    with memory_failures():
        fabric = fabric or make_fabric()
        run = _Run(network, data, recipe, seed, fabric, seconds, checkpoint, workers)
        run.may_split, run.on_step = split_batches and fabric.world_size == 1, on_step
        while run.state.epochs < recipe.epochs and run.one_epoch():
            if on_epoch is not None:
                on_epoch(run.report)
            if run.out_of_time():
                break
        return run.result()


class _Run:
    """The state of one training."""

    may_split = False
    on_step: Callable[[float], None] | None = None

    def __init__(
        self,
        network: nn.Module,
        data: ImageData,
        recipe: Recipe,
        seed: int,
        fabric: Fabric,
        seconds: float | None,
        folder: Path | None,
        workers: int,
    ) -> None:
        self.began = self.saved = time.monotonic()
        self.recipe, self.seed, self.seconds, self.fabric = recipe, seed, seconds, fabric
        device = fabric.device
        self.layout = memory_format(network, device)
        lay_out(network, self.layout)
        self.bare: Any = network  # may have a `progress` to set
        optimizer = torch.optim.SGD(
            network.parameters(),
            recipe.learning_rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
            foreach=True,
        )
        self.network, self.optimizer = fabric.setup(network, optimizer)
        self.average = _average(network, recipe)
        chosen = _chosen(data.train, recipe)
        self.train, self.validation = (
            Feed(split, device, workers) for split in (chosen, data.validation)
        )
        weights = class_weights(chosen.labels, data.classes) if recipe.balance else None
        self.objective = Objective(
            recipe, None if weights is None else torch.tensor(weights).float().to(device)
        )
        self.augmentation = augmentation_of(data, device, recipe)
        batches = self._batches(np.arange(len(chosen)))
        self.steps = len(batches)
        self.images = sum(len(self._share(rows)) for rows in batches)  # an epoch, this process
        self.parts = 1
        self.checkpoint = folder and Checkpoint(folder, recipe, data.fingerprint, seed)
        self.state = State()
        if self.checkpoint:
            self.state = self.checkpoint.resume(network, self.average, optimizer)

    def one_epoch(self) -> bool:
        """Trains one epoch, measures, saves; False where the clock ran out before its end."""
        if not self._steps():
            return False
        measured = self.network if self.average is None else self.average
        last = accuracy(measured, self.augmentation, self.validation, self.fabric)
        improved = last > self.state.best or not len(self.validation)
        loss = self.state.loss / self.images
        self.state = self.state.after_epoch(last, improved=improved)
        self._save(improved=improved)
        rate = self.optimizer.param_groups[0]["lr"]
        epochs = (self.state.epochs, self.recipe.epochs)
        self.report = Epoch(*epochs, loss, last, rate, self._elapsed())
        return True

    def result(self) -> Trained:
        """The result of the epochs done."""
        state, complete = self.state, self.state.epochs >= self.recipe.epochs
        best = (state.best, state.best_epoch, state.last, state.epochs)
        return Trained(*best, complete, self._elapsed(), self.parts)

    def _steps(self) -> bool:
        """The epoch's steps that are not done yet; False where the clock ran out."""
        order = derive_seed(self.seed, "epoch", self.state.epochs)
        batches = self._batches(np.random.default_rng(order).permutation(len(self.train)))
        left = batches[self.state.step :]
        sizes, shares = [len(rows) for rows in left], [self._share(rows) for rows in left]
        crops = derive_seed(self.seed, "crops", self.state.epochs)
        self.loss = torch.tensor(self.state.loss, device=self.fabric.device, dtype=torch.float64)
        self.network.train()
        for size, (images, labels) in zip(
            sizes, self.train.batches(shares, seed=crops), strict=True
        ):
            self.loss += self._step(images, labels, size)
            self.state = replace(self.state, step=self.state.step + 1)
            if self.on_step is not None:
                self.on_step(self.state.epochs + self.state.step / self.steps)
            if not self._goes_on():
                return False
        return True

    def _goes_on(self) -> bool:
        """Checks the loss and the clock after a step; False where the clock ran out."""
        last = self.state.step == self.steps
        checked = last or self.state.step % CHECK_LOSS_EVERY == 0
        ends = saves = False
        if not last and (checked or self.fabric.world_size == 1):
            ends = self.out_of_time()
            saves = self._agreed(time.monotonic() - self.saved > SAVE_EVERY)
        if checked or ends or saves:
            self.state = replace(self.state, loss=_finite(self.loss))
        if ends or saves:
            self._save()
        return not ends

    def out_of_time(self) -> bool:
        """Whether the limit on the clock is reached."""
        return self._agreed(self.seconds is not None and self._elapsed() > self.seconds)

    def _agreed(self, mine: bool) -> bool:
        """What the first process says: the clocks of several differ."""
        if self.fabric.world_size == 1:
            return mine
        return bool(self.fabric.broadcast(mine))

    def _step(self, images: Tensor, labels: Tensor, size: int) -> Tensor:
        """One update by this process's images of a batch of `size`; the sum of their losses."""
        epoch = self.state.epochs + self.state.step / self.steps
        number = self.state.epochs * self.steps + self.state.step
        if hasattr(self.bare, "progress"):
            self.bare.progress = epoch / self.recipe.epochs
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe, epoch)
        seed = derive_seed(self.seed, "step", number, self.fabric.global_rank)
        loss = self._gradients(images, labels, size, seed)
        self.fabric.clip_gradients(
            self.network, self.optimizer, max_norm=self.recipe.clip, error_if_nonfinite=False
        )
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.bare)
        return loss

    def _gradients(self, images: Tensor, labels: Tensor, size: int, seed: int) -> Tensor:
        """Gradients of the batch, in more parts where memory does not hold fewer."""
        while True:
            self.optimizer.zero_grad(set_to_none=True)
            generator = torch.Generator().manual_seed(seed)
            try:
                with memory_failures(), seeded(seed, self.fabric.device):
                    changed = self.augmentation(images, generator)
                    batch, targets = mixed(changed, labels, self.recipe.mixup, generator)
                    return self._backward(laid_out(batch, self.layout), targets, size)
            except EvaluationFailed:
                if not self.may_split or 4 * self.parts > len(images):  # two images a part
                    raise
                self.parts *= 2

    def _backward(self, batch: Tensor, targets: Targets, size: int) -> Tensor:
        """Sum of the losses; DDP takes the mean of the processes' gradients, hence the factor."""
        total = torch.zeros((), device=batch.device, dtype=torch.float64)
        parts = max(1, min(self.parts, len(batch) // 2))  # one image has no variance
        for rows in np.array_split(np.arange(len(batch)), parts):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            more = part.stop < len(batch)
            with self.fabric.no_backward_sync(self.network, enabled=more):
                loss = self.objective(self.network(batch[part]), targets[part])
                self.fabric.backward(loss * (self.fabric.world_size / size))
            total += loss.detach()
        return total

    def _batches(self, order: np.ndarray) -> list[np.ndarray]:
        """Batches of rows; a last batch of one image has no variance to normalise by."""
        length, fewest = self.recipe.batch, max(2, self.fabric.world_size)
        parts = (order[start : start + length] for start in range(0, len(order), length))
        return [rows for rows in parts if len(rows) >= fewest]

    def _share(self, rows: np.ndarray) -> np.ndarray:
        """Those of the rows that this process learns from."""
        return rows[self.fabric.global_rank :: self.fabric.world_size]

    def _save(self, *, improved: bool = False) -> None:
        self.saved = time.monotonic()
        if self.checkpoint and self.fabric.global_rank == 0:
            self.checkpoint.save(
                self.bare, self.average, self.optimizer, self.state, improved=improved
            )
        self.fabric.barrier()

    def _elapsed(self) -> float:
        return time.monotonic() - self.began


def _average(network: nn.Module, recipe: Recipe) -> AveragedModel | None:
    """The moving average of weights and statistics, where the recipe wants one."""
    if not recipe.ema:
        return None
    average = AveragedModel(
        network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema), use_buffers=True
    )
    average.requires_grad_(requires_grad=False)
    return average


def _chosen(split: Split | Stream, recipe: Recipe) -> Split | Stream:
    """The first `train_images` of a shuffle that is the same for every network and seed."""
    if recipe.train_images is None or recipe.train_images >= len(split):
        return split
    order = np.random.default_rng(0).permutation(len(split))
    return split.take(np.sort(order[: recipe.train_images]))


def _finite(loss: Tensor) -> float:
    value = float(loss)
    if not math.isfinite(value):
        raise EvaluationFailed("diverged", "the training loss is not finite")
    return value
