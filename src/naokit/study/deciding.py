"""Which architecture is the best where evaluations are noisy, and where one more would tell most.

    t ~ N(mu, tau^2)      the true values of the architectures of a study
    y = t + e, e ~ N(0, sigma^2)      their evaluations

An architecture is judged by its posterior mean, which counts a single lucky value less than the
mean of several. What chose it does not matter then: a posterior knows no winner's curse. An
evaluation again goes where it is expected to raise the value of whatever leads afterwards most: the
knowledge gradient (Frazier, Powell and Dayanik 2008).

Shapes: N architectures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LIKELY_NOISE = 0.5
"""The share of the variance of values that is taken for noise before evaluations are repeated."""
PRIOR_REPEATS = 2
"""The number of repeats that this guess counts as."""
SMALLEST = 0.01
"""The least share of the variance that is not noise."""
UPPER = 0.8413
"""The quantile that lies a standard deviation above the median."""
GRID = 400


@dataclass(frozen=True)
class Beliefs:
    """What is known of the true values, in units of the largest value; more is better.

    Attributes:
        means: The posterior means, (N,).
        variances: The posterior variances, (N,).
        noise: The variance of an evaluation, sigma^2.
    """

    means: np.ndarray
    variances: np.ndarray
    noise: float

    @classmethod
    def of(cls, values: Sequence[Sequence[float]], running: Sequence[int] = ()) -> Beliefs:
        """The beliefs given the evaluations of each architecture, the first of them first.

        Args:
            values: The evaluations of each architecture, at least one.
            running: How many more of each are under way.
        """
        scale = max((abs(value) for same in values for value in same), default=0.0) or 1.0
        scaled = [np.array(same) / scale for same in values]  # squares of large ones overflow
        first = np.array([same[0] for same in scaled])
        middle = float(np.median(first))
        spread = max(float(np.quantile(first, UPPER)) - middle, 1e-12) ** 2
        freedom = sum(len(same) - 1 for same in scaled)
        squares = sum(float(np.square(same - same.mean()).sum()) for same in scaled)
        guess = PRIOR_REPEATS * LIKELY_NOISE * spread
        noise = (squares + guess) / (freedom + PRIOR_REPEATS)
        between = max(spread - noise, SMALLEST * spread)
        counts = np.array([len(same) for same in scaled], dtype=float)
        precision = 1 / between + counts / noise
        means = (middle / between + np.array([s.sum() for s in scaled]) / noise) / precision
        if len(running):
            precision = precision + np.asarray(running) / noise
        return cls(means, 1 / precision, noise)

    @property
    def best(self) -> int:
        """The place of the best."""
        return int(np.argmax(self.means))

    def gains(self) -> np.ndarray:
        """How much one more evaluation of each is expected to raise the best mean, (N,)."""
        if len(self.means) < 2:
            return np.ones(len(self.means))
        others = np.full(len(self.means), self.means[self.best])
        others[self.best] = np.max(np.delete(self.means, self.best))
        change = self.variances / np.sqrt(self.variances + self.noise)
        away = -np.abs(self.means - others) / change
        density = np.exp(-away * away / 2) / math.sqrt(2 * math.pi)
        found: np.ndarray = change * (away * _below(away) + density)
        return found

    def probability(self) -> float:
        """How likely the best is truly the best of all of them."""
        deviations = np.sqrt(self.variances)
        mean, deviation = self.means[self.best], deviations[self.best]
        at = mean + deviation * np.linspace(-5, 5, GRID)
        weight = np.exp(-0.5 * ((at - mean) / deviation) ** 2)
        rest = np.arange(len(self.means)) != self.best
        below = _below((at[:, None] - self.means[rest]) / deviations[rest]).prod(axis=1)
        return float((weight * below).sum() / weight.sum())


def _below(z: np.ndarray) -> np.ndarray:
    """The normal distribution function; scipy's takes longer to load than all of this."""
    found: np.ndarray = _erfc(-z / math.sqrt(2)) / 2
    return found


_erfc = np.vectorize(math.erfc, otypes=[float])
