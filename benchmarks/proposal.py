"""CPU milliseconds from an encoded seed to a new architecture: gradient step and greedy decode.

    python -m benchmarks.proposal

conv-small, 40 tokens, the default model (untrained: the work is the same), one thread; median of 20
calls after a first one.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch

from benchmarks.record import write
from naokit.method.model import Model, ModelSettings
from naokit.spaces import ConvCells

CALLS = 20


def main() -> None:
    """Measures one seed alone, and a hundred together."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    space = ConvCells.small()
    model = Model(space.grammar, ModelSettings()).eval()
    generator = np.random.default_rng(0)
    tokens = torch.tensor(
        [space.grammar.tokens(space.sample(generator).choices) for _ in range(100)]
    )
    rows = {}
    for amount in (1, 100):
        found = []
        for _ in range(CALLS + 1):
            began = time.process_time()
            decoded = model.improve(tokens[:amount], 10.0)
            for row in decoded.tolist():
                _ = space.architecture(space.grammar.choices(row)).key
            found.append(1000 * (time.process_time() - began) / amount)
        rows[f"{amount} at once"] = {"median": statistics.median(found[1:]), "first": found[0]}
    write("proposal", {"calls": CALLS, "cpu_milliseconds_per_architecture": rows})


if __name__ == "__main__":
    main()
