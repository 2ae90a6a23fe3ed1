"""Scores architectures with the weights of one shared network (docs/specification.md, section 2.8).

A round of architectures is proposed, the shared network trains some epochs more on the pool, and
each of the round is scored with its weights, all on the same held-out examples. One training goes
through all rounds: the loop's own, kept in FOLDER/supernet, where it continues.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from lightning_fabric import Fabric
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from naokit import kinds, spaces
from naokit.base import (
    Architecture,
    Evaluator,
    InputError,
    Json,
    Result,
    Space,
    derive_seed,
)
from naokit.networks import count_parameters, without_weights
from naokit.subject import Subject
from naokit.training.device import Device, Precision, make_fabric, recorded_precision, seeded
from naokit.training.failures import memory_failures
from naokit.training.loop import train
from naokit.training.recipe import Recipe
from naokit.training.scored import Scorer
from naokit.training.sharing import Fair, Sampling, SharedTask, Uniform, Weighted, as_sampled

Policy = Literal["uniform", "parameters", "fair"]
"""Which cell an update trains: any of the pool, larger ones more often, each choice as often."""


class Supernet(Evaluator):
    """The validation score of an architecture with shared weights.

    Args:
        space: The space of the architectures; it has a shared network.
        subject: The data, and the size of the network.
        recipe: How the shared network is trained; its epochs are those of all rounds together.
        rounds: How many rounds the epochs are divided among.
        pool: How many architectures are proposed in a round.
        policy: Which cell an update trains.
        examples: How many held-out examples an architecture is scored on.
        seed: The seed of the shared weights, batches and sampled cells.
        device: Where it runs.
        precision: How it computes.
        on_epoch: Called after each epoch of the shared network.

    Raises:
        InputError: The space has no shared network, or an argument is out of range.
    """

    static_metric_names = ("parameters", "macs")
    in_one_place = True

    def __init__(
        self,
        space: Space,
        subject: Subject,
        recipe: Recipe,
        *,
        rounds: int,
        pool: int,
        policy: Policy = "uniform",
        examples: int = 1000,
        seed: int = 0,
        device: Device = "auto",
        precision: Precision = "auto",
        on_epoch: Any = None,
    ) -> None:
        if policy not in get_args(Policy):
            raise InputError(f"`policy` is {policy}; expected {', '.join(get_args(Policy))}")
        if not 1 <= rounds <= recipe.epochs:
            raise InputError(f"`rounds` is {rounds}; expected 1 to the recipe's {recipe.epochs}")
        if pool < 2:
            raise InputError(f"`pool` is {pool}; a round has 2 architectures or more")
        self.space, self.subject, self.recipe = space, subject, recipe
        self.rounds, self.round_size, self.policy, self.examples = rounds, pool, policy, examples
        self.seed, self.on_epoch = seed, on_epoch
        self.device: Device = device
        self.precision: Precision = precision
        self.metric = subject.metric.on_validation + ", shared weights"
        self.direction = subject.metric.direction
        self._folder: Path | None = None

    @cached_property
    def fabric(self) -> Fabric:
        """Where the training runs."""
        return make_fabric(self.device, self.precision)

    @cached_property
    def network(self) -> nn.Module:
        """The shared network; its weights are those of the last round once that is prepared."""
        with memory_failures(), seeded(derive_seed(self.seed, "weights")):
            return self.space.build_shared(self.subject.settings(self.recipe))

    @cached_property
    def scorer(self) -> Scorer:
        """Scores a network on the held-out examples, which are fetched once."""
        return self.subject.scorer(self.fabric, self.examples)

    def begin(self, folder: Path | None) -> None:
        """The training is kept in the folder, or in one of its own that ends with the process."""
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="naokit-"))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._folder = folder / "supernet"

    def prepare(self, pool: Sequence[Architecture], number: int) -> None:
        """Trains the epochs of this round on the pool; those that are done already are not."""
        if self._folder is None:
            self.begin(None)
        with memory_failures():
            of_data = self.subject.task(self.recipe, self.fabric)
            task = SharedTask(of_data, self.space, self._sampling(pool))
        train(
            self.network,
            task,
            seed=derive_seed(self.seed, "supernet"),
            fabric=self.fabric,
            until=self.recipe.epochs * min(number + 1, self.rounds) // self.rounds,
            checkpoint=self._folder,
            on_epoch=self.on_epoch,
        )
        self.network.to(self.fabric.device)

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """The score with the weights of the last round; the seed alters nothing."""
        del seed
        plan = self.space.plan(architecture)
        with memory_failures(), batch_statistics(self.network):
            scored = self.scorer(as_sampled(self.network, plan))
        self.subject.check(scored.value)
        metrics = {**self.static_metrics(architecture), "noise": scored.noise}
        return Result(scored.value, metrics)

    def static_metrics(self, architecture: Architecture) -> Mapping[str, float]:
        """Parameters and multiply-accumulates of the architecture's own network."""
        with without_weights():
            network = self.space.build(architecture, self.subject.settings(self.recipe))
        return self.subject.static_metrics(network)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Json]) -> Supernet:
        """The evaluator that `settings()` describe; see `naokit.evaluators.from_settings`."""
        return cls(
            spaces.from_settings(settings["space"]),
            *kinds.from_settings(settings),
            rounds=settings["rounds"],
            pool=settings["pool"],
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
        with without_weights():
            settings = self.subject.settings(self.recipe)
            sizes = [count_parameters(self.space.build(one, settings)) for one in pool]
        return Weighted(pool, sizes)

    def settings(self) -> Mapping[str, Json]:
        """Data, recipe, size, rounds, policy and precision."""
        return {
            "evaluator": "supernet",
            "space": dict(self.space.settings()),
            "data": self.subject.data.fingerprint,
            "recipe": self.recipe.to_json(),
            **self.subject.size(),
            "rounds": self.rounds,
            "pool": self.round_size,
            "policy": self.policy,
            "examples": self.examples,
            "seed": self.seed,
            "precision": recorded_precision(self.fabric),
            **kinds.source_settings(self.subject),
        }


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Normalises by the statistics of each batch, without a trace in the running ones.

    Those are of all cells together, which suits none of them.
    """
    network.eval()
    layers = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    tracked = [layer.track_running_stats for layer in layers]
    for layer in layers:
        layer.training, layer.track_running_stats = True, False
    try:
        yield
    finally:
        for layer, before in zip(layers, tracked, strict=True):
            layer.training, layer.track_running_stats = False, before
