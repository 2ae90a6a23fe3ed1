"""Leaders where no model expects them, and failures that resemble each other: who finds the best.

    python -m benchmarks.planted FOLDER-OF-TABLES [SEEDS]

A leader is planted in the middle of a table: its value is above all, the architectures that differ
from it in one choice gain up to 2.5 standard deviations, those that differ in two up to .8. The
values are the normal quantiles of the table's. In the second part all architectures with two 1x1
convolutions or more fail, or a random fifth does, the best one excepted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.record import keep
from benchmarks.tables import benchmarks
from naokit import method as methods
from naokit.bench.task import table_of
from naokit.doors import Observation
from naokit.method import exploration
from naokit.method.surrogate import rank_gauss
from naokit.space import Space

LEADERS, BUDGET = 6, 300
METHODS = ("nao", "nao without", "evolution", "local-search", "random")
GAINS = (0.0, 2.5, 0.8)
CONVOLUTION = 2
"""The choice of a 1x1 convolution in NAS-Bench-201."""


@dataclass(frozen=True)
class World:
    """A table: its space, the choices of each architecture, (N, L), and their values by key."""

    space: Space
    choices: np.ndarray
    keys: tuple[str, ...]
    values: np.ndarray

    def replaced(self, values: np.ndarray) -> World:
        """The same architectures with other values; one that is not a number fails."""
        return World(self.space, self.choices, self.keys, values)


def main() -> None:
    """Measures both parts and writes `results/planted.json`."""
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    known = benchmarks(Path(sys.argv[1]))
    rows: list[dict[str, Any]] = []
    for name in ("c10", "scene"):
        world = _world(known[name].table)
        for number in range(LEADERS):
            there = planted(world, np.random.default_rng(number))
            _add(rows, {"table": name, "leader": number}, there, METHODS, seeds, BUDGET)
        for kind, failing in _failing(world, name).items():
            there = world.replaced(np.where(failing, np.nan, world.values))
            _add(rows, {"table": name, "failing": kind}, there, ("nao",), 4 * seeds, 100)


def planted(world: World, generator: np.random.Generator) -> World:
    """The table with a leader in its middle, and some of what it is like in its neighbours."""
    middle = np.flatnonzero(np.abs(world.values) < 0.5)
    leader = int(generator.choice(middle))
    away = (world.choices != world.choices[leader]).sum(axis=1)
    gains = np.array([*GAINS, 0.0])[np.minimum(away, len(GAINS))]
    values = world.values + gains * generator.uniform(0.6, 1.0, len(gains))
    top = world.values.max() + 0.6
    values = np.minimum(values, top - 0.01)
    values[leader] = top
    return world.replaced(values)


def _failing(world: World, name: str) -> Mapping[str, np.ndarray]:
    """Which architectures fail, by kind; the best one never does."""
    best = np.arange(len(world.values)) == world.values.argmax()
    kinds = {"a random fifth": np.random.default_rng(9).random(len(best)) < 0.2}
    if name == "c10":
        kinds["two 1x1 convolutions"] = (world.choices == CONVOLUTION).sum(axis=1) >= 2
    return {kind: failing & ~best for kind, failing in kinds.items()}


def _world(task: Any) -> World:
    """A table with its values as normal quantiles."""
    table = table_of(task)
    everything = table.space.everything(10**6) or []
    keys = tuple(architecture.key for architecture in everything)
    values = rank_gauss(np.array([table.values[key] for key in keys]))
    return World(table.space, np.array([a.choices for a in everything]), keys, values)


def _add(
    rows: list[dict[str, Any]],
    named: Mapping[str, Any],
    world: World,
    names: tuple[str, ...],
    seeds: int,
    budget: int,
) -> None:
    """Searches a world with each method, and keeps the rows."""
    for method in names:
        found = [search(world, method, seed, budget) for seed in range(seeds)]
        row = {"method": method, "queries": found, "found": sum(f < budget for f in found)}
        rows.append({**named, **row, "mean_queries": float(np.mean(found))})
        print(rows[-1], flush=True)
        keep("planted", {"budget": BUDGET, "rows": rows})


def search(world: World, name: str, seed: int, budget: int) -> int:
    """How many evaluations there are until the best is found, or the budget."""
    values = dict(zip(world.keys, world.values.tolist(), strict=True))
    best = max(values.values(), key=lambda value: -np.inf if np.isnan(value) else value)
    without = mock.patch.object(exploration, "PATIENCE", 10**6 if name == "nao without" else 20)
    make: Callable[..., Any] = methods.factory(name.split()[0])
    method = make(world.space, seed, budget)
    history: list[Observation] = []
    with without:
        while len(history) < budget:
            proposal = method.propose(history)
            value = values[proposal.architecture.key]
            given = None if np.isnan(value) else value
            history.append(Observation(proposal.architecture, given, proposal.origin))
            if given == best:
                break
    return len(history)


if __name__ == "__main__":
    main()
