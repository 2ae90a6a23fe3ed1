"""Searches of two tables of graphs, NAS-Bench-NLP and the DARTS cells of NDS, by every method.

    python -m benchmarks.graph_search TABLE METHOD SEED [SEED ...]

Lower is better in both. The recurrent networks' signal is the validation perplexity; 2,724 of their
14,319 rows diverged, and each of these that is evaluated costs an evaluation. NDS has no validation
error: what is searched is the error on the test data. Each search is kept as it ends.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path
from typing import Any

from benchmarks.graph_tables import convert
from benchmarks.record import RESULTS, keep
from naokit.bench import TableTask, run
from naokit.bench.search import best_value, table_of

METRICS = {
    "nas-bench-nlp-ptb": "best_val_ppl",
    "nds-darts-imagenet-5-epochs": "min_test_top1_err",
}
EVALUATIONS = 300
MARKS = (50, 100, 200, 300)
NAME = "graph_search"


def found(task: TableTask, method: str, seed: int) -> dict[str, Any]:
    """The best value after so many evaluations, how many of these failed, and CPU seconds."""
    began = time.process_time()
    searched = run(task, method, seed, EVALUATIONS)
    values = [float("inf") if value is None else value for value in searched.values]
    best = list(accumulate(values, min))
    return {
        "best": {str(mark): best[min(mark, len(best)) - 1] for mark in MARKS},
        "evaluations": len(values),
        "failed": searched.values.count(None),
        "seconds_a_suggestion": round(searched.seconds / len(values), 4),
        "seconds": round(time.process_time() - began, 1),
    }


def main() -> None:
    """Searches a table with a method and some seeds, and adds to the record."""
    name, method, *seeds = sys.argv[1:]
    path = RESULTS / f"{NAME}.json"
    with tempfile.TemporaryDirectory() as folder:
        table = convert(name, Path(folder))
        task = TableTask("graphs", (str(table),), "graph", METRICS[name], direction="minimize")
        best = best_value(table_of(task))
        for seed in seeds:
            row = found(task, method, int(seed))
            tables = json.loads(path.read_text())["tables"] if path.exists() else {}
            record = tables.setdefault(name, {"metric": METRICS[name], "best": best, "methods": {}})
            record["methods"].setdefault(method, {})[seed] = row
            print(method, seed, row, flush=True)
            keep(NAME, {"tables": tables})


if __name__ == "__main__":
    main()
