"""Compares methods on a table of known results, at several budgets.

    python -m benchmarks.table_search path/to/nas-bench-201-cifar10.csv.gz

NAS-Bench-201, best CIFAR-10 validation accuracy found (200 epochs, mean of the table's seeds) and
the test accuracy of that architecture. `unique_str` says what is distinct. Each budget is a search
of its own, because `nao-2018` divides its budget.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

import optuna
import torch

from benchmarks.record import write
from naokit.evaluators import Tabular
from naokit.spaces import NasBench201
from naokit.study import create_study

SEEDS, BUDGETS, METHODS = 20, (100, 200, 500), ("random", "evolution", "nao-2018")


def main() -> None:
    """Runs every method, budget and seed."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    validation, test = (table(metric) for metric in ("c10_val_200", "c10_test_200"))
    results: dict[str, Any] = {}
    for budget in BUDGETS:
        for method in METHODS:
            began = time.process_time()
            found, tested, decoded = [], [], 0
            for seed in range(SEEDS):
                study = create_study(validation.space, method=method, seed=seed)
                study.optimize(validation, budget)
                found.append(study.best_value)
                tested.append(test.values[study.best_architecture.key])
                decoded += sum(t.origin.startswith("latent") for t in study.trials)
            results.setdefault(str(budget), {})[method] = {
                "validation": spread(found),
                "test": spread(tested),
                "values": found,
                "decoded_share": decoded / (SEEDS * budget),
                "cpu_seconds_per_evaluation": (time.process_time() - began) / (SEEDS * budget),
            }
            print(budget, method, results[str(budget)][method]["validation"], flush=True)
        ours, other = (results[str(budget)][m]["values"] for m in ("nao-2018", "random"))
        difference = [a - b for a, b in zip(ours, other, strict=True)]
        results[str(budget)]["nao-2018 minus random"] = spread(difference)
    write("table_search", {"seeds": SEEDS, "budgets": results})


def table(metric: str) -> Tabular:
    """The table, scored by one of its columns."""
    return Tabular(
        NasBench201(),
        sys.argv[1],
        architecture_column="arch",
        metric=metric,
        class_column="unique_str",
    )


def spread(values: list[float]) -> dict[str, float]:
    """The mean, the standard deviation and half a 95 % interval of the mean."""
    deviation = statistics.stdev(values)
    return {
        "mean": statistics.fmean(values),
        "sd": deviation,
        "interval_95": 2.093 * deviation / len(values) ** 0.5,  # Student's t, 19 degrees of freedom
    }


if __name__ == "__main__":
    main()
