"""What a search by weight sharing costs here: a few steps and a few scores, then multiplied."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from lightning_fabric import Fabric

from naokit.evaluators.supernet import check_shared_memory
from naokit.kinds import recipe_of
from naokit.networks import without_weights
from naokit.presets import Preset, Sharing
from naokit.profiling import Estimate, measure_steps
from naokit.runs.planning import SECONDS_A_NETWORK, OnNetwork, costs, together
from naokit.space import Architecture
from naokit.subject import Subject
from naokit.training.normalising import batch_statistics
from naokit.training.recipe import Recipe
from naokit.training.sharing import SharedTask, Uniform, as_sampled


@dataclass(frozen=True)
class SharedOption:
    """A way to search by weight sharing, and what it costs here.

    Attributes:
        preset: The way.
        reads: What the networks read.
        training: The seconds of the shared network's training.
        cell: The seconds of one score.
        own: The seconds of a training that tells the best apart.
        final: The seconds of the winner's final training.
        memory: The bytes of the shared weights, their gradients and momenta.
    """

    preset: Preset
    reads: str
    training: Estimate
    cell: float
    own: Estimate
    final: Estimate
    memory: int

    @property
    def sharing(self) -> Sharing:
        """How weights are shared."""
        assert self.preset.sharing is not None
        return self.preset.sharing

    @property
    def scoring(self) -> float:
        """The seconds of all scores, of every round."""
        return self.cell * self.sharing.rounds * self.sharing.pool

    @property
    def part(self) -> int:
        """How many training images or tokens the recipe takes; 0 where it takes all."""
        return recipe_of(self.reads, self.sharing.recipe).part or 0

    @property
    def seconds(self) -> float:
        """The seconds of the whole search."""
        own = self.own.seconds * self.preset.repeat * self.preset.times
        return self.training.seconds + self.scoring + own + self.final.seconds


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
    training, cell, memory = _shared_costs(shared, by, sharing, architectures, fabric)
    on_network(f"{preset.name}: training of one of the best")
    apart = subject.again(preset.size()), recipe_of(subject.reads, preset.recipe)
    own = together(costs(architectures[:1], *apart, fabric))
    on_network(f"{preset.name}: final training")
    last = subject.again(preset.final_size()), recipe_of(subject.reads, preset.final_recipe)
    final = together(costs(architectures[:1], *last, fabric))
    return SharedOption(preset, subject.reads, training, cell, own, final, memory)


def _shared_costs(
    subject: Subject,
    by: Recipe,
    sharing: Sharing,
    architectures: Sequence[Architecture],
    fabric: Fabric,
) -> tuple[Estimate, float, int]:
    """Seconds of the shared training and of a score, and bytes of the shared weights."""
    space, settings = architectures[0].space, subject.settings(by)
    memory = check_shared_memory(space, settings)
    network = space.build_shared(settings)
    with without_weights():
        alone = space.build(architectures[0], settings)
    of_data = subject.short_task(alone, by, fabric, SECONDS_A_NETWORK)
    task = SharedTask(of_data, space, Uniform(architectures))
    steps = measure_steps(network, task, fabric, SECONDS_A_NETWORK)
    scorer = subject.scorer(fabric, sharing.examples)
    seconds = []
    with batch_statistics(network.to(fabric.device)):
        for architecture in architectures:
            began = time.perf_counter()
            scorer(as_sampled(network, space.plan(architecture)))
            seconds.append(time.perf_counter() - began)
    training = steps.estimate(by, len(subject.data.train), 0)
    return training, min(seconds), memory
