"""What a shorter recipe, early stops and finalists bring, one by one and together, at one cost.

    OMP_NUM_THREADS=1 python -m benchmarks.ablation TABLES FOLDER

TABLES is the folder of `nas-bench-nlp-ptb.csv.gz` (recurrent networks that were trained on PTB for
50 epochs); its graphs are written to FOLDER. Each search may take as many epochs as 30 whole
trainings have. A search that trains for 10 epochs knows nothing of what comes later; its finalists
are the eight best, each trained for 50 epochs besides, which is counted. What it names is judged by
the loss after 50 epochs. `results/ablation.json` holds where that stands among all of the table (1
is the best), by way and seed; what is there is not made again.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import optuna

from benchmarks.record import RESULTS, keep
from benchmarks.stopping import EPOCHS, WHOLE, known_curves, loss_after
from benchmarks.stopping import NAME as TABLE
from naokit import create_study
from naokit.evaluators import Tabular

NAME = "ablation"
LAST = EPOCHS[-1]
BUDGET = WHOLE * LAST
"""The epochs of a search, those of its finalists included."""


@dataclass(frozen=True)
class Way:
    """How a search spends its epochs.

    Attributes:
        epochs: How many a training has.
        pruner: Who stops trainings early. If None, nobody does.
        finalists: How many of the best are trained for all of the table's epochs besides.
    """

    epochs: int = LAST
    pruner: str | None = None
    finalists: int = 0


WAYS: Mapping[str, Way] = {
    "50 epochs": Way(),
    "10 epochs": Way(10),
    "5 epochs": Way(5),
    "50 epochs, stopped": Way(LAST, "asha"),
    "10 epochs, stopped": Way(10, "asha"),
    "10 epochs, finalists": Way(10, None, 8),
    "5 epochs, finalists": Way(5, None, 8),
    "10 epochs, stopped, finalists": Way(10, "asha", 8),
}
SEEDS = {"random": 40, "nao": 10}
"""The number of searches by each way. Those of random search cost next to nothing."""


def main() -> None:
    """Searches what is missing, seed by seed."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder, path = Path(sys.argv[2]), RESULTS / f"{NAME}.json"
    tables = {
        epochs: known_curves(folder, epochs, (loss_after(LAST),)).load()
        for epochs in {way.epochs for way in WAYS.values()}
    }
    whole = sorted(value for value in tables[LAST].values.values() if math.isfinite(value))
    rows: dict[str, list[float | None]] = {}
    if path.exists():
        rows = {n: one["losses"] for n, one in json.loads(path.read_text())[TABLE].items()}
    for method, seeds in SEEDS.items():
        for seed, (name, way) in product(range(seeds), WAYS.items()):
            found = rows.setdefault(f"{method}: {name}", [])
            if len(found) == seed:
                found.append(_search(tables[way.epochs], method, seed, way))
                keep(NAME, {"epochs": BUDGET, TABLE: _summary(rows, whole)})
                print(seed, method, name, found[-1], flush=True)


def _search(table: Tabular, method: str, seed: int, way: Way) -> float | None:
    """The loss after all epochs of what a search names; None where its training failed."""
    epochs = BUDGET - way.finalists * LAST
    study = create_study(
        table.space, method=method, seed=seed, direction="minimize", pruner=way.pruner
    )
    if way.pruner is None:
        study.optimize(table, epochs // way.epochs)
    else:
        study.optimize(table, len(table.values), epochs=epochs)
    whole = [trial for trial in study.trials if trial.value is not None]
    whole.sort(key=lambda trial: trial.value or math.inf)
    named = [trial.metrics[loss_after(LAST)] for trial in whole[: max(1, way.finalists)]]
    return min((loss for loss in named if math.isfinite(loss)), default=None)


def _summary(rows: Mapping[str, list[float | None]], whole: list[float]) -> dict[str, Any]:
    """The median place, the mean loss and its standard error, by method and way."""
    found = {}
    for name, losses in rows.items():
        there = [loss for loss in losses if loss is not None]
        places = [sum(value < loss for value in whole) + 1 for loss in there]
        places += [len(whole) + 1] * (len(losses) - len(there))
        found[name] = {
            "searches": len(losses),
            "failed": len(losses) - len(there),
            "median_place": statistics.median(places),
            "mean_loss": round(statistics.fmean(there), 4) if there else None,
            "standard_error": round(statistics.stdev(there) / len(there) ** 0.5, 4)
            if len(there) > 1
            else None,
            "losses": losses,
        }
    return found


if __name__ == "__main__":
    main()
