"""A table of whole trainings on the digits, on which searches that stop early are replayed.

    python -m benchmarks.learning_curves [CELLS]

Cells of conv-small, the first of those in `known_cells`, are trained by `quick-final` at F=8 for 25
epochs; every third with a second seed, every sixth also by the final recipe of a search (F=16, 30
epochs). `results/learning_curves.csv` holds the validation accuracy of every epoch, and the test
accuracy after the final recipe. What is there already is not made again: about 30 s a training, one
minute by the final recipe.
"""

from __future__ import annotations

import csv
import dataclasses
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.record import RESULTS
from naokit.base import derive_seed
from naokit.files import write_whole
from naokit.images import recipes
from naokit.images.subject import ImageSubject
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.training.device import make_fabric
from naokit.training.loop import Epoch, train

EPOCHS = 25
LONGEST = dataclasses.replace(recipes.recipe("quick-final"), statistics_batches=None)
"""The final recipe of a search, measured by running statistics as the first rows were."""
RECIPE = recipes.recipe(LONGEST, EPOCHS)
TABLE = RESULTS / "learning_curves.csv"
COLUMNS = (
    "architecture",
    *(f"epoch_{number}" for number in range(1, EPOCHS + 1)),
    *(f"again_{number}" for number in range(1, EPOCHS + 1)),
    "seconds",
    "final",
)
BLOCK, AGAIN, FINAL = 30, 3, 6
"""Cells are taken by the block; of how many one is trained again, and one by the final recipe."""

Row = dict[str, str]


def main() -> None:
    """Trains what is missing, block by block."""
    torch.set_num_threads(1)
    amount = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    generator = np.random.default_rng(12345)  # as in `known_cells`
    cells = [ConvCells.small().sample(generator) for _ in range(amount)]
    rows = _read(TABLE)
    for first in range(0, amount, BLOCK):
        block = range(first, min(first + BLOCK, amount))
        for number in block:
            _once(rows, cells[number], "epoch", 0)
        for number in block:
            if number % AGAIN == 0:
                _once(rows, cells[number], "again", 1)
            if number % FINAL == 0:
                _finally(rows, cells[number])


def _read(path: Path) -> dict[str, Row]:
    """The rows by architecture."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {row["architecture"]: row for row in csv.DictReader(file)}


def _once(rows: dict[str, Row], cell: Architecture, prefix: str, repeat: int) -> None:
    """The learning curve of a cell with the seed of this repeat."""
    row = rows.setdefault(str(cell), dict.fromkeys(COLUMNS, "") | {"architecture": str(cell)})
    if row[f"{prefix}_{EPOCHS}"]:
        return
    curve: list[Epoch] = []
    subject, seed = ImageSubject("digits", 8, 1), derive_seed(0, "evaluation", cell.key, repeat)
    fabric = make_fabric("cpu")
    task = subject.task(RECIPE, fabric)
    network = subject.network(cell, RECIPE, seed)
    trained = train(network, task, seed=seed, fabric=fabric, on_epoch=curve.append)
    row |= {f"{prefix}_{epoch.number}": f"{epoch.validation:.2f}" for epoch in curve}
    if prefix == "epoch":
        row["seconds"] = f"{trained.seconds:.1f}"
    _write(rows)


def _finally(rows: dict[str, Row], cell: Architecture) -> None:
    """The test accuracy of the cell after the final recipe."""
    row = rows[str(cell)]
    if row["final"]:
        return
    subject, fabric = ImageSubject("digits", 16, 1), make_fabric("cpu")
    seed = derive_seed(0, "final", cell.key)
    network = subject.network(cell, LONGEST, seed)
    train(network, subject.task(LONGEST, fabric), seed=seed, fabric=fabric)
    row["final"] = f"{subject.tested(network, fabric):.3f}"
    _write(rows)


def _write(rows: dict[str, Row]) -> None:
    lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows.values())]
    write_whole(TABLE, "\n".join([*lines, ""]).encode())
    print(len(rows), flush=True)


if __name__ == "__main__":
    main()
