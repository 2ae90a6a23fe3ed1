"""The cells we found on CIFAR-10, and NAONet-B, trained anew on the CIFAR-100 subset.

    OMP_NUM_THREADS=1 python -m benchmarks.transfer CIFAR100-SUBSET FOLDER

As `naokit transfer` does it: the same cell, a head of as many classes as the data has. F=16, N=1,
the recipe of `final_training`, 8 epochs, from scratch, one seed. 9,000 images train, 1,000 are held
out, the 2,000 of the subset's test part are looked at once. Interrupted runs continue.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from benchmarks.curves import curve, done, tested, train_with_rows, with_recorded
from benchmarks.final_training import models, place_of, recipe
from benchmarks.record import write
from naokit.base import derive_seed
from naokit.images.accuracy import evaluate
from naokit.images.loading import load_images
from naokit.images.subject import ImageSubject
from naokit.networks import count_parameters
from naokit.training.device import make_fabric, seeded

EPOCHS, SEED = 8, 0


def main() -> None:
    """Trains what is not done yet, then writes what there is."""
    torch.set_num_threads(1)
    data, folder = load_images(sys.argv[1]), Path(sys.argv[2])
    rows = {}
    for name, (make, _) in models().items():
        if name == "resnet-20":  # no cell
            continue
        place = place_of(folder, name, SEED)
        with seeded(derive_seed(SEED, "weights", name)):
            network = make(classes=data.classes)
        if not done(place, "accuracy"):
            train_with_rows(name, network, ImageSubject(data, 16, 1), recipe(EPOCHS), SEED, place)
            tested(place, "accuracy", evaluate(network, data, data.test, make_fabric("cpu")))
        rows[f"{name}, seed {SEED}"] = {
            "parameters": count_parameters(network),
            **curve(place, EPOCHS, "accuracy", max),
        }
    trainings = with_recorded("transfer", rows)
    write("transfer", {"threads": 1, "recipe": recipe(EPOCHS).to_json(), "trainings": trainings})


if __name__ == "__main__":
    main()
