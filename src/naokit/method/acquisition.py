"""How much an evaluation of each candidate is worth. Higher is better everywhere.

    acquisition = expected gain * P(within the limits) * P(the evaluation gives a value)^caution

Two searches use it, each with what its own benchmark favoured:

                     `nao` (architectures)                `NAOSampler` (Optuna's parameters)
    gain             expected improvement                 in turn with a confidence bound
    pending          32 fantasies, wider exploration      believed to turn out as expected
    caution          1                                    2
    deviation        of a measurement, noise included     of the mean

Shapes: n known results, S fantasies of them, N candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from naokit.method.features import Blocks, distances
from naokit.method.surrogate import Predict, rank_gauss

FAILURE_DECAY = 8.0
"""How fast the influence of a failed evaluation fades with the distance from it."""


@dataclass(frozen=True)
class Acquisition:
    """The worth of evaluating a candidate, as a function of the model's predictions there.

    Attributes:
        targets: The targets of the results, (n,), or S fantasies of them, (S, n).
        incumbent: The best target within the limits, one for all or one for each fantasy, (S, 1).
            None where nothing is within the limits: what is likely to be within is worth most.
        slacks: For each limit, how far the results are within it, (n,), and the threshold of
            these numbers at the limit (see `slack_targets`).
        succeeded: The features of what gave a value.
        failed: The features of what failed, or None.
        exploration: The factor by which deviations count more.
        bound: Whether the gain is an upper confidence bound instead of the expected improvement.
        caution: The power of the probability that an evaluation gives a value.
    """

    targets: np.ndarray
    incumbent: np.ndarray | float | None
    slacks: Sequence[tuple[np.ndarray, float]]
    succeeded: Blocks
    failed: Blocks | None
    exploration: float = 1.0
    bound: bool = False
    caution: int = 1

    def __call__(self, predict: Predict, blocks: Blocks) -> np.ndarray:
        """The worth of each candidate, (N,).

        Args:
            predict: The function that predicts at the candidates.
            blocks: The features of the candidates.
        """
        mean, deviation = predict(self.targets)
        worth = np.ones_like(deviation)
        if self.incumbent is not None:
            deviation = self.exploration * deviation
            if self.bound:
                gain = np.maximum(mean + deviation - self.targets.min(), 0)
            else:
                gain = expected_improvement(mean, deviation, self.incumbent)
            worth = np.atleast_2d(gain).mean(axis=0)  # over the fantasies
        for slack, threshold in self.slacks:
            worth = worth * within_limits(*predict(slack), threshold)
        if self.failed is not None:
            near = distances(self.succeeded, blocks), distances(self.failed, blocks)
            worth = worth * feasibility(*near) ** self.caution
        return worth


def expected_improvement(
    mean: np.ndarray, deviation: np.ndarray, incumbent: np.ndarray | float
) -> np.ndarray:
    """E[max(0, y - incumbent)] for y ~ N(mean, deviation^2), the shape of mean (Jones et al. 1998).

    On architectures it needs as few evaluations alone as in turn with upper confidence bounds. It
    is zero where nothing can be gained, so that it may be multiplied by probabilities.

    Args:
        mean: The mean of a measurement at each candidate, (N,) or (S, N).
        deviation: The deviation of that measurement, (N,).
        incumbent: The best known target, one for all or (S, 1).
    """
    away = (mean - incumbent) / deviation
    density = np.exp(-away * away / 2) / np.sqrt(2 * np.pi)
    improvement: np.ndarray = deviation * (away * ndtr(away) + density)
    return improvement


def feasibility(succeeded: Sequence[np.ndarray], failed: Sequence[np.ndarray]) -> np.ndarray:
    """How likely an evaluation of each candidate gives a value, (N,).

    p = (2 + sum over successes of k) / (2.2 + sum over all of k),  k = exp(-8 mean_b r_b^2)

    Args:
        succeeded: The distances from what gave a value to the candidates, b times (n, N).
        failed: The distances from what failed to the candidates, b times (m, N).
    """
    well, badly = (
        np.exp(-FAILURE_DECAY * np.mean([r * r for r in blocks], axis=0)).sum(axis=0)
        for blocks in (succeeded, failed)
    )
    likely: np.ndarray = (2 + well) / (2.2 + well + badly)
    return likely


def within_limits(mean: np.ndarray, deviation: np.ndarray, threshold: float) -> np.ndarray:
    """The probability that a slack of N(mean, deviation^2) is at least the threshold, (N,)."""
    likely: np.ndarray = ndtr((mean - threshold) / deviation)
    return likely


def slack_targets(slack: np.ndarray) -> tuple[np.ndarray, float]:
    """Slacks as normal quantiles, (n,), and the quantile where the limit lies."""
    inside = float(np.mean(slack >= 0))
    share = np.clip(1 - inside, 0.5 / len(slack), 1 - 0.5 / len(slack))
    return rank_gauss(slack), float(ndtri(share))
