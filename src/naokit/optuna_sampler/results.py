"""The targets of a study's trials, and how far each trial is within the constraints.

    complete, by value  >  pruned, by how far they came and how well

Targets are normal quantiles of ranks, so mostly the order matters. In the better half of the
complete trials differences count as well. Ranks alone separate the best trials however close they
are, so that a search among numbers never settles: with ranks the benchmark's floats ended at a
median of .07 and its integers at .22, and with differences at .01 and .08. Several objectives are
combined into one value with weights that are drawn for each suggestion; there only ranks count.

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
"""The attribute in which Optuna keeps the list of `constraints_func`, and the prefix of the keys of
`set_constraint`."""

SortKey = tuple[float, float, float]
"""The key by which trials are sorted; higher is better."""


def targets(
    trials: Sequence[FrozenTrial],
    directions: Sequence[StudyDirection],
    generator: np.random.Generator,
) -> np.ndarray:
    """The targets of the trials, higher is better, with the spread of normal quantiles, (n,).

    Args:
        trials: The complete and pruned trials.
        directions: The directions of the objectives.
        generator: The generator of the weights of several objectives.
    """
    signs = [1.0 if d == StudyDirection.MAXIMIZE else -1.0 for d in directions]
    complete = np.array([trial.state == TrialState.COMPLETE for trial in trials], dtype=bool)
    rows = [trial.values for trial in trials if trial.state == TrialState.COMPLETE]
    table = np.array(rows).reshape(-1, len(signs)) * signs
    merits = chebyshev(table, generator) if len(signs) > 1 else table[:, 0]
    left = iter(merits.tolist())
    sort_keys: list[SortKey] = [
        (1.0, 0.0, next(left)) if done else _sort_key_of_pruned(trial, signs[0])
        for trial, done in zip(trials, complete.tolist(), strict=True)
    ]
    places = {key: place for place, key in enumerate(sorted(set(sort_keys)))}
    quantiles = rank_gauss(np.array([places[key] for key in sort_keys]))
    if len(signs) == 1 and len(merits):
        quantiles[complete] = with_distances(quantiles[complete], merits)
    return quantiles


def with_distances(quantiles: np.ndarray, merits: np.ndarray) -> np.ndarray:
    """The quantiles, with distances in the better half proportional to those of merits, (n,) all.

    The better half begins where it did and has the same spread, as with half-rank warping in Vizier
    (Song et al. 2024). Infinite merits leave the quantiles as they are.
    """
    # A power of two is exact, and with it neither the median nor a difference overflows.
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


def _sort_key_of_pruned(trial: FrozenTrial, sign: float) -> SortKey:
    """The sort key of a pruned trial, which puts it behind all complete ones, as in TPESampler."""
    if not trial.intermediate_values:
        return (0.0, -math.inf, 0.0)
    step, value = max(trial.intermediate_values.items())
    return (0.0, float(step), -math.inf if math.isnan(value) else sign * value)


def slacks(trials: Sequence[FrozenTrial]) -> np.ndarray:
    """How far each trial is within each constraint, below 0 where it violates it, (n, c).

    A trial that reports nothing for a constraint counts as satisfying it.
    """
    found = [_constraints(trial) for trial in trials]
    names = sorted({name for constraints in found for name in constraints})
    rows = [[-constraints.get(name, -math.inf) for name in names] for constraints in found]
    return np.array(rows).reshape(len(trials), len(names))


def _constraints(trial: FrozenTrial) -> dict[str, float]:
    """The constraints of both kinds by name; a value above 0 violates one."""
    attributes = trial.system_attrs
    old = {str(place): value for place, value in enumerate(attributes.get(OLD) or ())}
    return old | {key: value for key, value in attributes.items() if key.startswith(NEW)}
