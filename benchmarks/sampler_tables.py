"""`NAOSampler` against Optuna's own samplers on tables of hyperparameters, seeds alike.

    python -m benchmarks.sampler_tables FOLDER-OF-TABLES [TRIALS]

An objective as users write it: two activations and a schedule are categorical, the six numbers are
places in their sorted values (`suggest_int`). The value is the validation loss of one seed (lower
is better). A repeated setting costs a trial, as it does in a study. Every sampler has its defaults.
Optuna's Gaussian process is left out: 200 trials of it take several minutes.
"""

from __future__ import annotations

import csv
import gzip
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import torch

from benchmarks.optuna_sampler import SAMPLERS
from benchmarks.record import keep

TABLES, VALUE = ("hpo-protein", "hpo-naval"), "val_loss1"
NAMED = ("activation_fn_1", "activation_fn_2", "lr_schedule")
NUMBERS = ("batch_size", "dropout_1", "dropout_2", "init_lr", "n_units_1", "n_units_2")
SEEDS = {"random": 10, "tpe": 10, "nao": 10}
MARKS = (25, 50, 100, 200)


class Table:
    """A table of settings and their losses."""

    def __init__(self, path: Path) -> None:
        with gzip.open(path, "rt") as file:
            rows = list(csv.DictReader(file))
        self.names = {name: sorted({row[name] for row in rows}) for name in NAMED}
        self.values = {name: sorted({row[name] for row in rows}, key=float) for name in NUMBERS}
        self.losses = {tuple(row[n] for n in NAMED + NUMBERS): float(row[VALUE]) for row in rows}

    def __call__(self, trial: optuna.Trial) -> float:
        """The loss of the setting that a trial asks for."""
        named = [trial.suggest_categorical(name, self.names[name]) for name in NAMED]
        places = {name: trial.suggest_int(name, 0, len(self.values[name]) - 1) for name in NUMBERS}
        numbers = [self.values[name][place] for name, place in places.items()]
        return self.losses[tuple(named + numbers)]


def main() -> None:
    """Measures both tables, and keeps what was found sampler by sampler."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    trials = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    found: dict[str, dict[str, Any]] = {}
    for name in TABLES:
        table = Table(Path(sys.argv[1]) / f"{name}.csv.gz")
        found[name] = {"best": min(table.losses.values())}
        for sampler in SEEDS:
            found[name][sampler] = measured(table, sampler, trials)
            print(name, sampler, found[name][sampler], flush=True)
            keep("sampler_tables", {"trials": trials, "tables": found})


def measured(table: Table, sampler: str, trials: int) -> Mapping[str, Any]:
    """The best loss after so many trials, mean over the seeds, and in how many runs the best."""
    runs, began = [], time.process_time()
    for seed in range(SEEDS[sampler]):
        study = optuna.create_study(sampler=SAMPLERS[sampler](seed))
        study.optimize(table, trials)
        runs.append([trial.value or 0.0 for trial in study.trials])
    least = min(table.losses.values())
    return {
        "seeds": len(runs),
        "loss_at": {
            str(mark): statistics.fmean(min(run[:mark]) for run in runs)
            for mark in MARKS
            if mark <= trials
        },
        "trials_to_best": [run.index(least) + 1 if least in run else None for run in runs],
        "cpu_seconds_a_trial": (time.process_time() - began) / len(runs) / trials,
    }


if __name__ == "__main__":
    main()
