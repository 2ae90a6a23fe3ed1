"""Are short trainings ranked better where statistics are taken anew before each measure?

    OMP_NUM_THREADS=1 python -m benchmarks.statistics_taken DATA [CELLS]

DATA is `digits`, `few-digits` (200 of them) or the path of CIFAR-10. Random cells of conv-small
(F=8, N=1) are trained twice, on the digits by `quick-search`, on few of them for 15 epochs in
batches of 32, on CIFAR-10 by `small`. After each epoch one network is measured
both ways: by the running statistics of batch normalisation, and by those of four batches taken
anew. `results/statistics_taken.json` has for each way and epoch the mean accuracy, and Spearman's
correlation of the two trainings, with how the same training ended, and with how the other one did;
and what taking statistics costs of an epoch in CPU time. A training takes about 8 CPU seconds on
the digits and two minutes on CIFAR-10; what is there is not made again.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

from benchmarks.record import RESULTS, keep
from naokit.base import derive_seed
from naokit.images.recipes import recipe
from naokit.images.subject import ImageSubject
from naokit.images.task import ImageTask
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.training.device import make_fabric
from naokit.training.loop import train

NAME, TIMES = "statistics_taken", 2
RECIPES = {
    "digits": recipe("quick-search"),
    "few-digits": dataclasses.replace(
        recipe("quick-final", 15), name="few-digits", batch=32, train_images=200
    ),
    "cifar10": recipe("small"),
}
WAYS = ("running", "taken")


def data_of(name: str) -> str:
    """What naokit reads, few of it or all."""
    return "digits" if name == "few-digits" else name


class BothWays:
    """Measures a task's networks both ways; what is trained stays as it was.

    Attributes:
        curves: The accuracies by way.
        seconds: The CPU seconds that taking statistics needed.
    """

    def __init__(self, plain: ImageTask, taking: ImageTask) -> None:
        self.curves: dict[str, list[float]] = {way: [] for way in WAYS}
        self.seconds = 0.0
        self._plain, self._taking = plain.measure, taking.measure

    def measure(self, network: nn.Module) -> float:
        """The accuracy by the running statistics, in percent."""
        began = time.process_time()
        running = self._plain(network)
        between = time.process_time()
        kept = {name: buffer.clone() for name, buffer in network.named_buffers()}
        taken = self._taking(network)
        self.seconds += (time.process_time() - between) - (between - began)
        for name, buffer in network.named_buffers():
            buffer.copy_(kept[name])
        for way, value in zip(WAYS, (running, taken), strict=True):
            self.curves[way].append(round(value, 2))
        return running


def main() -> None:
    """Trains what is missing, cell by cell."""
    torch.set_num_threads(1)
    data, amount = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 24
    name, path = Path(data).name, RESULTS / f"{NAME}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    rows: list[list[dict[str, Any]]] = found.get(name, {}).get("cells", [])
    generator = np.random.default_rng(777)
    cells = [ConvCells.small().sample(generator) for _ in range(amount)]
    for cell in cells[len(rows) :]:
        rows.append([_training(data, cell, turn) for turn in range(TIMES)])
        keep(NAME, found | {name: _summary(rows) | {"cells": rows}})
        print(len(rows), rows[-1][0], flush=True)


def _training(data: str, cell: Architecture, turn: int) -> dict[str, Any]:
    taking = RECIPES[Path(data).name]
    plain = dataclasses.replace(taking, statistics_batches=None)
    subject = ImageSubject(data_of(data), 8, 1)
    seed, fabric = derive_seed(0, NAME, cell.key, turn), make_fabric("cpu")
    began = time.process_time()
    task = subject.task(plain, fabric)
    both = BothWays(task, subject.task(taking, fabric))
    task.measure = both.measure  # type: ignore[method-assign]
    network = subject.network(cell, plain, seed)
    train(network, task, seed=seed, fabric=fabric)
    whole = time.process_time() - began - both.seconds
    return {**both.curves, "cpu_seconds": round(whole, 2), "taking": round(both.seconds, 2)}


def _summary(rows: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """The mean of every epoch, and how well it ranks, by way."""
    ends = np.array([[turn["taken"][-1] for turn in cell] for cell in rows])  # (cells, turns)
    found: dict[str, Any] = {"trainings": ends.size}
    for way in WAYS:
        curves = np.array([[turn[way] for turn in cell] for cell in rows])  # (cells, turns, epochs)
        epochs = np.moveaxis(curves, 2, 0)
        found[way] = {
            "mean": [round(float(value), 1) for value in curves.mean((0, 1))],
            "two_trainings": [_ranks(values[:, :1], values[:, 1:]) for values in epochs],
            "own_end": [_ranks(values, ends) for values in epochs],
            "other_end": [_ranks(values, ends[:, ::-1]) for values in epochs],
        }
    spent = [(turn["taking"], turn["cpu_seconds"]) for cell in rows for turn in cell]
    found["share_of_the_cost"] = round(sum(t for t, _ in spent) / sum(s for _, s in spent), 3)
    return found


def _ranks(values: np.ndarray, ends: np.ndarray) -> float | None:
    """Spearman's correlation over all trainings."""
    if len(values) < 4:
        return None
    return round(float(spearmanr(values.ravel(), ends.ravel()).statistic), 2)


if __name__ == "__main__":
    main()
