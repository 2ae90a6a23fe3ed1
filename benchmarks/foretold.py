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
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.record import RESULTS, write
from naokit.report.intervals import half_interval
from naokit.study.pruning import Asha, Seen

LOOKS = (1, 2, 3, 5, 10, 15, 20, 30, 40, 50)
LEAST_SLOPE = 0.05
Curve = Sequence[float]
"""The value after each epoch, more is better."""


def farther(results: Sequence[Seen]) -> np.ndarray:
    """The farther the better, and of those that came as far the better value: what `nao` does."""
    reached = [(len(one.curve), max(one.curve.values())) for one in results]
    places = {one: float(place) for place, one in enumerate(sorted(set(reached)))}
    return np.array([places[one] for one in reached])


def latest(results: Sequence[Seen]) -> np.ndarray:
    """The best value so far."""
    return np.array([max(one.curve.values()) for one in results])


def foretold(results: Sequence[Seen]) -> np.ndarray:
    """What those that were stopped would have come to.

    That is foretold from the latest stop to the first, by a linear regression of what those came to
    that went on, on what they had reached by then. The slope is that of the regression and of one
    more pair, as far from the mean as a result is on average, whose difference stayed.
    """
    values = latest(results)
    epochs = np.array([len(one.curve) for one in results])
    for stop in sorted({len(one.curve) for one in results if not one.whole}, reverse=True):
        here, went_on = epochs == stop, epochs > stop
        if not went_on.any():
            continue
        reached = np.array([max(islice(one.curve.values(), stop)) for one in results])
        before, after = reached[went_on], values[went_on]
        spread = reached[here | went_on].var()
        from_mean = before - before.mean()
        slope = 0.0
        if spread:
            slope = (from_mean @ (after - after.mean()) + spread) / (from_mean @ from_mean + spread)
        values[here] = after.mean() + max(slope, LEAST_SLOPE) * (reached[here] - before.mean())
    return values


WAYS: Mapping[str, Callable[[Sequence[Seen]], np.ndarray]] = {
    "farther": farther,
    "latest": latest,
    "foretold": foretold,
}


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
    there = json.loads((RESULTS / "foretold.json").read_text())
    write("foretold", {"repeats": repeats, "rows": rows, "searches": there["searches"]})


def of_digits() -> tuple[Sequence[Curve], Sequence[float]]:
    """The first nine epochs of each cell, and what it came to."""
    with (RESULTS / "learning_curves.csv").open() as file:
        whole = [
            [float(row[f"epoch_{epoch}"]) for epoch in range(1, 26)] for row in csv.DictReader(file)
        ]
    return [curve[:9] for curve in whole], [fmean(curve[15:]) for curve in whole]


def of_networks(table: Path) -> Sequence[Curve]:
    """The negative losses of the networks that did not diverge."""
    with gzip.open(table, "rt") as file:
        rows = [[row[f"val_loss_ep{look}"] for look in LOOKS] for row in csv.DictReader(file)]
    curves = [[-float(loss) for loss in row] for row in rows if all(row)]
    return [curve for curve in curves if all(map(math.isfinite, curve))]


def row(
    name: str, curves: Sequence[Curve], came_to: Sequence[float], budget: int, repeats: int
) -> dict[str, Any]:
    """The correlations of each way on one set of curves."""
    generator = np.random.default_rng(0)
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    looked_at = []
    for _ in range(repeats):
        reached = searched(curves, generator.permutation(len(curves)).tolist(), budget)
        truth = np.array([came_to[place] for place in reached])
        looked_at.append(len(reached))
        results = list(reached.values())
        better = truth >= np.median(truth)
        for way, values_of in WAYS.items():
            values = values_of(results)
            found[way].append((agreement(values, truth), agreement(values[better], truth[better])))
    said: dict[str, Any] = {"curves": name, "epochs_in_all": budget, "looked_at": fmean(looked_at)}
    print(said, flush=True)
    for way, pairs in found.items():
        said[way] = {}
        for n, part in enumerate(("all", "better_half")):
            apart = [
                mine[n] - other[n] for mine, other in zip(pairs, found["farther"], strict=True)
            ]
            said[way][part] = {
                "mean": round(fmean(pair[n] for pair in pairs), 3),
                "difference": round(fmean(apart), 3),
                "half_interval": round(half_interval(apart) or 0.0, 3),
            }
        print(way, said[way], flush=True)
    return said


def searched(curves: Sequence[Curve], order: Sequence[int], budget: int) -> dict[int, Seen]:
    """How far each architecture was trained, in the order in which they ended."""
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
    return dict(zip(places, ended, strict=True))


def agreement(values: np.ndarray, truth: np.ndarray) -> float:
    """Spearman's correlation; 0 where one of both says nothing."""
    return float(spearmanr(values, truth).statistic) if np.ptp(values) and np.ptp(truth) else 0.0


if __name__ == "__main__":
    main()
