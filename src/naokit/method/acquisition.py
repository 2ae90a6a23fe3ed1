"""How much an evaluation of each candidate promises. Higher is better everywhere.

Shapes: n known results, N candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from naokit.method.surrogate import rank_gauss

LIKENESS = 8.0
"""How fast one architecture's failing fades with distance (method.md, section 1)."""


def expected_improvement(
    mean: np.ndarray, deviation: np.ndarray, incumbent: np.ndarray | float
) -> np.ndarray:
    """E[max(0, y - incumbent)] for y ~ N(mean, deviation^2), the shape of mean (Jones et al. 1998).

    Alone it needs as few evaluations as in turn with upper confidence bounds, and it is zero where
    nothing can be gained, so that it may be multiplied by how likely a value is at all. The
    deviation must be that of a measurement, noise included (see `surrogate`).

    Args:
        mean: of a measurement at each candidate, (N,) or (S, N).
        deviation: of that measurement, (N,).
        incumbent: the best known, one or (S, 1).
    """
    away = (mean - incumbent) / deviation
    density = np.exp(-away * away / 2) / np.sqrt(2 * np.pi)
    improvement: np.ndarray = deviation * (away * ndtr(away) + density)
    return improvement


def feasibility(succeeded: Sequence[np.ndarray], failed: Sequence[np.ndarray]) -> np.ndarray:
    """How likely an evaluation of each candidate gives a value, (N,).

    p = (2 + sum over successes of k) / (2.2 + sum over all of k),  k = exp(-8 mean_b r_b^2)

    Args:
        succeeded: distances from what gave a value to the candidates, b times (n, N).
        failed: the same from what failed.
    """
    well, badly = (
        np.exp(-LIKENESS * np.mean([r * r for r in blocks], axis=0)).sum(axis=0)
        for blocks in (succeeded, failed)
    )
    likely: np.ndarray = (2 + well) / (2.2 + well + badly)
    return likely


def within_limits(mean: np.ndarray, deviation: np.ndarray, threshold: float) -> np.ndarray:
    """How likely the slack, foretold as N(mean, deviation^2), is at least the threshold, (N,)."""
    likely: np.ndarray = ndtr((mean - threshold) / deviation)
    return likely


def slack_targets(slack: np.ndarray) -> tuple[np.ndarray, float]:
    """Slacks as normal quantiles, (n,), and the quantile where the limit lies."""
    inside = float(np.mean(slack >= 0))
    share = np.clip(1 - inside, 0.5 / len(slack), 1 - 0.5 / len(slack))
    return rank_gauss(slack), float(ndtri(share))
