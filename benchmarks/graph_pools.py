"""Seconds to read a pool of synthetic graphs, and of `nao` for a suggestion in it.

    python -m benchmarks.graph_pools 12000 26000 50000 100000

Graphs of 6 to 12 operations of six kinds, each reading one or two vertices before it; what is
searched is how many of the first kind there are, plus noise. CPU seconds of one thread.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.record import RESULTS, keep
from naokit.bench import TableTask, run
from naokit.bench.task import table_of
from naokit.method.posterior import everything_of
from naokit.study import create_study

OPERATIONS = ("conv 3x3", "conv 1x1", "pool", "attention", "norm", "gelu")
EVALUATIONS = 100
METHODS = ("random", "evolution", "local-search", "nao")
NAME = "graph_pools"


def graph(generator: np.random.Generator) -> dict[str, dict[str, object]]:
    """A random graph of one input."""
    found: dict[str, dict[str, object]] = {"0": {"op": "input"}}
    unread = {"0"}
    for vertex in range(1, int(generator.integers(7, 14))):
        earlier = generator.choice(
            vertex, min(vertex, int(generator.integers(1, 3))), replace=False
        )
        reads = [str(source) for source in earlier]
        unread = unread - set(reads) | {str(vertex)}
        found[str(vertex)] = {"op": OPERATIONS[int(generator.integers(6))], "input": reads}
    return {**found, "output": {"op": "output", "input": sorted(unread)}}


def written(folder: Path, amount: int) -> TableTask:
    """A table of so many graphs."""
    generator = np.random.default_rng(0)
    path = folder / f"{amount}.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["graph", "value"])
        for _ in range(amount):
            found = graph(generator)
            value = sum(vertex["op"] == OPERATIONS[0] for vertex in found.values())
            rows.writerow([json.dumps(found), round(value + generator.normal(), 6)])
    return TableTask("graphs", (str(path),), "graph", "value")


def measured(task: TableTask) -> dict[str, float]:
    """CPU seconds to read the table, to look at all graphs, and of a suggestion of each method."""
    began = time.process_time()
    table = table_of(task)
    read = time.process_time()
    study = create_study(table.space, method="nao", seed=0, evaluations=EVALUATIONS)
    for number in range(3):  # the first that is scored comes after three random ones
        study.tell(study.ask().number, float(number))
    study.ask()
    looked = time.process_time()
    found = {"read": read - began, "first_suggestion": looked - read}
    for method in METHODS:
        searched = run(task, method, 1, EVALUATIONS)
        found[method] = searched.seconds / len(searched.values)
    whole = everything_of(table.space)
    return {
        **{name: round(seconds, 4) for name, seconds in found.items()},
        "graphs": len(set(table.values)),
        "features": 0 if whole is None else sum(block.shape[1] for block in whole.blocks),
        "peak_gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def main() -> None:
    """Measures each size that is asked for, and writes the record as it goes."""
    path = RESULTS / f"{NAME}.json"
    sizes = json.loads(path.read_text())["sizes"] if path.exists() else {}
    for amount in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as folder:
            sizes[str(amount)] = measured(written(Path(folder), amount))
        print(amount, sizes[str(amount)], flush=True)
        keep(NAME, {"evaluations": EVALUATIONS, "sizes": sizes})


if __name__ == "__main__":
    main()
