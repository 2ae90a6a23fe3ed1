"""Which few of a search by weight sharing to train by themselves: two ways, on trainings of all.

    OMP_NUM_THREADS=1 python -m benchmarks.told_apart [SEEDS]

For each seed the search of the preset `quick` on the digits (about two CPU minutes), then two
trainings of their own of every architecture that it scored and of 40 random cells (about 16). Five
are chosen by each way; the winner is the best of them by one training, and its other training is
what it is worth. Seeds that are there are not made again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
import torch
from scipy.stats import spearmanr

from benchmarks.expected_maximum import most_promising
from benchmarks.record import RESULTS, keep
from naokit.base import derive_seed
from naokit.evaluators import Supernet, Train
from naokit.images.presets import SHARED
from naokit.images.subject import ImageSubject
from naokit.spaces import ConvCells
from naokit.study import create_study

NAME, FEW, RANDOM = "told_apart", 5, 40
SPACE = ConvCells.small()
Rows = Sequence[dict[str, Any]]


def main() -> None:
    """Makes the seeds that are missing, and the summary of all."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = RESULTS / f"{NAME}.json"
    seeds: dict[str, Rows] = json.loads(path.read_text())["seeds"] if path.exists() else {}
    missing = [n for n in range(int(sys.argv[1]) if sys.argv[1:] else 0) if str(n) not in seeds]
    for seed in missing:
        seeds[str(seed)] = trained(seed)
        keep(NAME, {"summary": summary(seeds), "seeds": seeds})
    print(json.dumps(summary(seeds), indent=1))


def trained(seed: int) -> Rows:
    """Every architecture of a search, best first, then random ones, with two trainings of each."""
    sharing = SHARED["quick"].sharing
    assert sharing is not None
    subject = ImageSubject("digits", channels=8, cells=1)
    supernet = Supernet.of(SPACE, subject, sharing, seed=seed, device="cpu")
    study = create_study(SPACE, method="nao", seed=seed)
    study.optimize(supernet, supernet.evaluations)
    rows: list[dict[str, Any]] = [
        {"cell": str(one.architecture), "round": one.round, "score": round(one.mean, 3)}
        for one in study.standings()
    ]
    generator = np.random.default_rng(5000 + seed)
    rows += [{"cell": str(SPACE.sample(generator))} for _ in range(RANDOM)]
    own = Train("digits", "quick", channels=8, cells=1, device="cpu")
    for row in rows:
        cell = SPACE.parse(row["cell"])
        row["trained"] = [round(own.evaluate(cell, 7000 + n).value, 3) for n in range(2)]
    return rows


def summary(seeds: dict[str, Rows]) -> dict[str, Any]:
    """By way, for each seed: the winner, and the mean of the few."""
    found: dict[str, Any] = {"seeds": [int(seed) for seed in seeds], "correlation": []}
    for seed, rows in seeds.items():
        last = [row for row in rows if row.get("round") == rows[0]["round"]]
        truth = [float(np.mean(row["trained"])) for row in last]
        agreed = spearmanr([row["score"] for row in last], truth).statistic
        found["correlation"].append(round(float(agreed), 3))
        cells = [SPACE.parse(row["cell"]) for row in last]
        chosen = most_promising(SPACE, cells, FEW, derive_seed(int(seed), "apart"))
        ways = {
            "the best by score": last[:FEW],
            "the expected maximum": [last[cells.index(one)] for one in chosen],
            "random cells": [row for row in rows if "round" not in row],
        }
        for way, few in ways.items():
            found.setdefault(way, []).append(_worth(few))
    return found


def _worth(rows: Rows) -> dict[str, float]:
    """The mean of all trainings, and what the best of five by one training reaches in another."""
    values = np.array([row["trained"] for row in rows])
    generator = np.random.default_rng(0)
    picks = [generator.permutation(len(rows))[:FEW] for _ in range(1 if len(rows) == FEW else 1000)]
    winners = [
        values[pick[np.argmax(values[pick, one])], 1 - one] for pick in picks for one in (0, 1)
    ]
    means = {"winner": np.mean(winners), "mean": values.mean()}
    return {name: round(float(mean), 2) for name, mean in means.items()}


if __name__ == "__main__":
    main()
