"""The training on the page "Your own training loop", with statistics taken anew and without.

    OMP_NUM_THREADS=1 python -m benchmarks.own_loop

40 random cells of conv-small with one node are trained twice by the page's own code.
`results/own_loop.json` has the mean accuracy, and Spearman's correlation of the two trainings of a
cell, both ways. It takes about two CPU minutes.
"""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.record import write
from naokit.spaces import ConvCells

CELLS = 40
PAGE = Path(__file__).parents[1] / "docs" / "own-loop.md"


def main() -> None:
    """Trains, and writes the results."""
    torch.set_num_threads(1)
    (code,) = re.findall(r"```python\n(import torch.*?)study = ", PAGE.read_text(), re.DOTALL)
    page: dict[str, Any] = {}
    exec(code, page)  # our own page
    generator, seeded = np.random.default_rng(0), torch.manual_seed
    cells = [ConvCells.small(nodes=1).sample(generator) for _ in range(CELLS)]
    found = {}
    for way, take in (("taken", page["take_statistics"]), ("running", lambda *_: None)):
        page["take_statistics"] = take
        turns = []
        for more in (0, 1):
            with patch.object(torch, "manual_seed", lambda seed, more=more: seeded(seed + more)):
                turns.append([page["train_and_score"](cell) for cell in cells])
        one, other = turns
        found[way] = {
            "mean": round(statistics.fmean([*one, *other]), 1),
            "two_trainings": round(float(spearmanr(one, other).statistic), 2),
            "trainings": [[round(value, 1) for value in turn] for turn in turns],
        }
    write("own_loop", {"cells": CELLS, **found})


if __name__ == "__main__":
    main()
