"""`nao` against random search where nothing is tabulated: conv-small, trained on real digits.

    python -m benchmarks.cells
    python -m benchmarks.cells steady

Each search trains 40 networks (recipe `quick`, F=8, N=1), then the best five twice more. What
counts is how good the networks of the second half are, and eight more trainings of the best, which
did not choose it. Three seeds. Runs are kept in `runs/cells` and continue after a stop.

`steady` is the same by a recipe of smaller batches and steps: two trainings of one cell differ half
as much (`noise` in its results, of 16 cells trained three times), for half as much time again.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
from pathlib import Path

import numpy as np
import optuna
import torch

from benchmarks.record import write
from naokit.base import derive_seed
from naokit.evaluators import Train
from naokit.images.recipes import ImageRecipe, recipe
from naokit.runs.studies import search_study
from naokit.spaces import ConvCells

SEEDS, EVALUATIONS, BEST, TIMES, METHODS = 3, 40, 5, 3, ("nao", "random")
AGAIN = 8
"""How often each winner is trained anew."""
OUT = Path(__file__).parents[1] / "runs" / "cells"
QUICK = recipe("quick")
RECIPES = {
    "cells": QUICK,
    "cells-steady": dataclasses.replace(QUICK, name="steady", batch=32, learning_rate=0.025),
}
NOISE_CELLS, NOISE_TIMES = 16, 3


def main() -> None:
    """Runs every method and seed."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    name = "-".join(["cells", *sys.argv[1:]])
    evaluator = trained_by(RECIPES[name])
    found: dict[str, list[dict[str, object]]] = {method: [] for method in METHODS}
    for seed in range(SEEDS):
        for method in METHODS:
            print(method, seed)
            study = search_study(
                ConvCells.small(),
                evaluator,
                storage=f"sqlite:///{OUT.with_name(name)}/{method}-{seed}.db",
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
    write(
        name.replace("-", "_"),
        {
            "evaluations": EVALUATIONS,
            "metric": evaluator.metric,
            "recipe": evaluator.recipe.to_json(),
            "noise": {used.name: noise(trained_by(used)) for used in RECIPES.values()},
            "searches": found,
        },
    )


def trained_by(used: ImageRecipe) -> Train:
    """The evaluator that trains by a recipe."""
    return Train("digits", used, channels=8, cells=1, device="cpu")


def noise(evaluator: Train) -> dict[str, float]:
    """The deviation of evaluations of one cell, and that of the cells' means without the noise."""
    generator = np.random.default_rng(778)
    cells = [ConvCells.small().sample(generator) for _ in range(NOISE_CELLS)]
    values = np.array(
        [
            [evaluator.evaluate(c, derive_seed(0, "n", c.key, k)).value for k in range(NOISE_TIMES)]
            for c in cells
        ]
    )
    within = values.var(axis=1, ddof=1).mean()
    between = values.mean(axis=1).var(ddof=1) - within / NOISE_TIMES
    return {"within": float(within**0.5), "between": float(max(between, 0.0) ** 0.5)}


if __name__ == "__main__":
    main()
