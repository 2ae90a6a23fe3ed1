"""Real searches whose trainings stop early, each at the cost of so many epochs, and their winners.

    OMP_NUM_THREADS=1 python -m benchmarks.stopped_searches DATA [SEEDS]

DATA is `digits`, `few-digits` (200 of them), or the path of PTB or CIFAR-10 (its folder's name says
which). On images the networks are those of conv-small at F=8, N=1, on PTB recurrent cells of hidden
size 100. The winner is trained again by the same recipe, to its end and with other seeds.

`results/DATA_stopping.json` holds every evaluation; a row that is there is not made again. A row
takes about two minutes on the digits, 17 on PTB, 45 on CIFAR-10. On CIFAR-10 some searches evaluate
the published cells of the space first; `published` has these, trained as the winners are. On the
digits the rows `tried` were measured by running statistics of batch normalisation, as all were
once; some had whole trainings, a later first look, or described networks, which is done no more. On
CIFAR-10 `tried` is a search whose latent steps led anywhere.
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
from typing import Any, NamedTuple

import optuna
import torch

from benchmarks.record import RESULTS, keep
from benchmarks.statistics_taken import RECIPES, data_of
from naokit import create_study, spaces
from naokit.base import derive_seed
from naokit.evaluators import Train, Training, TrainText
from naokit.space import Architecture
from naokit.spaces.published import written_in
from naokit.text.recipes import RECIPES as TEXTS

RUNNING = "running statistics"
"""What is measured by those of batch normalisation, and not by statistics that are taken anew."""
PUBLISHED = "from published cells"
"""What evaluates the published cells of its space first."""


class Way(NamedTuple):
    """The method of a search, and its kind: one of the above, or plain."""

    method: str
    kind: str = ""


@dataclass(frozen=True)
class Case:
    """Data, and searches on them.

    Attributes:
        space: The name of the space.
        budget: The epochs of each search.
        epochs: Those of a training: in the search, where it may stop early, and of the winner.
        trainings: How often the winner is trained.
        also: The kind of further searches, if there are any.
    """

    space: str
    budget: int
    epochs: int
    trainings: int
    also: str = ""

    @property
    def ways(self) -> Mapping[str, Way]:
        """The searches by name."""
        ways = [Way(method, kind) for kind in sorted({"", self.also}) for method in METHODS]
        return {
            ", ".join(filter(None, [way.method, f"{self.epochs} epochs", "asha", way.kind])): way
            for way in ways
        }


METHODS = ("nao", "random")
CASES = {
    "digits": Case("conv-small", 60, 9, 4, RUNNING),
    "few-digits": Case("conv-small", 150, 15, 6, RUNNING),
    "ptb": Case("recurrent", 40, 4, 2),
    "cifar10": Case("conv-small", 40, 4, 2, PUBLISHED),
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
    besides = {part: there[part] for part in ("published", "tried") if part in there}
    if case.also == PUBLISHED and "published" not in besides:
        cells = written_in(spaces.load(case.space))
        besides["published"] = {known: _trained(data, case, cell) for known, cell in cells.items()}
        print(besides["published"], flush=True)
    for seed in range(int(sys.argv[2]) if len(sys.argv) > 2 else 3):
        for way in case.ways:
            if not any((row["way"], row["seed"]) == (way, seed) for row in rows):
                rows.append(_row(data, way, seed))
                found = {"epochs": case.budget, "means": _means(case, rows), "rows": rows}
                keep(name, found | besides)
                print(seed, way, rows[-1]["trained"], flush=True)


def _row(data: str, name: str, seed: int) -> dict[str, Any]:
    """A search, and its winner trained anew."""
    case = CASES[Path(data).name]
    way, space = case.ways[name], spaces.load(case.space)
    evaluator, began = (
        _training(data, case.epochs, running=way.kind == RUNNING),
        time.process_time(),
    )
    evaluator.descriptor_names = ()  # these searches are about stopping alone
    study = create_study(
        space, method=way.method, seed=seed, pruner="asha", direction=evaluator.direction
    )
    if way.kind == PUBLISHED:
        study.enqueue(written_in(space).values())
    study.optimize(evaluator, case.budget, epochs=case.budget)
    cost, winner = time.process_time() - began, study.best_architecture
    trained = _trained(data, case, winner)
    return {
        "way": name,
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


def _trained(data: str, case: Case, cell: Architecture) -> list[float]:
    """What a cell reaches, trained to the end with seeds of its own."""
    evaluator = _training(data, case.epochs, running=False)
    seeds = [derive_seed(77, "truth", cell.key, place) for place in range(case.trainings)]
    return [round(evaluator.evaluate(cell, seed).value, 2) for seed in seeds]


def _training(data: str, epochs: int, *, running: bool) -> Training:
    name = Path(data).name
    if name == "ptb":
        by = dataclasses.replace(TEXTS["text-small"], epochs=epochs, train_tokens=50_000)
        return TrainText(data, by, hidden=100, device="cpu")
    images = dataclasses.replace(RECIPES[name], epochs=epochs)
    if running:
        images = dataclasses.replace(images, statistics_batches=None)
    return Train(data_of(data), images, channels=8, cells=1, device="cpu")


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
