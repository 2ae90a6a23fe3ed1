"""The paper's own PTB training, begun: recipe `ptb-2018`, the cell nao-rnn, hidden 850.

    OMP_NUM_THREADS=1 python -m benchmarks.language_full PTB

The first steps with everything that the recipe has; the loss of each, and what the 4,000 epochs
would take on this processor at that pace. The training itself was not run.
"""

from __future__ import annotations

import statistics
import sys

import torch

from benchmarks.beginning import first_steps
from benchmarks.record import write
from naokit.networks import count_parameters
from naokit.spaces.published import genotype
from naokit.text.recipes import recipe as text_recipe
from naokit.text.subject import TextSubject
from naokit.training.device import make_fabric

HIDDEN, STEPS = 850, 20


def main() -> None:
    """Measures the first steps."""
    torch.set_num_threads(1)
    recipe, subject = text_recipe("ptb-2018"), TextSubject(sys.argv[1], HIDDEN)
    network = subject.network(genotype("nao-rnn").architecture, recipe, 0)
    fabric = make_fabric("cpu")
    losses, spans, tokens = first_steps(network, subject.task(recipe, fabric), fabric, STEPS)
    # The first step warms up.
    a_token = statistics.median(s / n for s, n in zip(spans[1:], tokens[1:], strict=True))
    plan = subject.task(recipe, fabric).plan(0, 0)
    epoch = a_token * sum(given.size for given in plan)
    write(
        "language_full",
        {
            "threads": 1,
            "recipe": recipe.to_json(),
            "hidden": HIDDEN,
            "parameters": count_parameters(network),
            "losses": losses,
            "median_cpu_milliseconds_a_token": round(1000 * a_token, 3),
            "estimated_cpu_hours_an_epoch": round(epoch / 3600, 2),
            "estimated_cpu_days_for_all_epochs": round(recipe.epochs * epoch / 86400),
            "whole_training": "not run",
        },
    )


if __name__ == "__main__":
    main()
