"""How much faster a search is with many workers, against one of the same kind.

    python -m benchmarks.speedup

Digits: the short trainings of the preset `quick` by one process of `Local` and by two, one thread
each, in turn. Asleep: an evaluator that sleeps for a second, by 1 and by 32 processes. Seconds on
the clock from the first evaluation to the last; those before it, in which processes begin, stand
beside them.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import optuna

from benchmarks.record import write
from naokit import create_study, spaces
from naokit.doors import Evaluator, Result
from naokit.evaluators import Train
from naokit.space import Architecture
from naokit.workers import Local

SPACE = spaces.load("conv-small")
DIGITS, ASLEEP, REPEATS = 12, 128, 3


class Sleeps(Evaluator):
    """Takes a second of the clock and no time of a core."""

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        time.sleep(1)
        return Result(1.0)


def main() -> None:
    """Both kinds, one and many in turn."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    os.environ["OMP_NUM_THREADS"] = "1"
    digits = [{n: clock(Train("digits"), DIGITS, n) for n in (1, 2)} for _ in range(REPEATS)]
    asleep = [{n: clock(Sleeps(), ASLEEP // (1 if n > 1 else 16), n) for n in (1, 32)}]
    write("speedup", {"digits": row(digits, 2), "asleep": row(asleep, 32)})


def row(pairs: list[dict[int, dict[str, float]]], many: int) -> dict[str, object]:
    """The seconds of an evaluation by one and by many, and how much faster that is."""
    faster = [pair[1]["an_evaluation"] / pair[many]["an_evaluation"] for pair in pairs]
    return {"workers": many, "faster": statistics.median(faster), "pairs": pairs}


def clock(evaluator: Evaluator, evaluations: int, processes: int) -> dict[str, float]:
    """Seconds until the first evaluation ends, and of each one after it."""
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder, Local(processes) as workers:
        storage = f"sqlite:///{Path(folder) / 's.db'}"
        study = create_study(SPACE, storage=storage, method="random", seed=0)
        began = time.monotonic()
        study.optimize(
            evaluator,
            evaluations + processes,
            workers=workers,
            on_trial=lambda trial: ends.append(time.monotonic() - began),
        )
    ready = ends[processes - 1]  # all processes have begun
    return {"ready": ready, "an_evaluation": (ends[-1] - ready) / evaluations}


if __name__ == "__main__":
    main()
