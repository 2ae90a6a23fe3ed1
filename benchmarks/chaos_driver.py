"""The search that `benchmarks.chaos` disturbs: evaluations take a moment and are written down.

    python -m benchmarks.chaos_driver STORAGE FOLDER EVALUATIONS PLACE [WISH]

PLACE is `here`, `local:2` or `ray:ADDRESS`. Each line of FOLDER/log says that an evaluation began
or ended, in which process, and the key of its architecture.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import optuna

from naokit.doors import Evaluator, Result, Workers
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import Study, create_study, heartbeat
from naokit.workers import Local, Ray

MOMENT = 0.05
"""Seconds that an evaluation takes."""
LIMIT, MEMORY, RETRIES = 5.0, 500 << 20, 20
"""What an evaluation of a worker may take, and how often it begins again."""
RARE = 20
"""One architecture in so many is one that a wish is about."""
SPACE = ConvCells.small(nodes=1)


class Noted(Evaluator):
    """Writes down what it does; misbehaves with some architectures where it is told to.

    Args:
        folder: Where the log is.
        wish: What it does with one architecture in twenty: "hang", "eat" memory, or nothing.
    """

    def __init__(self, folder: Path, wish: str = "") -> None:
        self.folder, self.wish = folder, wish

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        self._note("begun", architecture)
        time.sleep(MOMENT)
        if self.wish and misbehaves(architecture.key):
            held = []
            while self.wish in ("hang", "eat"):
                time.sleep(MOMENT)
                if self.wish == "eat":
                    held.append(np.ones(64 << 17))
        self._note("ended", architecture)
        return Result(int(architecture.key[:6], 16) / 16**6)

    def _note(self, what: str, architecture: Architecture) -> None:
        with (self.folder / "log").open("a") as log:
            log.write(f"{what} {os.getpid()} {architecture.key}\n")


def misbehaves(key: str) -> bool:
    """Whether the architecture of this key is one that a wish is about."""
    return int(key[6:10], 16) % RARE == 0


def study_in(storage: str | None) -> Study:
    """The study of the search, made or continued."""
    return create_study(SPACE, storage=storage, name="chaos", method="evolution", seed=1)


def workers_at(place: str) -> Workers | None:
    """The workers of a place; None where the driver evaluates."""
    kind, _, where = place.partition(":")
    if kind == "here":
        return None
    if kind == "local":
        return Local(int(where), seconds=LIMIT, memory=MEMORY, retries=RETRIES)
    return Ray(2, address=where, seconds=LIMIT, memory=MEMORY, retries=RETRIES)


def main() -> None:
    """Searches until the study holds all evaluations."""
    storage, folder, evaluations, place, *wish = sys.argv[1:]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    heartbeat.BEAT, heartbeat.GRACE = 1, 5  # minutes elsewhere
    with ExitStack() as stack:
        workers = workers_at(place)
        if workers is not None:
            stack.enter_context(workers)
        study_in(storage).optimize(Noted(Path(folder), *wish), int(evaluations), workers=workers)


if __name__ == "__main__":
    main()
