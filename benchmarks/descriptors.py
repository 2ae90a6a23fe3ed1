"""What descriptors of untrained networks are worth to `nao`: conv-small on the digits.

    python -m benchmarks.descriptors measure
    python -m benchmarks.descriptors

`measure` describes the cells of `results/known_cells.json` that were evaluated twice, one row each
in `results/descriptors.csv`; what is there already is not measured again. Without it, three tables
are made of these rows in `results/descriptors.json`, as far as they are not there yet:

    alone       the rank correlation of each descriptor with evaluations
    foretold    that of the model's mean with evaluations of cells it did not see
    replayed    searches over these cells alone, at equal cost: the method sees one evaluation of a
                cell, the other one judges what it found

In `shuffled` each cell has the descriptors of another one, which say nothing. Descriptors of the
other sign need no table: their distances, and so all proposals, are the same.
"""

from __future__ import annotations

import csv
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.known_cells import CELLS, GROUP, TWICE, correlations
from benchmarks.record import RESULTS, keep
from naokit.doors import Descriptors, Observation
from naokit.evaluators import Train
from naokit.method.descriptors import DescribedFeatures, Shortlist
from naokit.method.features import FeatureBlocks
from naokit.method.nao import Nao
from naokit.method.posterior import Everything, Posterior, features_of
from naokit.method.surrogate import one_blas_thread, rank_gauss
from naokit.space import Architecture
from naokit.spaces import ConvCells

NAME = "descriptors"
KNOWN = (6, 12, 24, 48, 100)
AMOUNTS, SEEDS, BUDGETS = (0, 1, 2, 4, 8, 16), 40, (12, 24, 40)
SHUFFLED = (4, 8)
ROWS = RESULTS / f"{NAME}.csv"


def evaluator() -> Train:
    """What evaluated the cells."""
    return Train("digits", "quick", channels=8, cells=1, device="cpu")


def cells_and_values() -> tuple[list[Architecture], np.ndarray]:
    """The cells that were evaluated twice, and both values, (N, 2)."""
    generator = np.random.default_rng(12345)
    cells = [ConvCells.small().sample(generator) for _ in range(CELLS)]
    values = json.loads((RESULTS / "known_cells.json").read_text())["values"]
    twice = [number for number in range(CELLS) if number % GROUP < TWICE]
    return [cells[number] for number in twice], np.array([values[number] for number in twice])


def measure(path: Path = ROWS) -> None:
    """Describes the cells that have no row yet."""
    used, (cells, _) = evaluator(), cells_and_values()
    done = len(read(path)) if path.exists() else 0
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not done:
            writer.writerow(["cell", *used.descriptor_names])
        for number, cell in enumerate(cells[done:], done):
            found = used.descriptors(cell)
            writer.writerow([number, *(f"{found[name]:.6g}" for name in used.descriptor_names)])
            file.flush()


def read(path: Path = ROWS) -> np.ndarray:
    """The rows of descriptors, (N, d)."""
    rows = list(csv.reader(path.read_text().splitlines()))[1:]
    return np.array([row[1:] for row in rows], dtype=float)


class Measured(Descriptors):
    """Descriptors that are looked up; those that were asked for count as measured."""

    def __init__(self, cells: Sequence[Architecture], values: np.ndarray, share: float) -> None:
        self._share = share
        self._table = {cell.key: row for cell, row in zip(cells, values, strict=True)}
        self.asked: dict[str, Architecture] = {}

    @property
    def share(self) -> float:
        """What those of one cell cost."""
        return self._share

    def __call__(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """The rows of the table."""
        self.asked |= {architecture.key: architecture for architecture in architectures}
        return np.array([self._table[architecture.key] for architecture in architectures])

    def known(self) -> Sequence[Architecture]:
        """What was asked for."""
        return [self.asked[key] for key in sorted(self.asked)]


def summary(found: Sequence[float]) -> dict[str, float]:
    """The mean and its standard error."""
    error = statistics.stdev(found) / len(found) ** 0.5
    return {"mean": round(statistics.fmean(found), 4), "standard_error": round(error, 4)}


def replay(
    cells: Sequence[Architecture],
    values: np.ndarray,
    seed: int,
    descriptors: Measured,
    amount: int,
) -> dict[int, dict[str, float]]:
    """A search over the cells, and how good at each budget by the evaluation that judges are

        winner     the cell of the best value
        believed   the cell of the best mean of the model
        proposed   all cells that it proposed, on average

    Args:
        cells: The cells.
        values: What the method sees, and what judges, (N, 2).
        seed: The seed of the method.
        descriptors: Their descriptors.
        amount: How many candidates of a proposal are described.
    """
    method = Nao(cells[0].space, seed, max(BUDGETS))
    method.everything = Everything(cells, method.features)
    if amount:
        method.shortlist = Shortlist(method.space, method.features, descriptors, amount)
    first = np.random.default_rng(seed).permutation(len(cells))[:3]
    row = {cell.key: place for place, cell in enumerate(cells)}
    proposed, found = first.tolist(), {}
    for budget in BUDGETS:
        while len(proposed) + descriptors.share * len(descriptors.asked) < budget:
            history = [Observation(cells[place], values[place, 0]) for place in proposed]
            proposed.append(row[method.propose(history).architecture.key])
        best = max(proposed, key=lambda place: values[place, 0])
        believed = proposed[int(np.argmax(means(method, cells, values, proposed)))]
        found[budget] = {
            "winner": values[best, 1],
            "believed": values[believed, 1],
            "proposed": values[proposed[3:], 1].mean(),
        }
    return found


def means(
    method: Nao, cells: Sequence[Architecture], values: np.ndarray, proposed: Sequence[int]
) -> np.ndarray:
    """The means that the method's model has of what was evaluated."""
    known = [cells[place] for place in proposed]
    features: FeatureBlocks = method.features
    if method.shortlist is not None:
        described = method.shortlist.descriptors
        features = DescribedFeatures(features, known, described(known))
    targets = rank_gauss(values[proposed, 0])
    with one_blas_thread():
        return Posterior(features, None, known, targets).predict(known, targets)[0]


def replayed(
    cells: Sequence[Architecture], values: np.ndarray, rows: np.ndarray, share: float, amount: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Searches of many seeds, each with either evaluation as what the method sees."""
    found = [
        replay(cells, seen, seed, Measured(cells, rows, share), amount)
        for seed in range(SEEDS)
        for seen in (values, values[:, ::-1])
    ]
    return {
        str(budget): {
            name: summary([one[budget][name] for one in found]) for name in found[0][budget]
        }
        for budget in BUDGETS
    }


def main() -> None:
    """Measures, or makes the tables and writes each as it is found."""
    torch.set_num_threads(1)
    if sys.argv[1:] == ["measure"]:
        measure()
        return
    rows = read()
    cells, values = cells_and_values()
    cells, values = cells[: len(rows)], values[: len(rows)]
    used, once = evaluator(), values[:, 0]
    features = features_of(cells[0].space)
    with_them = DescribedFeatures(features, cells, rows)
    path = RESULTS / f"{NAME}.json"
    figures: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    if figures.get("cells") != len(rows):
        figures = {
            "metric": used.metric,
            "cells": len(rows),
            "searches": 2 * SEEDS,
            "share": used.descriptor_share,
            "two_evaluations": float(spearmanr(*values.T).statistic),
            "alone": {
                name: float(spearmanr(column, once).statistic)
                for name, column in zip(used.descriptor_names, rows.T, strict=True)
            },
            "foretold": {
                name: {
                    str(known): summary(correlations(blocks, cells, once, known)) for known in KNOWN
                }
                for name, blocks in (("without", features), ("with", with_them))
            },
        }
    mixed = rows[np.random.default_rng(0).permutation(len(rows))]
    for name, table, amounts in (("replayed", rows, AMOUNTS), ("shuffled", mixed, SHUFFLED)):
        found = figures.setdefault(name, {})
        for amount in (one for one in amounts if str(one) not in found):
            found[str(amount)] = replayed(cells, values, table, used.descriptor_share, amount)
            print(name, amount, found[str(amount)], flush=True)
            keep(NAME, figures)


if __name__ == "__main__":
    main()
