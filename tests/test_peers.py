"""The methods that the optimiser's benchmark compares with keep the contract of any method."""

import csv
import json
from pathlib import Path
from typing import ClassVar

import numpy as np
from benchmarks.ensemble import Ensemble
from benchmarks.one_hot import operations_of
from benchmarks.peers import BananasLike, GpOneHot, Paths, WeakNasLike, one_hot, paths

from naokit.doors import Method
from naokit.space import Architecture, Space
from naokit.spaces import Choice, Choices, Graphs, NasBench201, NasBenchGraph
from naokit.testing import MethodContract

TINY = Choices("tiny", (Choice("a", (1, 2, 3, 4)), Choice("b", (1, 2, 3)), Choice("c", (1, 2))))


class PeerContract(MethodContract):
    space: ClassVar[Space] = TINY
    evaluations = 16  # into the first round that results choose
    peer: ClassVar[type[BananasLike | WeakNasLike | GpOneHot]]

    def method(self, seed: int) -> Method:
        return self.peer(self.space, seed, self.evaluations)

    def test_ten_random_ones_come_first(self) -> None:
        origins = [trial.origin for trial in self.run(self.method(0), self.evaluations)]
        assert origins[:10] == ["random"] * 10
        assert "random" not in origins[10:]


class TestBananasLike(PeerContract):
    peer = BananasLike

    def test_a_round_is_chosen_on_the_results_before_it(self) -> None:
        """However the round's own results turn out, and whether they are there or pending."""
        method = self.method(0)
        history = self.run(method, 10)
        pending: list[Architecture] = []
        for _ in range(4):
            pending.append(method.propose(history, pending).architecture)
        told = [trial.architecture for trial in self.run(self.method(0), 4, history)[10:]]
        assert told == pending


class TestWeakNasLike(TestBananasLike):
    peer = WeakNasLike


class TestGpOneHot(PeerContract):
    peer = GpOneHot


def test_paths_of_a_cell() -> None:
    """Four ways lead through a cell with operations on edges."""
    space = NasBench201()
    cell = space.parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|none~2|")
    found = {path[1:] for path in paths(cell)}
    pool, conv, null = "avg_pool_3x3", "nor_conv_3x3", "(null)"
    assert found == {(pool,), (conv, null), (null, null), (conv, "(identity)", null)}
    encode = Paths(space)
    row = encode([cell])[0]
    assert {path for path, place in encode.column.items() if row[place]} <= paths(cell)
    assert row.sum() >= 3  # those of one and two operations are among the likely ones


def test_one_hot_tokens() -> None:
    choices = [TINY.architecture((3, 0, 1)), TINY.architecture((0, 2, 0))]
    rows = [[0, 0, 0, 1, 1, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 1, 1, 0]]
    assert one_hot(choices).tolist() == rows
    assert sorted(Paths(TINY)(choices).sum(axis=1)) == [3, 3]  # a path for each choice


def test_tokens_of_a_pool_of_graphs_are_its_operations(tmp_path: Path) -> None:
    """Which graph it is would say nothing of another one."""
    rows = [["relu"], ["relu", "relu"], ["tanh", "relu"]]
    graphs = [
        {
            "x": {"op": "input"},
            **{str(n): {"op": op, "input": [str(n - 1) if n else "x"]} for n, op in enumerate(ops)},
            "out": {"op": "output", "input": [str(len(ops) - 1)]},
        }
        for ops in rows
    ]
    with (tmp_path / "pool.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["graph"], *([json.dumps(graph)] for graph in graphs)])
    pool = Graphs.of_table(tmp_path / "pool.csv", "graph")
    tokens = one_hot([pool.architecture((place,)) for place in range(3)])
    labels = [label for _, label in operations_of(pool)]
    assert tokens[:, labels.index("relu")].tolist() == [1, 2, 1]
    assert tokens[:, labels.index("tanh")].tolist() == [0, 0, 1]


def test_paths_that_say_little_give_way_to_tokens() -> None:
    """The layers of NAS-Bench-Graph are often a chain, whose only path hardly another has."""
    assert Paths(NasBenchGraph()).tokens
    assert not Paths(NasBench201()).tokens


def test_the_slopes_are_those_of_the_error() -> None:
    """Against differences of the mean absolute error, far from where it bends."""
    generator = np.random.default_rng(0)
    ensemble = Ensemble(3, generator)
    ensemble.flat = ensemble.flat.astype(np.float64)
    ensemble.parts = ensemble._views(ensemble.flat)
    rows, targets = generator.normal(size=(5, 4, 3)), generator.normal(size=(5, 4)) + 10
    slopes = np.zeros_like(ensemble.flat)
    ensemble._slopes(rows, targets, ensemble._views(slopes))

    def error() -> float:
        return float(np.abs(ensemble._layers(rows)[-1][:, :, 0] - targets).mean(axis=1).sum())

    for place in generator.choice(len(slopes), 40, replace=False):
        ensemble.flat[place] += 1e-6
        above = error()
        ensemble.flat[place] -= 2e-6
        below = error()
        ensemble.flat[place] += 1e-6
        np.testing.assert_allclose(slopes[place], (above - below) / 2e-6, rtol=1e-3, atol=1e-6)


def test_the_networks_learn() -> None:
    """Each comes near what it was shown: the sum of five bits."""
    generator = np.random.default_rng(0)
    rows = generator.integers(0, 2, (60, 5)).astype(np.float32)
    targets = rows.sum(axis=1) - 2.5
    ensemble = Ensemble(5, generator)
    ensemble.fit(rows, targets, generator)
    assert np.abs(np.median(ensemble(rows), axis=0) - targets).mean() < 0.3
