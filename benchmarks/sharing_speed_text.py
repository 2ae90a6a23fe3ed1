"""A training step and a scored cell of the shared recurrent cell, against plainer ways of either.

    OMP_NUM_THREADS=1 python -m benchmarks.sharing_speed_text [path/to/ptb]

A step is forward, backward, clipping and update of a whole language model for one batch, by the
builds

    ours      only the sampled cell, with the gradients of `naokit.networks.recurrence`
    loop      only the sampled cell, in plain operations, a product for each node and step
    gathers   every activation on the node that is read, each with its weight, and one taken

and a scored cell is what the evaluator `supernet` does with it. All have the same weights and take
turns, cell after cell; figures as in `benchmarks.sharing_speed`. Without a path the text is the
embedded one, whose words are fewer.
"""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.record import write
from benchmarks.sharing_speed import Run, in_turn
from naokit.evaluators import Supernet
from naokit.networks import RecurrentPlan
from naokit.networks.recurrence import masked
from naokit.networks.recurrent import gated, slots_of, unrolled
from naokit.networks.shared_recurrent import SharedRecurrentCell
from naokit.space import Architecture
from naokit.spaces import RecurrentCells
from naokit.text.recipes import RECIPES
from naokit.text.subject import TextSubject
from naokit.training.sharing import as_sampled

CELLS, REPEATS, EXAMPLES = 5, 3, 10_000
CASES = ((100, 8, 20), (300, 64, 35))
"""Hidden size, batch and steps: those of the preset `small`, and the paper's hidden size."""


def main() -> None:
    """Measures every case."""
    torch.set_num_threads(1)
    data = sys.argv[1] if len(sys.argv) > 1 else "pydoc"
    found: dict[str, Any] = {
        "threads": 1,
        "load_before": os.getloadavg()[0],
        "data": Path(data).name,
        "examples": EXAMPLES,
        "cells": CELLS,
        "repeats": REPEATS,
        "cases": {},
    }
    for hidden, batch, steps in CASES:
        name = f"hidden {hidden}, batch {batch}, {steps} steps"
        row = measured(data, hidden, batch, steps, CELLS, REPEATS)
        found["cases"][name] = row
        print(name, row, flush=True)
        write("sharing_speed_text", found)


def measured(
    data: str, hidden: int, batch: int, steps: int, amount: int, repeats: int
) -> dict[str, Any]:
    """Steps and scored cells of one case, in milliseconds."""
    space, generator = RecurrentCells(), np.random.default_rng(0)
    cells = [space.sample(generator) for _ in range(amount)]
    evaluator = Supernet(
        space,
        TextSubject(data, hidden),
        RECIPES["text-small-shared"],
        rounds=1,
        pool=2,
        examples=EXAMPLES,
        device="cpu",
    )
    return {
        "step": in_turn(trainings(evaluator, batch, steps), cells, repeats),
        "scored cell": in_turn(scorings(evaluator), cells, repeats),
    }


def trainings(evaluator: Supernet, batch: int, steps: int) -> dict[str, Run]:
    """A training step by each build."""
    space, words = evaluator.space, evaluator.network_settings.vocabulary  # type: ignore[attr-defined]
    tokens = torch.randint(words, (steps + 1, batch), generator=torch.Generator().manual_seed(0))

    def step(build: nn.Module) -> Run:
        build = build.train()
        weights = list(build.parameters())
        optimizer = torch.optim.SGD(weights, 0.01)

        def run(cell: Architecture) -> None:
            optimizer.zero_grad(set_to_none=True)
            logits = build(tokens[:-1], None, space.plan(cell)).logits
            F.cross_entropy(logits.flatten(0, 1), tokens[1:].flatten()).backward()
            nn.utils.clip_grad_norm_(weights, 0.25, foreach=True)
            optimizer.step()

        return run

    return {name: step(build) for name, build in builds(evaluator.network).items()}


def scorings(evaluator: Supernet) -> dict[str, Run]:
    """A scored cell by each build; a new one is counted besides."""

    def score(build: nn.Module) -> Run:
        build = build.eval()
        return lambda cell: evaluator.scorer(as_sampled(build, evaluator.space.plan(cell)))

    found = {name: score(build) for name, build in builds(evaluator.network).items()}

    def new(cell: Architecture) -> None:
        evaluator._counted.clear()  # as for a cell that is scored for the first time
        dict(evaluator.static_metrics(cell))
        found["ours"](cell)

    return {**found, "ours, new cell": new}


def builds(network: nn.Module) -> dict[str, nn.Module]:
    """Copies of a shared language model that compute the same in each way."""
    made = {"ours": copy.deepcopy(network)}
    for name, kind in (("loop", LoopingCell), ("gathers", GatheringCell)):
        made[name] = copy.deepcopy(network)
        made[name].cell.__class__ = kind
    return made


class LoopingCell(SharedRecurrentCell):
    """The sampled cell, step by step and node by node."""

    def forward(
        self,
        inputs: Tensor,
        state: Tensor,
        input_mask: Tensor | None,
        state_mask: Tensor | None,
        plan: RecurrentPlan,
    ) -> tuple[Tensor, Tensor]:
        nodes = slots_of(plan, self.used(plan))
        weights = (self.first, *self.sampled(plan))
        return unrolled(nodes, weights, inputs, state, input_mask, state_mask)


class GatheringCell(SharedRecurrentCell):
    """All activations on the node that a sampled node reads, of which one is taken."""

    def forward(
        self,
        inputs: Tensor,
        state: Tensor,
        input_mask: Tensor | None,
        state_mask: Tensor | None,
        plan: RecurrentPlan,
    ) -> tuple[Tensor, Tensor]:
        width, made = inputs.shape[-1], []
        entering = masked(inputs, input_mask) @ self.first[:width]
        for entry in entering:
            product = entry + masked(state, state_mask) @ self.first[width:]
            slots = [state, gated(product, state, torch.tanh)]
            for node, (source, name) in enumerate(plan.nodes):
                before, every = slots[source + 1], []
                weights: nn.ParameterList = self.weights[node][source]  # type: ignore[index]
                for weight, activation in zip(weights, self.activations.values(), strict=True):
                    every.append(gated(masked(before, state_mask) @ weight, before, activation))
                slots.append(torch.stack(every)[self.places[name]])
            state = torch.stack(slots[2:]).mean(dim=0)
            made.append(state)
        return torch.stack(made), state


if __name__ == "__main__":
    main()
