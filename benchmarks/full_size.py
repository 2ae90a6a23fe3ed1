"""The paper's own CIFAR-10 training, begun: recipe `cifar10-2018`, NAONet-A at N=6.

    OMP_NUM_THREADS=1 python -m benchmarks.full_size CIFAR10

Twenty steps at F=36 (batch 128), two at F=128 (batch 16: the recipe's 128 need some 20 GB), with
auxiliary head, cutout, drop path and the rate of the first epoch; the loss of each step, and what
the 600 epochs would take on this processor at that pace. The training itself was not run.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
from typing import Any

import numpy as np
import torch

from benchmarks.beginning import first_steps
from benchmarks.record import write
from naokit.images.data import ImageData
from naokit.images.loading import load_images
from naokit.images.recipes import recipe
from naokit.images.subject import ImageSubject
from naokit.networks import count_parameters
from naokit.spaces.published import genotype
from naokit.training.device import make_fabric

CASES = ((36, 128, 20), (128, 16, 2))
"""The sizes that are measured: F, batch, steps."""


def main() -> None:
    """Measures both sizes."""
    torch.set_num_threads(1)
    data = load_images(sys.argv[1])
    rows = [begun(data, *case) for case in CASES]
    write("full_size", {"threads": 1, "recipe": recipe("cifar10-2018").to_json(), "begun": rows})


def begun(data: ImageData, channels: int, batch: int, steps: int) -> dict[str, Any]:
    """The first steps of a training, which is stopped after them."""
    chosen = dataclasses.replace(recipe("cifar10-2018"), batch=batch)
    part = dataclasses.replace(data, train=data.train.take(np.arange(batch * (steps + 1))))
    subject, fabric = ImageSubject(part, channels, 6), make_fabric("cpu")
    network = subject.network(genotype("naonet-a").architecture, chosen, 0)
    losses, spans, _ = first_steps(network, subject.task(chosen, fabric), fabric, steps)
    spans = spans[1:] or spans  # the first step warms up
    step = statistics.median(spans)
    days = 600 * len(data.train) / batch * step / 86400
    return {
        "channels": channels,
        "parameters": count_parameters(network),
        "batch": batch,
        "losses_with_auxiliary": losses,
        "median_cpu_seconds_a_step": round(step, 2),
        "estimated_cpu_days_for_600_epochs": round(days),
        "whole_training": "not run",
    }


if __name__ == "__main__":
    main()
