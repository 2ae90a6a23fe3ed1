"""The paper's own PTB training, begun: recipe `ptb-2018`, the cell nao-rnn, hidden 850.

    OMP_NUM_THREADS=1 python -m benchmarks.language_full PTB

The first steps with everything that the recipe has; the loss of each, and what the 4,000 epochs
would take on this processor at that pace. The training itself was not run.
"""

from __future__ import annotations

import statistics
import sys
import time
from itertools import pairwise

import torch

from benchmarks.record import write
from naokit.evaluators.train import build_seeded
from naokit.networks import count_parameters
from naokit.spaces.published import genotype
from naokit.subjects import TextSubject
from naokit.training.device import make_fabric
from naokit.training.loop import train
from naokit.training.recipes import text_recipe
from naokit.training.text.task import TextTask

HIDDEN, STEPS = 850, 20


class _Done(Exception):
    """Enough steps."""


def main() -> None:
    """The first steps."""
    torch.set_num_threads(1)
    recipe, subject = text_recipe("ptb-2018"), TextSubject(sys.argv[1], HIDDEN)
    network = build_seeded(genotype("nao-rnn").architecture, subject.settings(recipe), 0)
    task = TextTask(subject.data, recipe, torch.device("cpu"))
    plan = task.plan(0, 0)
    losses: list[float] = []
    seconds = [time.process_time()]
    loss_of = TextTask.loss

    def noted(task: TextTask, *arguments: object) -> torch.Tensor:
        loss = loss_of(task, *arguments)  # type: ignore[arg-type]
        losses.append(float(loss.detach()) / plan[len(losses)].size)
        return loss

    def stepped(_: float) -> None:
        seconds.append(time.process_time())
        print(losses[-1], round(seconds[-1] - seconds[-2], 1), flush=True)
        if len(losses) == STEPS:
            raise _Done

    TextTask.loss = noted  # type: ignore[method-assign, assignment]
    try:
        train(network, subject.data, recipe, seed=0, fabric=make_fabric("cpu"), on_step=stepped)
    except _Done:
        pass
    finally:
        TextTask.loss = loss_of  # type: ignore[method-assign]
    spans = [b - a for a, b in pairwise(seconds)][1:]  # the first step warms up
    tokens = [given.size for given in plan[1:STEPS]]
    a_token = statistics.median(s / n for s, n in zip(spans, tokens, strict=True))
    epoch = a_token * sum(given.size for given in plan)
    write(
        "language_full",
        {
            "threads": 1,
            "recipe": recipe.to_json(),
            "hidden": HIDDEN,
            "parameters": count_parameters(network),
            "losses": [round(loss, 4) for loss in losses],
            "median_cpu_milliseconds_a_token": round(1000 * a_token, 3),
            "estimated_cpu_hours_an_epoch": round(epoch / 3600, 2),
            "estimated_cpu_days_for_all_epochs": round(recipe.epochs * epoch / 86400),
            "whole_training": "not run",
        },
    )


if __name__ == "__main__":
    main()
