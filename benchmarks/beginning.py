"""The first steps of a training that is too long to run: their losses and their cost."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from naokit.training import loop
from naokit.training.loop import train
from naokit.training.task import Task


class _Done(Exception):
    """Raised after enough steps."""


def first_steps(
    network: nn.Module, task: Task[Any, Any], fabric: Fabric, steps: int
) -> tuple[list[float], list[float], list[int]]:
    """The loss, CPU seconds and examples of each step; the training ends after these steps."""
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
        train(network, task, seed=0, fabric=fabric, on_step=stepped)
    except _Done:
        pass
    finally:
        loop._Run._backward = backward  # type: ignore[method-assign]
    return losses, [b - a for a, b in pairwise(seconds)], sizes
