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
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from naokit.method.surrogate import Kernel, Predict, rank_gauss

CHANCE, UNLIKELY = 0.3, 0.02
"""The variance of what is chance in whether an evaluation gives a value, as a share of sigma^2; and
the least probability of that, because the process is not sure of it either."""


@dataclass(frozen=True)
class Acquisition:
    """The worth of evaluating a candidate, as a function of the model's predictions there.

    Attributes:
        targets: The targets of the results, (n,), or S fantasies of them, (S, n).
        incumbent: The best target within the limits, one for all or one for each fantasy, (S, 1).
            None where nothing is within the limits: what is likely to be within is worth most.
        slacks: For each limit, how far the results are within it, (n,), and the threshold of
            these numbers at the limit (see `slack_targets`).
        exploration: The factor by which deviations count more.
        bound: Whether the gain is an upper confidence bound instead of the expected improvement.
        caution: The power of the probability that an evaluation gives a value.
    """

    targets: np.ndarray
    incumbent: np.ndarray | float | None
    slacks: Sequence[tuple[np.ndarray, float]]
    exploration: float = 1.0
    bound: bool = False
    caution: int = 1

    def __call__(self, predict: Predict, likely: np.ndarray | None = None) -> np.ndarray:
        """The worth of each candidate, (N,).

        Args:
            predict: The function that predicts at the candidates.
            likely: How likely an evaluation of each gives a value, (N,) (see `success`). If None,
                it does.
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
        if likely is not None:
            worth = worth * likely**self.caution
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


def success(predict: Predict, gave: np.ndarray) -> np.ndarray:
    """How likely an evaluation of each candidate gives a value, (N,).

    Least-squares classification (Rasmussen and Williams 2006, section 6.5): a process on all that
    was tried predicts 1 for a value and 0 for a failure, around the share of those that gave one.
    On recurrent networks, a fifth of which diverge, a third of its first choices failed; of those
    weighed by their distances from failures two thirds did (docs/results.md).

    Args:
        predict: The function that predicts at the candidates from what was tried (see `of_tried`).
        gave: Which of what was tried gave a value, (n,).
    """
    share = (2 + gave.sum()) / (2.2 + len(gave))
    likely: np.ndarray = np.clip(share + predict(gave - share)[0], UNLIKELY, 1)
    return likely


def of_tried(kernel: Kernel) -> Kernel:
    """The kernel of the process on all that was tried, with failures, given that of the values."""
    return replace(kernel, noise=CHANCE)


def within_limits(mean: np.ndarray, deviation: np.ndarray, threshold: float) -> np.ndarray:
    """The probability that a slack of N(mean, deviation^2) is at least the threshold, (N,)."""
    likely: np.ndarray = ndtr((mean - threshold) / deviation)
    return likely


def slack_targets(slack: np.ndarray) -> tuple[np.ndarray, float]:
    """Slacks as normal quantiles, (n,), and the quantile where the limit lies."""
    inside = float(np.mean(slack >= 0))
    share = np.clip(1 - inside, 0.5 / len(slack), 1 - 0.5 / len(slack))
    return rank_gauss(slack), float(ndtri(share))
