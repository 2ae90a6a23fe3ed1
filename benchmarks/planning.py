"""Compares the estimate of `naokit plan` with the time that a search then takes.

    OMP_NUM_THREADS=1 python -m benchmarks.planning [path/to/cifar10]

Digits: three random cells are measured as `plan` does it, then `naokit search --preset quick
--evaluations 4 --no-baseline --no-final --method random` runs, then its own cells are measured in
the same way ("paired"). CIFAR-10, where it is given: one cell, measured before and after one
evaluation of the preset `small`. Other work on the machine affects both sides, so the load is
recorded too.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.record import write
from naokit.evaluators import Train
from naokit.images.presets import PRESETS
from naokit.runs.folder import STUDY
from naokit.runs.planning import costs, together
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import open_study

SPACE = ConvCells.small()
ASKED = [
    "--preset",
    "quick",
    "--evaluations",
    "4",
    "--no-baseline",
    "--no-final",
    "--method",
    "random",
]


def random_cells(amount: int, seed: int = 0) -> list[Architecture]:
    """Random cells, drawn as `naokit plan` does."""
    generator = np.random.default_rng(seed)
    return [SPACE.sample(generator) for _ in range(amount)]


def estimated(evaluator: Train, cells: Sequence[Architecture]) -> list[float]:
    """The seconds of an evaluation of each cell, as `plan` estimates them."""
    found = costs(cells, evaluator.subject, evaluator.recipe, evaluator.fabric)
    print(together(found), flush=True)
    return [one.seconds for one in found]


def digits() -> dict[str, Any]:
    """Compares a search of four evaluations, and its repeats, with the estimate."""
    evaluator = Train("digits", "quick", channels=8, cells=1)
    planned = estimated(evaluator, random_cells(3))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "naokit", "search", "--data", "digits", *ASKED]
        began = time.monotonic()
        subprocess.run([*command, "--out", folder], check=True)
        whole = time.monotonic() - began
        study = open_study(SPACE, f"sqlite:///{Path(folder) / 'study.db'}", STUDY)
        trials = study.trials
    cells = {str(trial.architecture): trial.architecture for trial in trials}
    paired = dict(zip(cells, estimated(evaluator, list(cells.values())), strict=True))
    took = [trial.seconds for trial in trials]
    estimates = [paired[str(trial.architecture)] for trial in trials]
    return {
        "evaluations": len(trials),
        "measured_seconds": sum(took),
        "measured_seconds_of_the_command": whole,
        "planned_seconds": statistics.fmean(planned) * len(trials),
        "planned_ratio": statistics.fmean(planned) * len(trials) / sum(took),
        "paired_seconds": sum(estimates),
        "paired_ratio": sum(estimates) / sum(took),
        "ratio_of_each": [e / t for e, t in zip(estimates, took, strict=True)],
    }


def cifar10(path: str) -> dict[str, Any]:
    """Compares one evaluation of the preset `small` with the estimates before and after it."""
    preset = PRESETS["small"]
    evaluator = Train(path, preset.recipe, channels=preset.channels, cells=preset.cells)
    cells = random_cells(1)
    before = estimated(evaluator, cells)[0]
    began = time.monotonic()
    evaluator.evaluate(cells[0], 0)
    took = time.monotonic() - began
    after = estimated(evaluator, cells)[0]
    estimate = (before + after) / 2
    return {
        "evaluations": 1,
        "measured_seconds": took,
        "planned_before": before,
        "planned_after": after,
        "paired_seconds": estimate,
        "paired_ratio": estimate / took,
    }


def main() -> None:
    """Measures on one thread."""
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    found = {"digits, quick": digits()}
    if len(sys.argv) > 1:
        found["cifar10, small"] = cifar10(sys.argv[1])
    write(
        "planning",
        {"threads": 1, "load_before": load, "load_after": os.getloadavg()[0], "cases": found},
    )


if __name__ == "__main__":
    main()
