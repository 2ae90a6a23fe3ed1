"""Scores architectures with the weights of one shared network (docs/specification.md, section 2.8).

A round trains the shared network some epochs more on a pool of architectures and scores each of
them with its weights, all on the same held-out examples. Then the best stay, the others make room
for new ones, and the next round begins. One training goes through all rounds: the loop's own, kept
in FOLDER/supernet, where it continues.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import get_args

from filelock import FileLock, Timeout
from torch import nn

from naokit import kinds, spaces
from naokit.base import NOISE, InputError, Json, OutOfTime, derive_seed
from naokit.doors import Result
from naokit.evaluators.learning import Learning
from naokit.files import check_fits, temporary_folder
from naokit.networks import count_parameters, without_weights
from naokit.presets import Policy, Sharing
from naokit.settings import NetworkSettings
from naokit.space import Architecture, Space
from naokit.subject import Subject
from naokit.training.checkpoint import BEST, best_weights, load_weights
from naokit.training.device import Device, Precision, seeded
from naokit.training.failures import memory_failures
from naokit.training.loop import train
from naokit.training.normalising import batch_statistics
from naokit.training.recipe import Recipe
from naokit.training.scored import Scorer
from naokit.training.sharing import (
    Fair,
    Largest,
    Sampling,
    SharedTask,
    Uniform,
    Weighted,
    as_sampled,
)

SUPERNET = "supernet"
"""The folder of the shared network's checkpoint."""
SHARED_BYTES = 12
"""Of each shared weight, its gradient and its momentum."""
SMALLER = "give fewer channels, cells or nodes, or a smaller hidden size"


class Supernet(Learning):
    """The validation score of an architecture with shared weights.

    Args:
        space: The space of the architectures; it has a shared network.
        subject: The data, and the size of the network.
        recipe: How the shared network is trained; its epochs are those of all rounds together.
        rounds: How many rounds the epochs are divided among.
        pool: How many architectures each round trains and scores.
        kept: How many of them are the best of the round before. If None, half.
        policy: How the cell that an update trains is drawn.
        examples: How many held-out examples an architecture is scored on.
        seed: The seed of the shared weights, batches and sampled cells.
        device: The device of the shared network.
        precision: The precision to compute with.

    Raises:
        InputError: An argument is out of range.
    """

    metrics = (*Learning.metrics, NOISE)
    in_one_place = True

    def __init__(
        self,
        space: Space,
        subject: Subject,
        recipe: Recipe,
        *,
        rounds: int,
        pool: int,
        kept: int | None = None,
        policy: Policy = "uniform",
        examples: int = 1000,
        seed: int = 0,
        device: Device = "auto",
        precision: Precision = "auto",
    ) -> None:
        super().__init__(subject, recipe, device, precision)
        self.space, self.seed = space, seed
        self.rounds, self.round_size, self.policy, self.examples = rounds, pool, policy, examples
        self.kept = pool // 2 if kept is None else kept
        self._check_arguments()
        self.metric = f"{subject.metric.on_validation}, shared weights"
        self._folder: Path | None = None
        self._statistics = ExitStack()
        weakref.finalize(self, self._statistics.close)  # not as late as the interpreter would

    @classmethod
    def of(
        cls,
        space: Space,
        subject: Subject,
        sharing: Sharing,
        *,
        seed: int,
        device: Device = "auto",
        precision: Precision = "auto",
    ) -> Supernet:
        """The evaluator of a preset; the subject has the size of the shared network."""
        return cls(
            space,
            subject,
            kinds.recipe_of(subject.reads, sharing.recipe, sharing.epochs),
            rounds=sharing.rounds,
            pool=sharing.pool,
            kept=sharing.kept,
            policy=sharing.policy,
            examples=sharing.examples,
            seed=seed,
            device=device,
            precision=precision,
        )

    def _check_arguments(self) -> None:
        """Raises InputError where an argument is out of range."""
        epochs = self.recipe.epochs
        if self.policy not in get_args(Policy):
            raise InputError(f"`policy` is {self.policy}; expected {', '.join(get_args(Policy))}")
        if not 1 <= self.rounds <= epochs:
            raise InputError(f"`rounds` is {self.rounds}; expected 1 to the recipe's {epochs}")
        if self.round_size < 2:
            raise InputError(f"`pool` is {self.round_size}; a round has 2 architectures or more")
        if not 0 <= self.kept < self.round_size:
            raise InputError(
                f"`kept` is {self.kept}; expected 0 to {self.round_size - 1}, so that each round "
                "has something new"
            )

    @property
    def shared_epochs(self) -> int:
        """The epochs of all rounds together."""
        return self.recipe.epochs

    @property
    def evaluations(self) -> int:
        """How many different architectures all rounds together score."""
        return self.round_size + (self.rounds - 1) * (self.round_size - self.kept)

    def check(self) -> None:
        """Raises InputError where the shared network could not be made, trained or score."""
        super().check()
        check_shared_memory(self.space, self.network_settings)
        held_out, batch = len(self.data.validation), self.recipe.batch
        if held_out < batch:
            raise InputError(
                f"{self.data.name} holds {held_out} examples out, fewer than a batch of {batch}: "
                "scores would rest on too few; give more data, or a recipe of smaller batches"
            )

    @cached_property
    def network(self) -> nn.Module:
        """The shared network as it was trained last."""
        with memory_failures(), seeded(derive_seed(self.seed, "weights")):
            network = self.space.build_shared(self.network_settings)
        if self._folder is not None and (self._folder / BEST).exists():
            load_weights(network, best_weights(self._folder), self._folder / BEST)
        return network.to(self.fabric.device)

    @cached_property
    def scorer(self) -> Scorer:
        """Scores a network on the held-out examples, which are fetched once."""
        return self.subject.scorer(self.fabric, self.examples)

    def begin(self, folder: Path | None) -> None:
        """The training is kept in the folder, or in one of its own that ends with the process.

        Raises:
            InputError: Another process works with the shared network there.
        """
        self._folder = (folder or temporary_folder(self)) / SUPERNET
        self._lock = _alone_in(self._folder)
        self._end_of_scoring()
        vars(self).pop("network", None)  # that of another folder

    def prepare(
        self, pool: Sequence[Architecture], number: int, seconds: float | None = None
    ) -> None:
        """Trains the epochs of this round on the pool; those that are done already are not."""
        if self._folder is None:
            self.begin(None)
        self._end_of_scoring()
        with memory_failures():
            of_data = self.subject.task(self.recipe, self.fabric)
            task = SharedTask(of_data, self.space, self._sampling(pool))
        until = self.recipe.epochs * min(number + 1, self.rounds) // self.rounds
        trained = train(
            self.network,
            task,
            seed=derive_seed(self.seed, "supernet"),
            fabric=self.fabric,
            until=until,
            seconds=seconds,
            checkpoint=self._folder,
            on_epoch=self.on_epoch,
            on_step=self.on_step,
        )
        if trained.epochs < until:
            raise OutOfTime

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """The score with the weights of the last round; the seed alters nothing."""
        del seed
        plan, began = self.space.plan(architecture), time.monotonic()
        with memory_failures(), self.fabric.autocast():
            scored = self.scorer(as_sampled(self._scoring, plan))
        self.subject.check(scored.value)
        metrics = {**self.static_metrics(architecture), NOISE: scored.noise}
        return Result(scored.value, metrics, time.monotonic() - began)

    @cached_property
    def _scoring(self) -> nn.Module:
        """The network while it scores: the walk through its modules is made once a round."""
        self._statistics.enter_context(batch_statistics(self.network))
        return self.network

    def _end_of_scoring(self) -> None:
        self._statistics.close()
        vars(self).pop("_scoring", None)

    def inherited(self, architecture: Architecture) -> nn.Module:
        """The network of an architecture by itself, with the weights of the last round."""
        found: nn.Module = self.network.network(self.space.plan(architecture))  # type: ignore[operator]
        return found

    @classmethod
    def from_settings(cls, settings: Mapping[str, Json]) -> Supernet:
        """The evaluator that `settings()` describe; see `naokit.evaluators.from_settings`."""
        return cls(
            spaces.from_settings(settings["space"]),
            *kinds.from_settings(settings),
            rounds=settings["rounds"],
            pool=settings["pool"],
            kept=settings["kept"],
            policy=settings["policy"],
            examples=settings["examples"],
            seed=settings["seed"],
            precision=settings["precision"] or "32-true",
        )

    def _sampling(self, pool: Sequence[Architecture]) -> Sampling:
        if self.policy == "fair":
            return Fair(self.space)
        if self.policy == "uniform":
            return Uniform(pool)
        sizes = [self.static_metrics(one)["parameters"] for one in pool]
        return Weighted(pool, sizes) if self.policy == "parameters" else Largest(pool, sizes)

    def settings(self) -> Mapping[str, Json]:
        """Also the space, rounds, pool, policy, examples and seed."""
        return {
            **super().settings(),
            "evaluator": "supernet",
            "space": dict(self.space.settings()),
            "rounds": self.rounds,
            "pool": self.round_size,
            "kept": self.kept,
            "policy": self.policy,
            "examples": self.examples,
            "seed": self.seed,
        }


def _alone_in(folder: Path) -> FileLock:
    """A lock that ends with this process; raises InputError where another process holds it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", is_singleton=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"another process works with the shared network in {folder}: it has its state in one "
            "process; wait until that ends, or give another folder"
        ) from error
    except OSError as error:
        raise InputError(f"{folder} cannot be used: {error.strerror or error}") from error
    return lock


def check_shared_memory(space: Space, settings: NetworkSettings) -> int:
    """The bytes that training the shared network of a space holds; see `check_trainable`."""
    with without_weights():
        return check_trainable(space.build_shared(settings))


def check_trainable(shared: nn.Module) -> int:
    """The bytes of a network's weights, their gradients and momenta; raises InputError without."""
    needed = SHARED_BYTES * count_parameters(shared)
    check_fits("the shared network with gradients and momenta", needed, SMALLER)
    return needed
