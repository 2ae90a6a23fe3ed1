"""Real searches that stop early or not, each at the cost of so many epochs, and their winners.

    OMP_NUM_THREADS=1 python -m benchmarks.stopped_searches DATA [SEEDS]

DATA is `digits`, `few-digits` (200 of them), or the path of PTB or CIFAR-10 (its folder's name says
which). On images the networks are those of conv-small at F=8, N=1, on PTB recurrent cells of hidden
size 100. The winner is trained again by the recipe of the longest trainings, with other seeds.

`results/DATA_stopping.json` holds every evaluation; a row that is there is not made again. A row
takes about two minutes on the digits, 17 on PTB, 45 on CIFAR-10. On the digits the rows `tried`
were measured by running statistics of batch normalisation, as all were once; the last of them
described networks as well, which is done no more.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch

from benchmarks.record import RESULTS, keep
from benchmarks.statistics_taken import RECIPES, data_of
from naokit import create_study, spaces
from naokit.base import derive_seed
from naokit.evaluators import Train, Training, TrainText
from naokit.study.pruning import Asha
from naokit.text.recipes import RECIPES as TEXTS

Way = tuple[str, int, Asha | None]
"""The method, the epochs of a training, and who stops it."""
RUNNING = ", running statistics"
"""What is measured by those, and not by statistics that are taken anew."""


@dataclass(frozen=True)
class Case:
    """Data, and searches on them.

    Attributes:
        space: The name of the space.
        epochs: The epochs of each search.
        whole: The epochs of the winner's trainings.
        trainings: How many these are.
        ways: The searches.
    """

    space: str
    epochs: int
    whole: int
    trainings: int
    ways: Mapping[str, Way]


def _stopped(epochs: int) -> Mapping[str, Way]:
    """Searches by `nao` and at random whose trainings of so many epochs stop early."""
    return {f"{name}, {epochs} epochs, asha": (name, epochs, Asha()) for name in ("nao", "random")}


def _also_running(ways: Mapping[str, Way]) -> Mapping[str, Way]:
    """These, and the same by running statistics."""
    return {**ways, **{f"{name}{RUNNING}": way for name, way in ways.items()}}


CASES = {
    "digits": Case("conv-small", 60, 9, 4, _also_running(_stopped(9))),
    "few-digits": Case("conv-small", 150, 15, 6, _also_running(_stopped(15))),
    "ptb": Case("recurrent", 40, 4, 2, _stopped(4)),
    "cifar10": Case("conv-small", 40, 4, 2, _stopped(4)),
}


def main() -> None:
    """Searches what is missing, seed by seed."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    data = sys.argv[1]
    case, name = CASES[Path(data).name], f"{Path(data).name}_stopping"
    path = RESULTS / f"{name}.json"
    there = json.loads(path.read_text()) if path.exists() else {"rows": []}
    rows: list[dict[str, Any]] = there["rows"]
    for seed in range(int(sys.argv[2]) if len(sys.argv) > 2 else 3):
        for way in case.ways:
            if not any((row["way"], row["seed"]) == (way, seed) for row in rows):
                rows.append(_row(data, way, seed))
                found = {"epochs": case.epochs, "means": _means(case, rows), "rows": rows}
                keep(name, found | ({"tried": there["tried"]} if "tried" in there else {}))
                print(seed, way, rows[-1]["trained"], flush=True)


def _row(data: str, way: str, seed: int) -> dict[str, Any]:
    """A search, and its winner trained anew."""
    case = CASES[Path(data).name]
    method, epochs, pruner = case.ways[way]
    running = way.endswith(RUNNING)
    evaluator, began = _training(data, epochs, running=running), time.process_time()
    evaluator.descriptor_names = ()  # these searches are about stopping alone
    study = create_study(
        spaces.load(case.space),
        method=method,
        seed=seed,
        pruner=pruner,
        direction=evaluator.direction,
    )
    if pruner is None:
        study.optimize(evaluator, case.epochs // epochs)
    else:
        study.optimize(evaluator, case.epochs, epochs=case.epochs)
    cost, winner = time.process_time() - began, study.best_architecture
    again = _training(data, case.whole, running=False)
    seeds = [derive_seed(77, "truth", winner.key, place) for place in range(case.trainings)]
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


def _training(data: str, epochs: int, *, running: bool) -> Training:
    name = Path(data).name
    if name == "ptb":
        by = dataclasses.replace(TEXTS["text-small"], epochs=epochs, train_tokens=50_000)
        return TrainText(data, by, hidden=100, device="cpu")
    by_epochs = dataclasses.replace(RECIPES[name], epochs=epochs)
    if running:
        by_epochs = dataclasses.replace(by_epochs, statistics_batches=None)
    return Train(data_of(data), by_epochs, channels=8, cells=1, device="cpu")


def _means(case: Case, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean of the winners, their standard error and the mean cost, by way."""
    found = {}
    for way in case.ways:
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
