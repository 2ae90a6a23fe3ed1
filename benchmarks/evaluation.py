"""Seconds and accuracy of one evaluation by the recipes that are this project's own.

    OMP_NUM_THREADS=1 python -m benchmarks.evaluation [path/to/cifar10]

Three random cells of `conv-small` each (N=1): `quick` (F=8) and `quick-final` (F=16) on the digits,
`small` (F=8) on CIFAR-10 where it is given. CPU seconds are those of the process; where the clock
took much longer, the machine was busy.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from typing import Any

import numpy as np
import torch

from benchmarks.record import write
from naokit.evaluators import Train
from naokit.spaces import ConvCells

ARCHITECTURES = 3
SPACE = ConvCells.small()


def measured(evaluator: Train) -> dict[str, Any]:
    """The cost and the scores of three evaluations, without the time to read the data."""
    generator = np.random.default_rng(0)
    _ = evaluator.subject.data
    rows: list[dict[str, Any]] = []
    for seed in range(ARCHITECTURES):
        architecture = SPACE.sample(generator)
        clock, processor = time.monotonic(), time.process_time()
        result = evaluator.evaluate(architecture, seed)
        row = {
            "architecture": str(architecture),
            "parameters": int(result.metrics["parameters"]),
            "validation_accuracy": result.value,
            "cpu_seconds": time.process_time() - processor,
            "seconds": time.monotonic() - clock,
        }
        print(evaluator.recipe.name, row, flush=True)
        rows.append(row)
    return {
        **evaluator.subject.size(),
        "recipe": evaluator.recipe.to_json(),
        "median_cpu_seconds": statistics.median(row["cpu_seconds"] for row in rows),
        "median_seconds": statistics.median(row["seconds"] for row in rows),
        "evaluations": rows,
    }


def main() -> None:
    """Measures each recipe on one thread."""
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    evaluators = [
        Train("digits", "quick", channels=8, cells=1),
        Train("digits", "quick-final", channels=16, cells=1),
        *(Train(path, "small", channels=8, cells=1) for path in sys.argv[1:]),
    ]
    found = {evaluator.recipe.name: measured(evaluator) for evaluator in evaluators}
    write("evaluation", {"threads": 1, "load_before": load, "recipes": found})


if __name__ == "__main__":
    main()
