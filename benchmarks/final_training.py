"""NAONet-B, ResNet-20 and the cells we found, trained on CIFAR-10: accuracy by CPU time.

    OMP_NUM_THREADS=1 python -m benchmarks.final_training CIFAR10 FOLDER [MODEL SEED]

NAONet-B at F=16, N=1 for 5 epochs; ResNet-20 for as many as take the same CPU time (13: a step of
128 images took 2.07 s and 0.78 s, measured side by side). One recipe, its cosine ends with each
training. 45,000 images train, 5,000 are held out, the test set is looked at once. Interrupted runs
continue; their rows are kept in the folder.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.curves import curve, done, rows_of, tested, train_with_rows, with_recorded
from benchmarks.record import RESULTS, write
from benchmarks.resnet import ResNet20
from naokit.base import derive_seed
from naokit.images.accuracy import evaluate
from naokit.images.data import ImageData
from naokit.images.loading import load_images
from naokit.images.recipes import ImageRecipe
from naokit.images.subject import ImageSubject
from naokit.kinds import build
from naokit.networks import count_macs, count_parameters
from naokit.spaces import from_settings
from naokit.training.device import make_fabric, seeded

SEEDS = (0, 1)
Make = Callable[..., nn.Module]


def models() -> Mapping[str, tuple[Make, int]]:
    """How each network is built, and its epochs; with the cells of `cifar_cells.json`, if any."""
    found: dict[str, tuple[Make, int]] = {
        "naonet-b": (partial(build, "naonet-b", channels=16, cells=1), 5),
        "resnet-20": (ResNet20, 13),
    }
    path = RESULTS / "cifar_cells.json"
    if path.exists():
        searched = json.loads(path.read_text())
        space = from_settings(searched["space"])
        for method, row in searched["methods"].items():
            cell = space.parse(row["best"])
            found[f"found by {method}"] = (partial(build, cell, channels=16, cells=1), 5)
    return found


def recipe(epochs: int) -> ImageRecipe:
    """The recipe of all networks, for a number of epochs."""
    return ImageRecipe("same", epochs, batch=128, learning_rate=0.1, weight_decay=5e-4)


def main() -> None:
    """Trains what is not done yet, then writes what there is."""
    torch.set_num_threads(1)
    source, folder = sys.argv[1], Path(sys.argv[2])
    data = load_images(source)
    chosen = [(sys.argv[3], int(sys.argv[4]))] if len(sys.argv) > 3 else everything()
    for model, seed in chosen:
        one(model, seed, data, folder)
    rows = {
        f"{model}, seed {seed}": summary(model, place_of(folder, model, seed))
        for model, seed in everything()
        if rows_of(place_of(folder, model, seed))
    }
    trainings = with_recorded("final_training", rows)
    write("final_training", {"threads": 1, "recipe": recipe(1).to_json(), "trainings": trainings})


def everything() -> list[tuple[str, int]]:
    """All trainings, one seed after the other."""
    return [(model, seed) for seed in SEEDS for model in models()]


def place_of(folder: Path, model: str, seed: int) -> Path:
    """The folder of a training."""
    return folder / f"{model.replace(' ', '-')}-{seed}"


def one(model: str, seed: int, data: ImageData, folder: Path) -> None:
    """Trains one network and tests it."""
    make, epochs = models()[model]
    place = place_of(folder, model, seed)
    if done(place, "accuracy"):
        return
    with seeded(derive_seed(seed, "weights", model)):
        network = make()
    train_with_rows(model, network, ImageSubject(data, 16, 1), recipe(epochs), seed, place)
    tested(place, "accuracy", evaluate(network, data, data.test, make_fabric("cpu")))


def summary(model: str, place: Path) -> dict[str, Any]:
    """The accuracy by the time so far."""
    make, epochs = models()[model]
    network = make()
    return {
        "parameters": count_parameters(network),
        "macs": count_macs(network, (3, 32, 32)),
        **curve(place, epochs, "accuracy", max),
    }


if __name__ == "__main__":
    main()
