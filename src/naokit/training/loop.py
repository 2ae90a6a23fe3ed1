"""The one training loop, on Lightning Fabric: searches and final trainings differ by recipe.

What is learnt is the task's (`naokit.training.task`).

A training is a function of network, task and seed. Every epoch draws its plan and every
step its randomness from the seed and its own number, so that a training stopped after any step
continues to the same weights (bit for bit on a CPU).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from naokit.base import EvaluationFailed, derive_seed
from naokit.training.checkpoint import BEST, Checkpoint, State
from naokit.training.clock import Clock
from naokit.training.device import make_fabric, recorded_precision, seeded
from naokit.training.failures import memory_failures
from naokit.training.schedule import learning_rate
from naokit.training.task import Task, Update

CHECK_LOSS_EVERY = 20  # steps; reading the loss makes a GPU wait
SAVE_EVERY = 600.0  # seconds between checkpoints within an epoch


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch.

    Attributes:
        number: The number of the epoch, from 1.
        of: The number of epochs of the recipe.
        loss: The mean loss over the epoch's examples.
        validation: The metric on what is held out; 0 where nothing is.
        learning_rate: The learning rate of the last step.
        seconds: The seconds that the training took so far, earlier runs included.
        metric: The metric of `validation`.
    """

    number: int
    of: int
    loss: float
    validation: float
    learning_rate: float
    seconds: float
    metric: str = "accuracy"


@dataclass(frozen=True)
class Trained:
    """The outcome of a training; the network holds the weights of its last step.

    Attributes:
        best: The best validation metric of any epoch; within the first, of the last step.
        best_epoch: The epoch that reached it, from 1; the last one where nothing is held out; 0
            where the clock ran out within the first.
        last: The validation metric of the last epoch.
        epochs: The number of epochs done, earlier runs included.
        complete: Whether every epoch of the recipe is done; False where the limit on the clock or
            `until` came first.
        seconds: The duration of this run.
        parts: The number of parts that batches were divided into, more than 1 where memory ran out.
        reloads: The number of times that the loss broke and the best weights were taken up again.
        done: The number of epochs done, the begun one as a fraction.
        in_time: Whether the clock leaves time to measure; without it `best` is -1 where the first
            epoch was not finished.
    """

    best: float
    best_epoch: int
    last: float
    epochs: int
    complete: bool
    seconds: float
    parts: int = 1
    reloads: int = 0
    done: float = 0.0
    in_time: bool = True


def train(
    network: nn.Module,
    task: Task[Any, Any],
    *,
    seed: int,
    fabric: Fabric | None = None,
    until: int | None = None,
    seconds: float | None = None,
    reserve: int = 0,
    checkpoint: Path | None = None,
    warm_start: str | None = None,
    split_batches: bool = False,
    on_begin: Callable[[], None] | None = None,
    on_epoch: Callable[[Epoch], bool | None] | None = None,
    on_step: Callable[[float], None] | None = None,
) -> Trained:
    """Trains `network` in place.

    Args:
        network: What the task's `loss` and `measure` call. An attribute `progress`, where there is
            one, is kept at the share of steps done.
        task: What is learnt, by which recipe; it was made for the same `fabric`.
        seed: The seed of batches, augmentation and dropout. The weights are the caller's.
        fabric: Where the training runs; None stands for `make_fabric()`. With several processes
            each of them calls this.
        until: The training pauses after this epoch of the recipe's schedule, counted from 1. The
            same call with a later one, or none, goes on from the checkpoint as if there had been
            no pause. None runs to the recipe's end.
        seconds: The limit on the clock, checked after each step.
        reserve: The number of examples that are measured after the last step, the held-out ones
            among them. The time for that is kept. Where it is more than 0, a network whose first
            epoch is cut short is measured as it is.
        checkpoint: The folder of `last.safetensors` and `best.safetensors`, continued if present.
        warm_start: The checksum of the weights from elsewhere that `network` has; None where it has
            none. It tells checkpoints apart.
        split_batches: Whether to halve what goes through at once, and to accumulate, where memory
            runs out.
        on_begin: Called once data and checkpoint are accepted.
        on_epoch: Called after each epoch. Where it returns True the training pauses there, as
            `until` would have it.
        on_step: Called after each step with the epochs done, a fraction.

    Raises:
        EvaluationFailed: The loss is not finite ("diverged"), or memory ran out.
        InputError: The checkpoint is of another training, or cannot be written.
    """
    clock = Clock(seconds, reserve)
    with memory_failures():
        fabric = fabric or make_fabric()
        identity = (task.recipe, task.fingerprint, seed, warm_start, recorded_precision(fabric))
        kept = None if checkpoint is None else Checkpoint(checkpoint, *identity)
        run = _Run(network, task, seed, fabric, clock, kept)
        run.may_split, run.on_step = split_batches and fabric.world_size == 1, on_step
        if on_begin is not None:
            on_begin()
        last = task.recipe.epochs if until is None else min(until, task.recipe.epochs)
        while run.state.epochs < last and run.one_epoch():
            if run.report is not None and on_epoch is not None and on_epoch(run.report):
                break
            if run.out_of_time():
                break
        return run.result()


class _Run:
    """The state of one training."""

    may_split = False
    on_step: Callable[[float], None] | None = None
    report: Epoch | None = None
    steps = 1

    def __init__(
        self,
        network: nn.Module,
        task: Task[Any, Any],
        seed: int,
        fabric: Fabric,
        clock: Clock,
        checkpoint: Checkpoint | None,
    ) -> None:
        self.saved = time.monotonic()
        self.task, self.recipe, self.seed = task, task.recipe, seed
        self.fabric, self.clock = fabric, clock
        task.lay_out(network)
        self.bare: Any = network  # may have a `progress` to set
        recipe = task.recipe
        optimizer = torch.optim.SGD(
            network.parameters(),
            recipe.learning_rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
            foreach=True,
        )
        self.network, self.optimizer = fabric.setup(network, optimizer)
        self.average = _moving_average(network, recipe.ema) if recipe.ema else None
        self.parts = 1
        self.checkpoint = checkpoint
        self.state = State()
        if self.checkpoint:
            self._resume(self.checkpoint)

    def _resume(self, checkpoint: Checkpoint) -> None:
        """Goes on from a checkpoint, if there is one."""
        self.state = checkpoint.state()
        self.clock.before = self.state.seconds
        if self.state.averaging and self.average is None:
            self.average = _mean(self.bare)
        self.task.restore(checkpoint.resume(self.bare, self.average, self.optimizer))

    def one_epoch(self) -> bool:
        """Trains one epoch, measures, saves; False where the clock ran out before its end.

        Where the loss breaks and the task allows it, the epoch begins again from the best weights.
        """
        self.report = None
        try:
            plan = self._plan()
            if not self._steps(plan):
                return False
            last = self._measure()
        except EvaluationFailed as error:
            if error.reason != "diverged" or not self._reload():
                raise self._given_up(error) from error
            return True
        improved = self._improves(last) or not self.task.measures
        loss = self.state.loss / sum(update.size for update in plan)
        self.state = self.state.after_epoch(last, improved=improved)
        if not self.state.averaging and self.task.average_begins(self.state.history):
            self.state = replace(self.state, averaging=True)
            self.average = _mean(self.bare)
        self.task.restore({})
        self._save(improved=improved)
        rate = self.optimizer.param_groups[0]["lr"]
        epochs = (self.state.epochs, self.recipe.epochs)
        self.report = Epoch(*epochs, loss, last, rate, self.state.seconds, self.task.metric.name)
        return True

    def _measure(self) -> float:
        """The metric of the weights that are kept: their average, where one is taken."""
        began = time.monotonic()
        found = self.task.measure(self.network if self.average is None else self.average)
        self.clock.measured(self.task.held_out, time.monotonic() - began)
        return found

    def _improves(self, last: float) -> bool:
        best, sign = self.state, self.task.metric.sign
        return not best.best_epoch or sign * last > sign * best.best

    def _reload(self) -> bool:
        """Takes up the best weights again, with other random numbers; False where it cannot."""
        if not self.checkpoint or self.state.reloads == self.task.most_reloads:
            return False
        if not self.state.best_epoch:  # nothing good was ever seen
            return False
        self.checkpoint.reload(self.bare)
        self.optimizer.state.clear()
        self.average = None if self.average is None else _mean(self.bare)
        self.task.restore({})
        self.state = replace(self.state, step=0, loss=0.0, reloads=self.state.reloads + 1)
        self._save()
        return True

    def _given_up(self, error: EvaluationFailed) -> EvaluationFailed:
        """The failure, with what is left after the weights were taken up again in vain."""
        if not self.checkpoint or not self.state.reloads:
            return error
        best = self.checkpoint.folder / BEST
        return EvaluationFailed(
            error.reason,
            f"{error}, also after {self.state.reloads} reloads; {best} keeps the best weights, "
            f"of epoch {self.state.best_epoch}",
        )

    def result(self) -> Trained:
        """The result of the epochs done; of the steps done, where no epoch is."""
        state, complete = self.state, self.state.epochs >= self.recipe.epochs
        in_time = complete or self._agreed(self.clock.allows_measuring)
        cut_short = not state.best_epoch and self.clock.reserve > 0
        best = state.best
        if cut_short and in_time:
            best = self._measure()
            self._save()  # a measure may take statistics anew, and they are kept with the weights
        done = state.epochs + state.step / self.steps
        return Trained(
            best,
            state.best_epoch,
            state.last,
            state.epochs,
            complete,
            self.clock.elapsed,
            self.parts,
            state.reloads,
            done,
            in_time,
        )

    @property
    def _draws(self) -> int:
        """The seed of the draws, which changes after the loss broke."""
        reloads = self.state.reloads
        return derive_seed(self.seed, "reload", reloads) if reloads else self.seed

    def _plan(self) -> Sequence[Update]:
        plan: Sequence[Update] = self.task.plan(self.state.epochs, self._draws)
        self.steps = len(plan)
        return plan

    def _steps(self, plan: Sequence[Update]) -> bool:
        """The epoch's steps that are not done yet; False where the clock ran out."""
        epoch, first = self.state.epochs, self.state.step
        before = self.state.loss if self.fabric.global_rank == 0 else 0.0  # of all processes
        self.loss = torch.tensor(before, device=self.fabric.device, dtype=torch.float64)
        self.network.train()
        began = time.monotonic()
        for update in self.task.batches(plan, first, epoch, self._draws):
            self.loss += self._step(update)
            began, before = time.monotonic(), began
            self.clock.trained(update.size, began - before)
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
            self.state = replace(self.state, loss=_finite(self._of_all(self.loss)))
        if ends or saves:
            self._save()
        return not ends

    def out_of_time(self) -> bool:
        """Whether the limit on the clock is reached."""
        return self._agreed(self.clock.over)

    def _agreed(self, mine: bool) -> bool:
        """The decision of the first process, because the clocks of several differ."""
        if self.fabric.world_size == 1:
            return mine
        return bool(self.fabric.broadcast(mine))

    def _of_all(self, loss: Tensor) -> Tensor:
        """The sum over the processes, so that all make the same decision."""
        if self.fabric.world_size == 1:
            return loss
        total = self.fabric.all_reduce(loss.clone(), reduce_op="sum")
        assert isinstance(total, Tensor)
        return total

    def _step(self, update: Update) -> Tensor:
        """One update by this process's part of a batch; the sum of their losses."""
        epoch = self.state.epochs + self.state.step / self.steps
        number = self.state.epochs * self.task.most_steps + self.state.step
        if hasattr(self.bare, "progress"):
            self.bare.progress = epoch / self.recipe.epochs
        for group in self.optimizer.param_groups:
            group["lr"] = update.rate * learning_rate(self.recipe, epoch)
        seed = derive_seed(self._draws, "step", number, self.fabric.global_rank)
        loss = self._gradients(update, seed)
        self.fabric.clip_gradients(
            self.network, self.optimizer, max_norm=self.recipe.clip, error_if_nonfinite=False
        )
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.bare)
        return loss

    def _gradients(self, update: Update, seed: int) -> Tensor:
        """Gradients of the batch, in more parts where memory does not hold fewer."""
        while True:
            self.optimizer.zero_grad(set_to_none=True)
            generator = torch.Generator().manual_seed(seed)
            try:
                with memory_failures(), seeded(seed, self.fabric.device):
                    batch = self.task.prepare(update, generator)
                    loss = self._backward(batch, update.size)
            except EvaluationFailed:
                if not self.may_split or 4 * self.parts > update.rows:  # two rows a part
                    raise
                self.parts *= 2
            else:
                self.task.learnt(batch)
                return loss

    def _backward(self, batch: Sized, size: int) -> Tensor:
        """Sum of the losses; DDP takes the mean of the processes' gradients, hence the factor."""
        total = torch.zeros((), device=self.fabric.device, dtype=torch.float64)
        parts = max(1, min(self.parts, len(batch) // 2))  # one image has no variance
        for rows in np.array_split(np.arange(len(batch)), parts):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            more = part.stop < len(batch)
            with self.fabric.no_backward_sync(self.network, enabled=more):
                loss = self.task.loss(self.network, batch, part)
                self.fabric.backward(loss * (self.fabric.world_size / size))
            total += loss.detach()
        return total

    def _save(self, *, improved: bool = False) -> None:
        self.saved = time.monotonic()
        self.state = replace(self.state, seconds=self.clock.total)
        if self.checkpoint and self.fabric.global_rank == 0:
            self.checkpoint.save(
                self.bare,
                self.average,
                self.optimizer,
                self.state,
                self.task.tensors(),
                improved=improved,
            )
        self.fabric.barrier()


def _moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """A moving average of weights and statistics."""
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    average.requires_grad_(requires_grad=False)
    return average


def _mean(network: nn.Module) -> AveragedModel:
    """An average of the weights from here on, still empty."""
    average = AveragedModel(network)
    average.requires_grad_(requires_grad=False)
    return average


def _finite(loss: Tensor) -> float:
    value = float(loss)
    if not math.isfinite(value):
        raise EvaluationFailed("diverged", "the training loss is not finite")
    return value
