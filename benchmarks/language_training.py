"""Recurrent cells trained on PTB by one recipe: perplexity by epochs and CPU time.

    OMP_NUM_THREADS=1 python -m benchmarks.language_training PTB FOLDER [CELL SEED]

`nao-rnn`, an LSTM of equal parameters, and the best cells of our own search and of random search
(`benchmarks/results/language_search.json`, where there is one). The test part is looked at once,
with the weights of the best epoch. Interrupted runs continue; their rows are kept in the folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.curves import curve, done, rows_of, tested, train_with_rows, with_recorded
from benchmarks.record import RESULTS, write
from naokit.base import derive_seed
from naokit.networks import count_parameters
from naokit.space import Architecture
from naokit.spaces import from_settings
from naokit.spaces.published import genotype
from naokit.text.perplexity import perplexity
from naokit.text.recipes import recipe as text_recipe
from naokit.text.subject import TextSubject

RECIPE, HIDDEN, SEEDS = text_recipe("text-small-final", epochs=2), 200, (0, 1)


def cells() -> dict[str, Architecture]:
    """The cells that are compared, by name."""
    found = {name: genotype(name).architecture for name in ("nao-rnn", "lstm")}
    path = RESULTS / "language_search.json"
    if path.exists():
        searched = json.loads(path.read_text())
        space = from_settings(searched["space"])
        found |= {
            f"found by {name}": space.parse(searched["methods"][name]["best"])
            for name in searched["methods"]
        }
    return found


def main() -> None:
    """Trains what is not done yet, then writes what there is."""
    torch.set_num_threads(1)
    subject, folder = TextSubject(sys.argv[1], HIDDEN), Path(sys.argv[2])
    everything = [(cell, seed) for seed in SEEDS for cell in cells()]
    chosen = [(sys.argv[3], int(sys.argv[4]))] if len(sys.argv) > 3 else everything
    for cell, seed in chosen:
        one(cell, seed, subject, folder)
    rows = {
        f"{cell}, seed {seed}": summary(cell, subject, place(folder, cell, seed))
        for cell, seed in everything
        if rows_of(place(folder, cell, seed))
    }
    figures = {"threads": 1, "hidden": HIDDEN, "recipe": RECIPE.to_json()}
    trainings = with_recorded("language_training", rows)
    write("language_training", {**figures, "trainings": trainings})


def place(folder: Path, cell: str, seed: int) -> Path:
    """The folder of one training."""
    return folder / f"{cell.replace(' ', '-')}-{seed}"


def one(cell: str, seed: int, subject: TextSubject, folder: Path) -> None:
    """Trains one language model and tests it."""
    where = place(folder, cell, seed)
    if done(where, "perplexity"):
        return
    network = subject.network(cells()[cell], RECIPE, derive_seed(seed, cell))
    train_with_rows(cell, network, subject, RECIPE, seed, where)
    device = torch.device("cpu")
    tested(where, "perplexity", perplexity(network, subject.data.test, device=device))


def summary(cell: str, subject: TextSubject, where: Path) -> dict[str, Any]:
    """The perplexity by the time so far."""
    architecture = cells()[cell]
    network = subject.network(architecture, RECIPE, 0)
    return {
        "architecture": str(architecture),
        "parameters": count_parameters(network),
        **curve(where, RECIPE.epochs, "perplexity", min),
    }


if __name__ == "__main__":
    main()
