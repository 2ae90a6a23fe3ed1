"""What a search by weight sharing costs here: a few steps and a few scores, then multiplied."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from naokit.evaluators.supernet import check_shared_memory
from naokit.kinds import kind_of, recipe_of
from naokit.networks import without_weights
from naokit.presets import Preset, Sharing
from naokit.profiling import Estimate, measure_steps
from naokit.profiling.memory import peak_of_a_step
from naokit.runs.planning import SECONDS_A_NETWORK, OnNetwork, costs, together
from naokit.space import Architecture
from naokit.subject import Subject
from naokit.training.normalising import batch_statistics
from naokit.training.recipe import Recipe
from naokit.training.sharing import SharedTask, Uniform, as_sampled

LEAST_TIMES, MOST_TIMES = 2, 10
"""How many times the epochs of a preset a longer training has."""


@dataclass(frozen=True)
class SharedCosts:
    """What a shared network costs here.

    Attributes:
        training: The seconds of its training.
        cell: The seconds of one score.
        weights: The bytes of its weights, their gradients and momenta.
        step: The bytes that the update of a cell holds besides at most.
    """

    training: Estimate
    cell: float
    weights: int
    step: int

    @property
    def memory(self) -> int:
        """The bytes of its training at most."""
        return self.weights + self.step


@dataclass(frozen=True)
class SharedOption:
    """A way to search by weight sharing, and what it costs here.

    Attributes:
        preset: The way.
        reads: What the networks read.
        shared: The costs of the shared network.
        own: The seconds of a training that tells the best apart.
        final: The seconds of the winner's final training.
    """

    preset: Preset
    reads: str
    shared: SharedCosts
    own: Estimate
    final: Estimate

    @property
    def sharing(self) -> Sharing:
        """How weights are shared."""
        assert self.preset.sharing is not None
        return self.preset.sharing

    @property
    def scoring(self) -> float:
        """The seconds of all scores, of every round."""
        return self.shared.cell * self.sharing.rounds * self.sharing.pool

    def longer(self, seconds: float) -> int | None:
        """The epochs that the shared network can have in so much time; None if hardly more.

        A published training is left as it is.

        Args:
            seconds: How long the whole search may take.
        """
        if self.sharing.recipe in kind_of(self.reads).published_sizes:
            return None
        usual = recipe_of(self.reads, self.sharing.recipe).epochs
        left = seconds - (self.seconds - self.shared.training.seconds)
        epochs = min(int(usual * left / self.shared.training.high), MOST_TIMES * usual)
        return epochs if epochs >= LEAST_TIMES * usual else None

    @property
    def part(self) -> int:
        """How many training images or tokens the recipe takes; 0 where it takes all."""
        return recipe_of(self.reads, self.sharing.recipe).part or 0

    @property
    def seconds(self) -> float:
        """The seconds of the whole search."""
        own = self.own.seconds * self.preset.repeat * self.preset.times
        return self.shared.training.seconds + self.scoring + own + self.final.seconds


def measure_shared(
    preset: Preset,
    architectures: Sequence[Architecture],
    subject: Subject,
    fabric: Fabric,
    on_network: OnNetwork,
) -> SharedOption:
    """The costs of a preset on these data, on the device of `fabric`.

    Args:
        preset: How the search is run.
        architectures: Random ones of the space.
        subject: The data, of any size.
        fabric: Where it runs.
        on_network: Told before each network what is measured.
    """
    sharing = preset.sharing
    assert sharing is not None
    shared, by = subject.again(sharing.size), recipe_of(subject.reads, sharing.recipe)
    on_network(f"{preset.name}: shared network")
    of_shared = shared_costs(shared, by, sharing.examples, architectures, fabric, SECONDS_A_NETWORK)
    on_network(f"{preset.name}: training of one of the best")
    apart = subject.again(preset.size()), recipe_of(subject.reads, preset.recipe)
    own = together(costs(architectures[:1], *apart, fabric))
    on_network(f"{preset.name}: final training")
    last = subject.again(preset.final_size()), recipe_of(subject.reads, preset.final_recipe)
    final = together(costs(architectures[:1], *last, fabric))
    return SharedOption(preset, subject.reads, of_shared, own, final)


def shared_costs(
    subject: Subject,
    by: Recipe,
    examples: int,
    architectures: Sequence[Architecture],
    fabric: Fabric,
    seconds: float,
) -> SharedCosts:
    """The costs of the shared network of a space.

    Args:
        subject: The data, and the size of the shared network.
        by: The recipe of its training.
        examples: How many held-out examples a cell is scored on.
        architectures: What is trained and scored while it is measured, all of one space.
        fabric: Where it runs.
        seconds: About how long the training is measured.

    Raises:
        InputError: The space has no shared network, or its weights fit no memory.
    """
    space, settings = architectures[0].space, subject.settings(by)
    weights = check_shared_memory(space, settings)
    network = space.build_shared(settings).to(fabric.device)
    with without_weights():
        alone = space.build(architectures[0], settings)
    of_data = subject.short_task(alone, by, fabric, seconds)
    task = SharedTask(of_data, space, Uniform(architectures))
    steps = measure_steps(network, task, fabric, seconds)
    held = by.batch * _bytes_of_a_step(network, task) // task.recipe.batch
    scorer = subject.scorer(fabric, examples)
    scored = []
    with batch_statistics(network):
        for architecture in (architectures[0], *architectures):  # the first score warms up
            began = time.perf_counter()
            scorer(as_sampled(network, space.plan(architecture)))
            scored.append(time.perf_counter() - began)
    training = steps.estimate(by, len(subject.data.train), 0)
    return SharedCosts(training, min(scored), weights, held)


def _bytes_of_a_step(network: nn.Module, task: SharedTask) -> int:
    """The most that the first update of a task holds, without weights and inputs."""
    update = next(task.batches(task.plan(0, seed=0)[:1], 0, 0, seed=0))
    batch = task.prepare(update, torch.Generator())
    optimizer = torch.optim.SGD(network.train().parameters(), 0.0)

    def forward() -> tuple[Tensor, object]:
        loss = task.loss(network, batch, slice(None))
        return loss, loss

    return peak_of_a_step(optimizer, forward, state=0)
