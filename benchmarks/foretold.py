"""What is told of trainings that were stopped early: does it rank them as whole ones would?

    python -m benchmarks.foretold TABLES [REPEATS]

TABLES is the folder of `nas-bench-nlp-ptb.csv.gz`. Random architectures with known learning curves
are evaluated and stopped by ASHA, in memory, until a number of epochs is spent. Each way gives all
of them a value; Spearman's correlation with what the whole training came to is taken over all, and
over the better half. `results/foretold.json` has the means over random orders, and the half width
of the 95 % interval of the paired difference from `farther`.

The curves are the 24 cells of `learning_curves.csv` (the digits; 9 epochs, and what a training came
to is the mean of epochs 16 to 25) and the 11,595 networks of NAS-Bench-NLP (PTB; looked at after 1,
2, 3, 5, 10, 15, 20, 30, 40 and 50 epochs, and it is the last).
"""

from __future__ import annotations

import csv
import gzip
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.record import RESULTS, write
from naokit.doors import Observation
from naokit.method.results import comparable
from naokit.spaces import NasBench201
from naokit.study.pruning import Asha, Seen

CELL = NasBench201().sample(np.random.default_rng(0))
"""An architecture; which one counts for nothing."""
LOOKS = (1, 2, 3, 5, 10, 15, 20, 30, 40, 50)
Curves = Sequence[Sequence[float]]
"""The value after each epoch, more is better."""
Values = Callable[[Sequence[Observation]], np.ndarray]


def farther(results: Sequence[Observation]) -> np.ndarray:
    """The farther the better, and of those that came as far the better value."""
    reached = [(one.stopped or math.inf, one.value) for one in results]
    places = {one: float(place) for place, one in enumerate(sorted(set(reached)))}
    return np.array([places[one] for one in reached])


def latest(results: Sequence[Observation]) -> np.ndarray:
    """The best value so far."""
    return np.array([one.value for one in results])


WAYS: Mapping[str, Values] = {"farther": farther, "latest": latest, "foretold": comparable}


def main() -> None:
    """Measures each way on each set of curves."""
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    digits, came_to = of_digits()
    networks = of_networks(Path(sys.argv[1]) / "nas-bench-nlp-ptb.csv.gz")
    rows = [
        row("digits", digits, came_to, 63, repeats),
        row("digits", digits, came_to, 100, repeats),
        row("nas-bench-nlp-ptb", networks, [curve[-1] for curve in networks], 70, repeats),
        row("nas-bench-nlp-ptb", networks, [curve[-1] for curve in networks], 300, repeats),
    ]
    write("foretold", {"repeats": repeats, "rows": rows})


def of_digits() -> tuple[Curves, Sequence[float]]:
    """The first nine epochs of each cell, and what it came to."""
    with (RESULTS / "learning_curves.csv").open() as file:
        whole = [
            [float(row[f"epoch_{epoch}"]) for epoch in range(1, 26)] for row in csv.DictReader(file)
        ]
    return [curve[:9] for curve in whole], [fmean(curve[15:]) for curve in whole]


def of_networks(table: Path) -> Curves:
    """The negative losses of the networks that did not diverge."""
    with gzip.open(table, "rt") as file:
        rows = [[row[f"val_loss_ep{look}"] for look in LOOKS] for row in csv.DictReader(file)]
    curves = [[-float(loss) for loss in row] for row in rows if all(row)]
    return [curve for curve in curves if all(map(math.isfinite, curve))]


def row(
    name: str, curves: Curves, came_to: Sequence[float], budget: int, repeats: int
) -> dict[str, Any]:
    """The correlations of each way on one set of curves."""
    generator = np.random.default_rng(0)
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    looked_at = []
    for _ in range(repeats):
        reached = searched(curves, generator.permutation(len(curves)).tolist(), budget)
        truth = np.array([came_to[place] for place in reached])
        looked_at.append(len(reached))
        results = [
            observed(curves[place][:epochs], len(curves[place]))
            for place, epochs in reached.items()
        ]
        better = truth >= np.median(truth)
        for way, values_of in WAYS.items():
            values = values_of(results)
            found[way].append((agreement(values, truth), agreement(values[better], truth[better])))
    said = {"curves": name, "epochs_in_all": budget, "looked_at": fmean(looked_at)}
    print(said, flush=True)
    for way, pairs in found.items():
        said[way] = {
            part: {
                "mean": round(fmean(pair[n] for pair in pairs), 3),
                "difference": round(fmean(differences(pairs, found["farther"], n)), 3),
                "half_interval": round(half_interval(differences(pairs, found["farther"], n)), 3),
            }
            for n, part in enumerate(("all", "better_half"))
        }
        print(way, said[way], flush=True)
    return said


def searched(curves: Curves, order: Sequence[int], budget: int) -> dict[int, int]:
    """How many epochs each architecture was trained, in the order in which they ended."""
    asha, spent, fresh = Asha(), 0, iter(order)
    ended: list[Seen] = []
    places: list[int] = []
    while spent < budget:
        goes_on = [n for n, resumes in enumerate(asha.resumes(ended)) if resumes]
        if goes_on:
            best = max(goes_on, key=lambda n: (len(ended[n].curve), max(ended[n].curve.values())))
            place, begun = places.pop(best), len(ended.pop(best).curve)
        elif (place := next(fresh, -1)) >= 0:
            begun = 0
        else:
            break
        curve = {epoch: curves[place][epoch - 1] for epoch in range(1, begun + 1)}
        for epoch in range(begun + 1, len(curves[place]) + 1):
            curve[epoch] = curves[place][epoch - 1]
            spent += 1
            if epoch < len(curves[place]) and asha.stops(curve, ended):
                break
        ended.append(Seen(curve, len(curve) == len(curves[place])))
        places.append(place)
    return {place: len(one.curve) for place, one in zip(places, ended, strict=True)}


def observed(curve: Sequence[float], epochs: int) -> Observation:
    """An evaluation as methods see it."""
    stopped = len(curve) if len(curve) < epochs else 0
    return Observation(CELL, max(curve), stopped=stopped, curve=dict(enumerate(curve, 1)))


def agreement(values: np.ndarray, truth: np.ndarray) -> float:
    """Spearman's correlation; 0 where one of both says nothing."""
    return float(spearmanr(values, truth).statistic) if np.ptp(values) and np.ptp(truth) else 0.0


def differences(
    pairs: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]], part: int
) -> list[float]:
    """The differences of two ways in the same searches."""
    return [mine[part] - other[part] for mine, other in zip(pairs, others, strict=True)]


def half_interval(found: Sequence[float]) -> float:
    """Half the width of the 95 % interval of the mean."""
    return 1.96 * stdev(found) / math.sqrt(len(found))


if __name__ == "__main__":
    main()
