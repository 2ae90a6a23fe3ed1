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
import time
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from benchmarks.record import write
from naokit.evaluators.train import build_seeded
from naokit.networks import count_parameters
from naokit.spaces.published import genotype
from naokit.subjects import image_settings
from naokit.training import loop
from naokit.training.data import ImageData, load_images
from naokit.training.loop import train
from naokit.training.recipes import recipe

CASES = ((36, 128, 20), (128, 16, 2))
"""F, batch, steps."""


def main() -> None:
    """Both sizes."""
    torch.set_num_threads(1)
    data = load_images(sys.argv[1])
    rows = [begun(data, *case) for case in CASES]
    write("full_size", {"threads": 1, "recipe": recipe("cifar10-2018").to_json(), "begun": rows})


def begun(data: ImageData, channels: int, batch: int, steps: int) -> dict[str, Any]:
    """The first steps of a training; it is stopped after them."""
    chosen = dataclasses.replace(recipe("cifar10-2018"), batch=batch)
    part = dataclasses.replace(data, train=data.train.take(np.arange(batch * (steps + 1))))
    network = build_seeded(
        genotype("naonet-a").architecture, image_settings(data, chosen, channels, 6), 0
    )
    losses: list[float] = []
    seconds = [time.process_time()]

    class Done(Exception):
        pass

    backward = loop._Run._backward

    def noted(run: Any, *arguments: Any) -> torch.Tensor:
        loss = backward(run, *arguments)
        losses.append(round(float(loss) / batch, 4))
        return loss

    def stepped(_: float) -> None:
        seconds.append(time.process_time())
        print(channels, losses[-1], round(seconds[-1] - seconds[-2], 1), flush=True)
        if len(losses) == steps:
            raise Done

    loop._Run._backward = noted  # type: ignore[method-assign, assignment]
    try:
        train(network, part, chosen, seed=0, on_step=stepped)
    except Done:
        pass
    finally:
        loop._Run._backward = backward  # type: ignore[method-assign]
    spans = [b - a for a, b in pairwise(seconds)]
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
