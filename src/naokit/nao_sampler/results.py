"""What a study's results are worth: which comes before which.

    feasible and complete, by value  >  feasible and pruned, by how far and how well
                                     >  infeasible, by how much the constraints are violated

Targets are ranks, so an order is all that is needed. Several objectives are turned into one value
by weights drawn for each suggestion (ParEGO, Knowles 2006).

Shapes: n trials, m objectives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from naokit.method.surrogate import rank_gauss

AUGMENTATION = 0.05
"""Share of the sum in the augmented Chebyshev value (Knowles 2006)."""

Standing = tuple[float, float, float]
"""Compares trials; higher is better."""


def targets(
    trials: Sequence[FrozenTrial],
    directions: Sequence[StudyDirection],
    generator: np.random.Generator,
) -> np.ndarray:
    """Normal quantiles of how the trials stand, higher is better, (n,).

    Args:
        trials: complete and pruned ones.
        directions: of the objectives.
        generator: draws the weights of several objectives.
    """
    signs = np.array([1.0 if d == StudyDirection.MAXIMIZE else -1.0 for d in directions])
    complete = [trial for trial in trials if _is_complete(trial)]
    values = signs * np.array([trial.values for trial in complete]).reshape(-1, len(signs))
    merits = merit(values, generator) if complete else np.zeros(0)
    merit_of = {trial.number: value for trial, value in zip(complete, merits.tolist(), strict=True)}
    standings = [
        (2.0, 0.0, merit_of[trial.number])
        if trial.number in merit_of
        else _standing_of_others(trial, float(signs[0]))
        for trial in trials
    ]
    places = {standing: place for place, standing in enumerate(sorted(set(standings)))}
    return rank_gauss(np.array([places[standing] for standing in standings]))


def merit(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One value for the objectives (n, m), higher is better in all of them, (n,).

    The augmented Chebyshev value of their normal quantiles, counted from the best of each.
    """
    objectives = values.shape[1]
    if objectives == 1:
        return values[:, 0]
    weights = generator.dirichlet(np.ones(objectives))
    quantiles = np.stack([rank_gauss(column) for column in values.T], axis=1)
    losses = weights * (quantiles.max(axis=0) - quantiles)
    merits: np.ndarray = -losses.max(axis=1) - AUGMENTATION * losses.sum(axis=1)
    return merits


def violation(trial: FrozenTrial) -> float:
    """By how much a trial violates its constraints, of either of Optuna's two kinds; 0: by none."""
    found = list(trial.system_attrs.get("constraints") or ())
    found += [value for key, value in trial.system_attrs.items() if key.startswith("constraints:")]
    return math.fsum(value for value in found if value > 0)


def _is_complete(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.COMPLETE and violation(trial) == 0


def _standing_of_others(trial: FrozenTrial, sign: float) -> Standing:
    """How infeasible and pruned trials stand, behind the others."""
    if violation(trial) > 0:
        return (0.0, 0.0, -violation(trial))
    if not trial.intermediate_values:
        return (1.0, -math.inf, 0.0)
    step, value = max(trial.intermediate_values.items())
    return (1.0, float(step), -math.inf if math.isnan(value) else sign * value)
