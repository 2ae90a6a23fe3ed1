"""What a study's results are worth: which comes before which, and how far each is within limits.

    complete, by value  >  pruned, by how far they came and how well

Targets are normal quantiles of ranks, so an order is all that is needed; but in the better half of
the complete trials differences count as well. Ranks alone pull the best apart however close they
are, and a search among numbers never ends there: with them the benchmark's floats ended at a median
of .07 and its integers at .22, so at .01 and .08. Several objectives are turned into one value by
weights drawn for each suggestion, and are ranks.

Shapes: n trials, m objectives, c constraints.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from naokit.method.surrogate import rank_gauss
from naokit.study.goals import chebyshev

OLD, NEW = "constraints", "constraints:"
"""Where Optuna keeps the list of `constraints_func`, and begins the keys of `set_constraint`."""

Standing = tuple[float, float, float]
"""Compares trials; higher is better."""


def targets(
    trials: Sequence[FrozenTrial],
    directions: Sequence[StudyDirection],
    generator: np.random.Generator,
) -> np.ndarray:
    """How the trials stand, higher is better, with the spread of normal quantiles, (n,).

    Args:
        trials: complete and pruned ones.
        directions: of the objectives.
        generator: draws the weights of several objectives.
    """
    signs = [1.0 if d == StudyDirection.MAXIMIZE else -1.0 for d in directions]
    complete = np.array([trial.state == TrialState.COMPLETE for trial in trials], dtype=bool)
    rows = [trial.values for trial in trials if trial.state == TrialState.COMPLETE]
    table = np.array(rows).reshape(-1, len(signs)) * signs
    merits = chebyshev(table, generator) if len(signs) > 1 else table[:, 0]
    left = iter(merits.tolist())
    standings: list[Standing] = [
        (1.0, 0.0, next(left)) if done else _standing_of_pruned(trial, signs[0])
        for trial, done in zip(trials, complete.tolist(), strict=True)
    ]
    places = {standing: place for place, standing in enumerate(sorted(set(standings)))}
    quantiles = rank_gauss(np.array([places[standing] for standing in standings]))
    if len(signs) == 1 and len(merits):
        quantiles[complete] = with_distances(quantiles[complete], merits)
    return quantiles


def with_distances(quantiles: np.ndarray, merits: np.ndarray) -> np.ndarray:
    """The quantiles, but in the better half as far apart as the merits are, (n,) all.

    The half begins where it did and has the same spread (as half-rank warping in Vizier, Song et
    al. 2024); infinite merits leave the ranks as they are.
    """
    # A power of two is exact: with it neither the median nor a difference is too large a number.
    largest = np.abs(merits[np.isfinite(merits)]).max(initial=0)
    merits = np.ldexp(merits, -1 - int(np.frexp(largest)[1]))
    middle = np.median(merits)
    upper = merits > middle
    if not upper.any() or not np.isfinite([middle, merits.max()]).all():
        return quantiles
    start = quantiles[~upper].max()
    away = (merits[upper] - middle) / (merits.max() - middle)
    spread = (((quantiles[upper] - start) ** 2).sum() / (away * away).sum()) ** 0.5
    warped = quantiles.copy()
    warped[upper] = start + spread * away
    return warped


def _standing_of_pruned(trial: FrozenTrial, sign: float) -> Standing:
    """How a pruned trial stands: behind all complete ones, as TPESampler has it."""
    if not trial.intermediate_values:
        return (0.0, -math.inf, 0.0)
    step, value = max(trial.intermediate_values.items())
    return (0.0, float(step), -math.inf if math.isnan(value) else sign * value)


def slacks(trials: Sequence[FrozenTrial]) -> np.ndarray:
    """How far each trial is within each constraint, below 0 where it violates it, (n, c).

    A trial that says nothing about a constraint violates it not.
    """
    found = [_constraints(trial) for trial in trials]
    names = sorted({name for constraints in found for name in constraints})
    rows = [[-constraints.get(name, -math.inf) for name in names] for constraints in found]
    return np.array(rows).reshape(len(trials), len(names))


def _constraints(trial: FrozenTrial) -> dict[str, float]:
    """The constraints of either kind; above 0 is violated."""
    attributes = trial.system_attrs
    old = {str(place): value for place, value in enumerate(attributes.get(OLD) or ())}
    return old | {key: value for key, value in attributes.items() if key.startswith(NEW)}
