"""Results as a model of them wants them: architectures, and values that can be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from naokit.doors import Observation
from naokit.space import Architecture


def comparable(valued: Sequence[Observation]) -> np.ndarray:
    """The values of results, (n,), of which only the order counts where some were stopped early.

    Then they are places in that order: the farther an evaluation came the better, and among those
    that came as far the better their value.
    """
    if not any(trial.stopped for trial in valued):
        return np.array([trial.known for trial in valued])
    reached = [(trial.stopped or math.inf, trial.known) for trial in valued]
    places = {one: float(place) for place, one in enumerate(sorted(set(reached)))}
    return np.array([places[one] for one in reached])


def split(valued: Sequence[Observation]) -> tuple[list[Architecture], np.ndarray]:
    """The architectures and their comparable values."""
    return [trial.architecture for trial in valued], comparable(valued)


def best_first(valued: Sequence[Observation]) -> list[Architecture]:
    """The architectures within the limits, best first, then those beyond."""
    values = comparable(valued)
    order = sorted(range(len(valued)), key=lambda n: (valued[n].slack < 0, -values[n]))
    return [valued[n].architecture for n in order]
