"""The scores of a shared NAS-Bench-201 network against the table, and what they cost.

    OMP_NUM_THREADS=1 python -m benchmarks.ranking CIFAR10 TABLE.csv [TRY-SEED ...]

Each run trains one shared network on CIFAR-10 at 16 x 16 and scores 1,000 random cells on the same
1,000 held-out images. The truth is the mean validation accuracy of the table after 200 epochs at
full size. `tau` is Kendall's tau-b, `rho` Spearman's; `best` is within the best tenth of the cells
by the truth. `curve` has the same for the first 300 cells and 250 images while the network learns.
`by_parameters` and `by_convolutions` rank the cells by what is counted, without any training.

Runs that `results/ranking.json` holds are not made again.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import log_softmax
from scipy.stats import kendalltau, rankdata, spearmanr
from torch import nn

from benchmarks.record import RESULTS, provenance
from naokit.base import derive_seed
from naokit.evaluators import Tabular
from naokit.files import write_whole
from naokit.images.data import ImageData, Split
from naokit.images.recipes import ImageRecipe
from naokit.images.scoring import ImageScorer
from naokit.images.subject import ImageSubject
from naokit.networks import count_parameters, without_weights
from naokit.settings import ImageSettings
from naokit.space import Architecture
from naokit.spaces import NasBench201
from naokit.spaces.edge_cells import EDGES
from naokit.training.device import make_fabric, seeded
from naokit.training.loop import train
from naokit.training.normalising import batch_statistics
from naokit.training.sharing import (
    Fair,
    Largest,
    Sampling,
    SharedTask,
    Uniform,
    Weighted,
    as_sampled,
)

SPACE = NasBench201()
CELLS, CURVE, FEW, EXAMPLES = 1000, 300, 250, 1000
OUT = Path(__file__).parents[1] / "runs" / "ranking"
RECORD = RESULTS / "ranking.json"
RECIPE = ImageRecipe("ranking", epochs=6, batch=64, learning_rate=0.05, crop_padding=2)


@dataclass(frozen=True)
class Try:
    """One way to train a shared network.

    Attributes:
        policies: Which cells the updates train, in each third of the epochs.
        channels: The channels of the first stage.
        depth: The cells of a stage.
        changes: What differs from `RECIPE`.
    """

    policies: tuple[str, str, str]
    channels: int = 8
    depth: int = 1
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def recipe(self) -> ImageRecipe:
        """The recipe of the shared network."""
        return dataclasses.replace(RECIPE, **self.changes)


TRIES = {
    "uniform": Try(("uniform",) * 3),
    "parameters": Try(("parameters",) * 3),
    "fair": Try(("fair",) * 3),
    "largest": Try(("largest",) * 3),
    "largest-deep": Try(("largest",) * 3, depth=2, changes={"epochs": 4}),
    "largest-first": Try(("largest", "largest", "uniform")),
    "uniform-long": Try(("uniform",) * 3, changes={"epochs": 60}),
}


def main() -> None:
    """Makes the runs that are asked for and not there yet."""
    torch.set_num_threads(1)
    data, cells = halved(ImageSubject(sys.argv[1], 8, 1).data), sampled_cells()
    table = Tabular(SPACE, sys.argv[2], architecture_column="arch", metric="c10_val_200")
    true = np.array([table.evaluate(cell, 0).value for cell in cells])
    for name, seed in planned(sys.argv[3:]):
        rows = json.loads(RECORD.read_text())["rows"] if RECORD.exists() else []
        if any((row["try"], row["seed"]) == (name, seed) for row in rows):
            continue
        found = run(TRIES[name], seed, data, cells, true, OUT / f"{name}-{seed}")
        record([*rows, {"try": name, "seed": seed, **found, **provenance()}], cells, true)


def planned(asked: Sequence[str]) -> list[tuple[str, int]]:
    """The runs that are asked for, as TRY-SEED each; else every try with both seeds."""
    if not asked:
        return [(name, seed) for seed in (0, 1) for name in TRIES]
    parts = [text.rpartition("-") for text in asked]
    return [(name, int(seed)) for name, _, seed in parts]


def record(rows: Sequence[Any], cells: Sequence[Architecture], true: np.ndarray) -> None:
    """Writes what there is so far."""
    convolutions = [sum("conv" in name for name in SPACE.plan(cell)) for cell in cells]
    figures = {
        "cells": CELLS,
        "without_a_path": sum(not connected(cell) for cell in cells),
        "by_parameters": agreement(sizes(cells), true),
        "by_convolutions": agreement(np.array(convolutions), true),
        "rows": rows,
    }
    write_whole(RECORD, json.dumps(figures, indent=2) + "\n")


def sampled_cells() -> list[Architecture]:
    """Different random cells, the same in every run."""
    generator = np.random.default_rng(201)
    found: dict[tuple[int, ...], Architecture] = {}
    while len(found) < CELLS:
        cell = SPACE.sample(generator)
        found.setdefault(cell.choices, cell)
    return list(found.values())


def connected(cell: Architecture) -> bool:
    """Whether a path leads from the input to the output."""
    reached = {0}
    by_target = sorted(zip(SPACE.plan(cell), EDGES, strict=True), key=lambda edge: edge[1][1])
    for name, (source, target) in by_target:
        if name != "none" and source in reached:
            reached.add(target)
    return 3 in reached


def sizes(cells: Sequence[Architecture]) -> np.ndarray:
    """The parameters of each cell's own network, of one size: it does not alter the order."""
    return np.array([size(cell) for cell in cells])


@cache
def size(cell: Architecture) -> int:
    """The parameters of the network of a cell, of the base size."""
    with without_weights():
        return count_parameters(SPACE.build(cell, ImageSettings(10, 8, 1, (3, 16, 16))))


def halved(data: ImageData) -> ImageData:
    """The images at half their size: each pixel the mean of four."""
    train, validation, test = map(_half, (data.train, data.validation, data.test))
    return dataclasses.replace(data, train=train, validation=validation, test=test)


def _half(split: Any) -> Split:
    count, channels, height, width = split.images.shape
    fours = split.images.reshape(count, channels, height // 2, 2, width // 2, 2)
    return Split(fours.mean((3, 5)).round().astype(np.uint8), split.labels)


def run(
    tried: Try,
    seed: int,
    data: ImageData,
    cells: Sequence[Architecture],
    true: np.ndarray,
    folder: Path,
) -> dict[str, Any]:
    """Trains and scores."""
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was stopped: its clock is not known
    subject, fabric = ImageSubject(data, tried.channels, tried.depth), make_fabric("cpu")
    with seeded(derive_seed(seed, "weights")):
        network = SPACE.build_shared(subject.settings(tried.recipe))
    scorer, few = subject.scorer(fabric, EXAMPLES), subject.scorer(fabric, FEW)
    curve: list[dict[str, Any]] = []
    training = 0.0
    for third, policy in enumerate(tried.policies, 1):
        began, until = time.process_time(), tried.recipe.epochs * third // 3
        of_data = subject.task(tried.recipe, fabric)
        task = SharedTask(of_data, SPACE, sampling_of(policy, cells))
        train(network, task, seed=seed, fabric=fabric, until=until, checkpoint=folder / "supernet")
        training += time.process_time() - began
        curve.append({"epochs": until, "cpu_seconds": round(training, 1)})
        curve[-1] |= scored(network, cells[:CURVE], few, true[:CURVE])
        print(folder.name, json.dumps(curve[-1]), flush=True)
    began = time.process_time()
    scores = scored(network, cells, scorer, true)
    scoring = time.process_time() - began
    return {
        **dataclasses.asdict(tried),
        "recipe": tried.recipe.to_json(),
        "updates": of_data.most_steps * tried.recipe.epochs,
        "train_cpu_seconds": round(training, 1),
        "score_cpu_seconds": round(scoring, 1),
        "images": EXAMPLES,
        "scores": scores,
        "curve": curve,
    }


def sampling_of(policy: str, cells: Sequence[Architecture]) -> Sampling:
    """The sampling of a policy."""
    if policy == "fair":
        return Fair(SPACE)
    if policy == "uniform":
        return Uniform(cells)
    weights = sizes(cells).tolist()
    if policy == "parameters":
        return Weighted(cells, weights)
    return Largest(cells, weights)


def scored(
    network: nn.Module, cells: Sequence[Architecture], scorer: ImageScorer, true: np.ndarray
) -> dict[str, Any]:
    """How well the scores of a network rank."""
    labels = torch.cat([labels for _, labels in scorer.batches]).numpy()
    return agreements(logits_of(network, cells, scorer), labels, cells, true)


@torch.no_grad()
def logits_of(network: nn.Module, cells: Sequence[Architecture], scorer: ImageScorer) -> np.ndarray:
    """What each cell says to each image (cells, images, classes)."""
    found = []
    with batch_statistics(network):
        for cell in cells:
            sampled = as_sampled(network, SPACE.plan(cell))
            found.append(torch.cat([sampled(images) for images, _ in scorer.batches]).numpy())
    return np.stack(found)


def agreements(
    logits: np.ndarray, labels: np.ndarray, cells: Sequence[Architecture], true: np.ndarray
) -> dict[str, dict[str, float]]:
    """How well cells are ranked by accuracy, by cross-entropy, by both and with their size."""
    likelihood = np.take_along_axis(log_softmax(logits, axis=2), labels[None, :, None], axis=2)
    accuracy = rankdata((logits.argmax(axis=2) == labels).mean(axis=1))
    loss, size = rankdata(likelihood.mean(axis=(1, 2))), rankdata(sizes(cells))
    scores = {
        "accuracy": accuracy,
        "loss": loss,
        "accuracy and loss": accuracy + loss,
        "accuracy, loss and parameters": (accuracy + loss) / 2 + size,
    }
    return {name: agreement(values, true) for name, values in scores.items()}


def agreement(scores: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Rank correlations with the truth, of all cells and of the best tenth."""
    best = np.argsort(-true, kind="stable")[: len(true) // 10]
    return {
        "tau": _rounded(kendalltau(scores, true)),
        "rho": _rounded(spearmanr(scores, true)),
        "best_tau": _rounded(kendalltau(scores[best], true[best])),
        "best_rho": _rounded(spearmanr(scores[best], true[best])),
    }


def _rounded(found: Any) -> float:
    return round(float(found.statistic), 4)


if __name__ == "__main__":
    main()
