"""Real searches on the digits that stop early or not, at the cost of 60 epochs, and their winners.

    OMP_NUM_THREADS=1 python -m benchmarks.digits_stopping [SEEDS]

Each search is of conv-small at F=8, N=1; its winner is trained four times for nine epochs.
`results/digits_stopping.json` holds every evaluation; a row that is there is not made again. About
two minutes a row. Its rows `tried` are searches that stopped early and described networks as well,
at three quarters of an average evaluation for each proposal, which is done no more.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import optuna
import torch

from benchmarks.record import RESULTS, keep
from naokit import create_study, spaces
from naokit.base import derive_seed
from naokit.evaluators import Train
from naokit.images import recipes
from naokit.study.pruning import Asha

NAME, EPOCHS, TRAININGS = "digits_stopping", 60, 4
WAYS: dict[str, tuple[str, int, Asha | None]] = {
    "nao, 20 trainings of 3 epochs": ("nao", 3, None),
    "random, 20 trainings of 3 epochs": ("random", 3, None),
    "nao, 9 epochs, asha": ("nao", 9, Asha()),
    "random, 9 epochs, asha": ("random", 9, Asha()),
    "nao, 9 epochs, asha from 2": ("nao", 9, Asha(2)),
    "nao, 6 epochs, asha from 2": ("nao", 6, Asha(2)),
    "nao, 3 epochs, asha": ("nao", 3, Asha()),
}
"""The method, the epochs of a training, and who stops it."""


def main() -> None:
    """Searches what is missing, seed by seed."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = RESULTS / f"{NAME}.json"
    there = json.loads(path.read_text()) if path.exists() else {"rows": [], "tried": []}
    rows: list[dict[str, Any]] = there["rows"]
    for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        for way in WAYS:
            if not any((row["way"], row["seed"]) == (way, seed) for row in rows):
                rows.append(_row(way, seed))
                found = {"epochs": EPOCHS, "means": _means(rows), "rows": rows}
                keep(NAME, found | {"tried": there["tried"]})
                print(seed, way, rows[-1]["trained"], flush=True)


def _row(way: str, seed: int) -> dict[str, Any]:
    """A search, and its winner trained anew."""
    method, epochs, pruner = WAYS[way]
    evaluator, began = _training(epochs), time.process_time()
    evaluator.descriptor_names = ()  # these searches are about stopping alone
    study = create_study(spaces.load("conv-small"), method=method, seed=seed, pruner=pruner)
    if pruner is None:
        study.optimize(evaluator, EPOCHS // epochs)
    else:
        study.optimize(evaluator, EPOCHS, epochs=EPOCHS)
    cost, winner, again = time.process_time() - began, study.best_architecture, _training(9)
    seeds = [derive_seed(77, "truth", winner.key, place) for place in range(TRAININGS)]
    trained = [round(again.evaluate(winner, one).value, 2) for one in seeds]
    return {
        "way": way,
        "seed": seed,
        "cpu_seconds": round(cost, 1),
        "looked_at": study.evaluations,
        "stopped": study.stopped,
        "winner": str(winner),
        "mean": statistics.fmean(trained),
        "trained": trained,
        "evaluations": [
            [trial.origin, trial.value, trial.stopped, [round(v, 2) for v in trial.curve.values()]]
            for trial in study.trials
        ],
    }


def _training(epochs: int) -> Train:
    return Train("digits", recipes.recipe("quick", epochs), channels=8, cells=1, device="cpu")


def _means(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean of the winners, their standard error and the mean cost, by way."""
    found = {}
    for way in WAYS:
        mine = [row for row in rows if row["way"] == way]
        means = [row["mean"] for row in mine]
        found[way] = {
            "searches": len(mine),
            "winner": round(statistics.fmean(means), 2) if means else None,
            "standard_error": round(statistics.stdev(means) / len(means) ** 0.5, 2)
            if len(means) > 1
            else None,
            "cpu_seconds": round(statistics.fmean(row["cpu_seconds"] for row in mine))
            if mine
            else None,
        }
    return found


if __name__ == "__main__":
    main()
