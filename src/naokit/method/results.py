"""Results as a model of them wants them: architectures, and values that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_

import numpy as np

from naokit.doors import Observation
from naokit.space import Architecture

MOST = 920
"""A model learns from about so many results at most: its cost grows with their third power."""

LATER = 138
"""So many later ones are added before others are chosen."""

LEAST_SLOPE = 0.05
"""Of two evaluations that stopped after one epoch the better one is foretold to be better."""


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
    """The values of results, (n,); of those that were stopped early what they would have come to.

    That is foretold from the latest stop to the first, by a linear regression of what those came to
    that went on, on what they had reached by then.
    """
    values = np.array([trial.known for trial in valued], dtype=float)
    stops = np.array([trial.stopped for trial in valued])
    for stop in sorted(set(stops) - {0}, reverse=True):
        went_on = np.array([_went_on(trial, stop) for trial in valued])
        if went_on.any():
            here = stops == stop
            reached = np.array([_reached(trial, stop) for trial in valued])
            values[here] = _foretold(reached[here], reached[went_on], values[went_on])
    return values


def _went_on(trial: Observation, stop: int) -> bool:
    """Whether it is known what an evaluation had reached after an epoch, and it went on."""
    return (trial.stopped == 0 or trial.stopped > stop) and min(
        trial.curve, default=stop + 1
    ) <= stop


def _reached(trial: Observation, stop: int) -> float:
    """The best score until an epoch; that of an evaluation which reported nothing if it did not."""
    found = [score for epoch, score in trial.curve.items() if epoch <= stop]
    return max(found) if found else float(trial.known or 0.0)


def _foretold(reached: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What evaluations come to, (n,), which reached so much, (n,).

    A difference is taken to stay as it is unless the others show that it does not: the slope is
    that of their regression and of one more pair, as far from their mean as a result is on average,
    whose difference stayed.

    Args:
        reached: What those reached that stopped, (n,).
        before: What those had reached by then that went on, (m,).
        after: What these came to, (m,).
    """
    spread = np.concatenate([reached, before]).var()
    if spread == 0:
        return np.full(len(reached), after.mean())
    from_mean = before - before.mean()
    slope = (from_mean @ (after - after.mean()) + spread) / (from_mean @ from_mean + spread)
    foretold: np.ndarray = after.mean() + max(slope, LEAST_SLOPE) * (reached - before.mean())
    return foretold


def split(valued: Sequence[Observation]) -> tuple[list[Architecture], np.ndarray]:
    """The architectures and their comparable values."""
    return [trial.architecture for trial in valued], comparable(valued)


def best_first(valued: Sequence[Observation]) -> list[Architecture]:
    """The architectures within the limits, best first, then those beyond."""
    values = comparable(valued)
    order = sorted(range(len(valued)), key=lambda n: (valued[n].slack < 0, -values[n]))
    return [valued[n].architecture for n in order]
