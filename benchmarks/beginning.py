"""The first steps of a training that is too long to run: their losses and what they take."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from naokit.training import loop
from naokit.training.data import ImageData
from naokit.training.device import make_fabric
from naokit.training.loop import train
from naokit.training.recipe import Recipe
from naokit.training.text.data import TextData


class _Done(Exception):
    """Enough steps."""


def first_steps(
    network: nn.Module, data: ImageData | TextData, recipe: Recipe, steps: int
) -> tuple[list[float], list[float], list[int]]:
    """The loss of each step, its CPU seconds and its examples; the training is left after them."""
    losses: list[float] = []
    sizes: list[int] = []
    seconds = [time.process_time()]
    backward = loop._Run._backward

    def noted(run: Any, batch: Any, size: int) -> torch.Tensor:
        loss = backward(run, batch, size)
        losses.append(round(float(loss) / size, 4))
        sizes.append(size)
        return loss

    def stepped(_: float) -> None:
        seconds.append(time.process_time())
        print(losses[-1], round(seconds[-1] - seconds[-2], 1), flush=True)
        if len(losses) == steps:
            raise _Done

    loop._Run._backward = noted  # type: ignore[method-assign, assignment]
    try:
        train(network, data, recipe, seed=0, fabric=make_fabric("cpu"), on_step=stepped)
    except _Done:
        pass
    finally:
        loop._Run._backward = backward  # type: ignore[method-assign]
    return losses, [b - a for a, b in pairwise(seconds)], sizes
