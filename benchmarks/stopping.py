"""Searches on tables of learning curves, with evaluations that stop early and without, at one cost.

    OMP_NUM_THREADS=1 python -m benchmarks.stopping TABLES FOLDER [METHOD ...]

TABLES is the folder of `nas-bench-nlp-ptb.csv.gz` (recurrent networks that were trained on PTB for
50 epochs); its graphs are written to FOLDER. Each search may take as many epochs as 30 whole
trainings have. `results/stopping.json` holds where the best whole training that was found stands
among all of the table (1 is the best), by method and seed; what is there is not made again.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import optuna

from benchmarks.graph_tables import convert
from benchmarks.record import RESULTS, keep
from naokit.bench import TableTask, run
from naokit.bench.task import table_of

EPOCHS = (1, 2, 3, 5, 10, 15, 20, 30, 40, 50)
WHOLE = 30
METHODS = {
    "random": 60,
    "random+asha": 60,
    "random+median": 20,
    "random+hyperband": 20,
    "evolution": 20,
    "evolution+asha": 20,
    "nao": 20,
    "nao+asha": 40,
    "nao+median": 8,
    "nao+hyperband": 8,
}
"""The number of seeds of each method."""
NAME = "nas-bench-nlp-ptb"


def main() -> None:
    """Searches what is missing, method by method."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    task = known_curves(Path(sys.argv[2]))
    values = sorted(value for value in table_of(task).values.values() if math.isfinite(value))
    path = RESULTS / "stopping.json"
    rows: dict[str, list[dict[str, Any]]] = {}
    if path.exists():
        rows = {
            name: found["searches"] for name, found in json.loads(path.read_text())[NAME].items()
        }
    for method in sys.argv[3:] or METHODS:
        found = rows.setdefault(method, [])
        for seed in range(len(found), METHODS[method]):
            began = time.process_time()
            best = min(v for v in run(task, method, seed, WHOLE).values if v is not None)
            place = sum(value < best for value in values) + 1
            seconds = round(time.process_time() - began, 1)
            found.append({"value": best, "place": place, "seconds": seconds})
            keep("stopping", {"whole_trainings": WHOLE, NAME: _summary(rows)})
            print(seed, method, place, flush=True)


def known_curves(folder: Path, epochs: int = EPOCHS[-1], also: tuple[str, ...] = ()) -> TableTask:
    """The table as if nobody had trained for longer; its graphs are written to the folder."""
    graphs = folder / f"{NAME}-graphs.csv.gz"
    if not graphs.exists():
        convert(NAME, folder)
    return TableTask(
        "graphs",
        (str(graphs),),
        "graph",
        loss_after(epochs),
        class_column="canonical_hash",
        direction="minimize",
        also=also,
        curve_columns=tuple(loss_after(epoch) for epoch in EPOCHS if epoch <= epochs),
    )


def loss_after(epochs: int) -> str:
    """The column of the loss after so many epochs."""
    return f"val_loss_ep{epochs}"


def _summary(rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The median place, the mean value and its standard error, by method."""
    found = {}
    for method, searches in rows.items():
        values = [one["value"] for one in searches]
        error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
        found[method] = {
            "median_place": statistics.median(one["place"] for one in searches),
            "mean_value": statistics.fmean(values),
            "standard_error": error,
            "searches": searches,
        }
    return found


if __name__ == "__main__":
    main()
