"""Results as a model of them wants them: architectures, and values that can be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import is_

import numpy as np

from naokit.doors import Observation
from naokit.space import Architecture

MOST = 920
"""A model learns from about so many results at most: its cost grows with their third power."""

LATER = 138
"""So many later ones are added before others are chosen."""


def goes_on(history: Sequence[object], earlier: Sequence[object]) -> bool:
    """Whether a history begins with the very objects of an earlier one."""
    return len(earlier) <= len(history) and all(map(is_, earlier, history))


def telling(history: Sequence[Observation]) -> Sequence[Observation]:
    """What a model is made of: all of a short history, about a thousand results of a long one.

    Half of these are the best, so that it knows most where it counts; the others are spread evenly
    over the rest, failed ones included. The choice stays as it is while some later ones are added.
    """
    if len(history) < MOST + LATER:
        return history
    chosen_of = MOST + (len(history) - MOST) // LATER * LATER
    first = history[:chosen_of]
    valued = [place for place, trial in enumerate(first) if trial.known is not None]
    values = comparable([first[place] for place in valued])
    best = {valued[n] for n in np.argsort(-values, kind="stable")[: MOST // 2]}
    rest = [place for place in range(chosen_of) if place not in best]
    spread = np.linspace(0, len(rest) - 1, MOST - len(best)).astype(int)
    places = sorted(best | {rest[n] for n in spread})
    return [*(history[place] for place in places), *history[chosen_of:]]


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
