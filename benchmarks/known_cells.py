"""Random cells of conv-small trained on the digits: their noise, and the predictions of `nao`.

    python -m benchmarks.known_cells

Trains what `results/known_cells.json` does not hold yet (about 3 s a training, 500 cells, the first
50 of each 100 twice), then splits them at random: the model sees the first evaluation of some and
ranks the others. Its rank correlation is with one evaluation, so that two evaluations of one cell
are a bound of sorts.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.record import RESULTS, write
from naokit.base import derive_seed
from naokit.evaluators import Train
from naokit.method.features import FeatureBlocks
from naokit.method.posterior import Posterior, features_of
from naokit.method.surrogate import one_blas_thread, rank_gauss
from naokit.space import Architecture
from naokit.spaces import ConvCells

CELLS, GROUP, TWICE, SPLITS = 500, 100, 50, 40
KNOWN = (12, 24, 48, 100, 200)
NAME = "known_cells"


def main() -> None:
    """Trains, ranks and writes the record."""
    torch.set_num_threads(1)
    space = ConvCells.small()
    generator = np.random.default_rng(12345)
    cells = [space.sample(generator) for _ in range(CELLS)]
    path = RESULTS / f"{NAME}.json"
    values = json.loads(path.read_text())["values"] if path.exists() else [[] for _ in cells]
    evaluator = Train("digits", "quick", channels=8, cells=1, device="cpu")
    for number, (cell, found) in enumerate(zip(cells, values, strict=True)):
        for repeat in range(len(found), 2 if number % GROUP < TWICE else 1):
            seed = derive_seed(0, "evaluation", cell.key, repeat)
            found.append(round(evaluator.evaluate(cell, seed).value, 3))
            print(number, found, flush=True)
    write(NAME, {"metric": evaluator.metric, **summary(cells, values), "values": values})


def summary(cells: list[Architecture], values: list[list[float]]) -> dict[str, object]:
    """The rank correlation of two evaluations, and of the model with evaluations."""
    once = np.array([found[0] for found in values])
    pairs = np.array([found for found in values if len(found) == 2])
    return {
        "mean": once.mean(),
        "deviation": once.std(),
        "best": once.max(),
        "repeat_deviation": float(np.std(pairs[:, 0] - pairs[:, 1]) / 2**0.5),
        "repeat_correlation": float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic),
        "model_correlation": {str(known): predicted(cells, once, known) for known in KNOWN},
    }


def predicted(cells: list[Architecture], values: np.ndarray, known: int) -> dict[str, float]:
    """The rank correlation of the model's mean with the values of cells it did not see."""
    found = correlations(features_of(cells[0].space), cells, values, known)
    return {
        "mean": statistics.fmean(found),
        "standard_error": statistics.stdev(found) / SPLITS**0.5,
    }


def correlations(
    features: FeatureBlocks, cells: Sequence[Architecture], values: np.ndarray, known: int
) -> list[float]:
    """The same for each way to split the cells into known ones and others."""
    generator = np.random.default_rng(known)
    found = []
    for _ in range(SPLITS):
        order = generator.permutation(len(cells))
        seen, unseen = order[:known], order[known:]
        targets = rank_gauss(values[seen])
        with one_blas_thread():
            posterior = Posterior(features, None, [cells[place] for place in seen], targets)
            mean, _ = posterior.predict([cells[place] for place in unseen], targets)
        found.append(float(spearmanr(mean, values[unseen]).statistic))
    return found


if __name__ == "__main__":
    main()
