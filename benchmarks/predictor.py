"""How well the model ranks and reconstructs architectures that it was never trained on.

    python -m benchmarks.predictor path/to/nas-bench-201-cifar10.csv.gz

NAS-Bench-201, CIFAR-10 validation accuracy, 100, 300 and 600 known results, 5 seeds, 1,000 unseen
architectures each, none of which computes the same as a known one.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

import numpy as np
import torch

from benchmarks.record import write
from naokit.evaluators import Tabular
from naokit.method.fit import FitSettings, fit, quality
from naokit.method.model import ModelSettings
from naokit.spaces import NasBench201

SEEDS, UNSEEN = 5, 1000


def measure(tokens: np.ndarray, values: np.ndarray, known: int, seed: int) -> dict[str, float]:
    """The quality of one fit."""
    order = np.random.default_rng(seed).permutation(len(tokens))
    trained, unseen = order[:known], order[known : known + UNSEEN]
    began = time.process_time()
    fitted = fit(
        NasBench201().grammar,
        tokens[trained],
        values[trained],
        model_settings=ModelSettings(),
        settings=FitSettings(),
        seed=seed,
    )
    seconds = time.process_time() - began
    rows = torch.as_tensor(tokens[unseen])
    found = quality(fitted.model, rows, torch.as_tensor(values[unseen], dtype=torch.float32))
    exact = (fitted.model.improve(rows, 0.0) == rows).all(dim=1).float().mean()
    return {
        "pairwise_accuracy": found.pairwise_accuracy,
        "kendall_tau": 2 * found.pairwise_accuracy - 1,  # tau-a; ties are left out of both
        "exact_reconstruction": float(exact),
        "cpu_seconds": seconds,
        "updates": fitted.updates,
    }


def main() -> None:
    """Measures every size and seed."""
    torch.set_num_threads(1)
    evaluator = Tabular(
        NasBench201(), sys.argv[1], architecture_column="arch", metric="c10_val_200"
    )
    first: dict[str, tuple[int, ...]] = {}
    for choices, key in evaluator.space.classes.items():
        first.setdefault(key, choices)
    tokens = np.array([NasBench201().grammar.tokens(choices) for choices in first.values()])
    values = np.array([evaluator.values[key] for key in first])
    results: dict[str, Any] = {}
    for known in (100, 300, 600):
        runs = [measure(tokens, values, known, seed) for seed in range(SEEDS)]
        results[str(known)] = {
            name: {
                "mean": statistics.fmean(run[name] for run in runs),
                "sd": statistics.stdev(run[name] for run in runs),
            }
            for name in runs[0]
        }
        print(known, results[str(known)], flush=True)
    write("predictor", {"seeds": SEEDS, "unseen": UNSEEN, "known": results})


if __name__ == "__main__":
    main()
