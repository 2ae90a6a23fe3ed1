"""`nao` against random search where nothing is tabulated: conv-small, trained on real digits.

    python -m benchmarks.cells

Each search trains 40 networks (recipe `quick`, F=8, N=1), then the best five twice more. What
counts is how good the networks of the second half are, and eight more trainings of the best, which
did not choose it. Three seeds. Runs are kept in `runs/cells` and continue after a stop.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import optuna
import torch

from benchmarks.record import write
from naokit import runs
from naokit.base import derive_seed
from naokit.evaluators import Train
from naokit.spaces import ConvCells

SEEDS, EVALUATIONS, BEST, TIMES, METHODS = 3, 40, 5, 3, ("nao", "random")
AGAIN = 8
"""Fresh trainings of each winner."""
OUT = Path(__file__).parents[1] / "runs" / "cells"


def main() -> None:
    """Every method and seed."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    evaluator = Train("digits", "quick", channels=8, cells=1, device="cpu")
    found: dict[str, list[dict[str, object]]] = {method: [] for method in METHODS}
    for seed in range(SEEDS):
        for method in METHODS:
            print(method, seed)
            study = runs.search(
                ConvCells.small(),
                evaluator,
                storage=f"sqlite:///{OUT}/{method}-{seed}.db",
                method=method,
                seed=seed,
                evaluations=EVALUATIONS,
                repeat=BEST,
                times=TIMES,
                on_trial=lambda _, t: print(t.number, t.value, t.origin, flush=True),
            )
            once = [t.value for t in study.trials[:EVALUATIONS]]
            best = study.best
            seeds = [derive_seed(seed, "again", number) for number in range(AGAIN)]
            again = [evaluator.evaluate(best.architecture, other).value for other in seeds]
            found[method].append(
                {
                    "seed": seed,
                    "values": once,
                    "origins": [t.origin for t in study.trials[:EVALUATIONS]],
                    "mean_of_second_half": statistics.fmean(
                        v for v in once[EVALUATIONS // 2 :] if v is not None
                    ),
                    "best": str(best.architecture),
                    "again": again,
                    "best_again": statistics.fmean(again),
                    "seconds_per_evaluation": statistics.median(t.seconds for t in study.trials),
                }
            )
    write("cells", {"evaluations": EVALUATIONS, "metric": evaluator.metric, "searches": found})


if __name__ == "__main__":
    main()
