"""The performance model of `nao`: a Gaussian process on structural features. No torch.

    k(x, x') = sigma^2 sum_b w_b M(r_b / l_b),     M(r) = (1 + sqrt(5) r + 5/3 r^2) exp(-sqrt(5) r)

r_b is the distance in feature block b in units of a typical distance in the space. The weights w
are a softmax, the noise is sigma^2 s, and sigma^2 is profiled out. There are few parameters, under
tight priors, and the most probable ones are taken: of all variants that were tried nothing but
these tight priors made 5 results enough to begin with.

Shapes: n known results, N candidates, S possible outcomes of the results, b blocks.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.special import ndtri
from scipy.stats import rankdata
from threadpoolctl import ThreadpoolController

SQRT5 = 5**0.5

# Priors N(mean, deviation^2) of the softmax logits, of log l and of log s.
WEIGHT_DEVIATION = 0.2
LENGTH_PRIOR = (0.3, 0.15)
NOISE_PRIOR = (np.log(0.03), 1.0)
NOISE_RANGE = (np.log(1e-4), 0.0)
BOUNDS = (-6.0, 6.0)
"""The range of logits and log lengths. No fit comes near, but a step of its line search once
overflowed."""
ITERATIONS = 25
SMALLEST = 1e-8
"""Variances are at least this: equal results or repeated features would make them zero."""

Moments = tuple[np.ndarray, np.ndarray]
"""The mean, (N,) or (S, N), and the standard deviation, (N,), at N candidates."""

Predict = Callable[[np.ndarray], Moments]
"""Predicts at certain candidates from targets of the known results, (n,) or (S, n)."""


def one_blas_thread() -> AbstractContextManager[object]:
    """Holds BLAS to one thread, which was 13 times faster on small matrices (docs/results.md)."""
    limited: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limited


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def rank_gauss(values: np.ndarray) -> np.ndarray:
    """Order-preserving targets: the normal quantile of each rank, ties averaged, (n,)."""
    quantiles: np.ndarray = ndtri((rankdata(values) - 0.5) / len(values))
    return quantiles


def matern(distance: np.ndarray) -> np.ndarray:
    """The Matern-5/2 correlation at these distances."""
    scaled = SQRT5 * distance
    correlation: np.ndarray = (1 + scaled + scaled * scaled / 3) * np.exp(-scaled)
    return correlation


@dataclass(frozen=True)
class Kernel:
    """The parameters that a fit finds.

    Attributes:
        weights: The weights of the blocks, which add up to 1, (b,).
        lengths: The length scales of the blocks, (b,).
        noise: The noise variance s, as a share of sigma^2.
    """

    weights: np.ndarray
    lengths: np.ndarray
    noise: float

    @classmethod
    def of(cls, vector: np.ndarray) -> Kernel:
        """The kernel of a vector of logits, log lengths and log noise."""
        blocks = len(vector) // 2
        weights = np.exp(vector[:blocks] - vector[:blocks].max())
        return cls(weights / weights.sum(), np.exp(vector[blocks:-1]), float(np.exp(vector[-1])))

    def correlation(self, distances: Sequence[np.ndarray]) -> np.ndarray:
        """The correlation k / sigma^2 at the distances in each block, without noise."""
        # Python's numbers leave float32 distances in float32.
        terms = zip(self.weights.tolist(), self.lengths.tolist(), distances, strict=True)
        total: np.ndarray = np.sum([w * matern(r / length) for w, length, r in terms], axis=0)
        return total


def fit_kernel(
    distances: Sequence[np.ndarray],
    targets: np.ndarray,
    logits: np.ndarray,
    noise: float = NOISE_PRIOR[0],
) -> Kernel:
    """The most probable kernel.

    Args:
        distances: The distances between the known results in each block, b times (n, n).
        targets: The targets of the results, (n,).
        logits: The prior means of the logits of the blocks' weights, (b,).
        noise: The prior mean of log s.
    """
    blocks = len(distances)
    start = np.concatenate([logits, np.full(blocks, LENGTH_PRIOR[0]), [noise]])
    bounds = [BOUNDS] * (2 * blocks) + [NOISE_RANGE]
    found = minimize(
        _negative_log_posterior,
        start,
        (distances, targets, start),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": ITERATIONS},
    )
    return Kernel.of(found.x)


def expected_noise(values: np.ndarray, deviations: Sequence[float | None]) -> float:
    """The prior mean of log s: from the deviations of the values, where these are known.

    Args:
        values: The values of the results, (n,).
        deviations: The standard deviation of each value; None where it is not known.
    """
    known = [one for one in deviations if one is not None]
    largest = float(np.abs(values).max(initial=0.0))
    if not known or not largest:
        return float(NOISE_PRIOR[0])
    spread = float(
        np.std(values / largest)
    )  # squares of values at the ends of the numbers overflow
    if not spread:
        return float(NOISE_PRIOR[0])
    relative = np.minimum(np.array(known) / largest / spread, 1.0)
    share = min(0.5, float(np.mean(np.square(relative))))
    return float(np.clip(np.log(max(share, SMALLEST) / (1 - share)), *NOISE_RANGE))


def _negative_log_posterior(
    vector: np.ndarray,
    distances: Sequence[np.ndarray],
    targets: np.ndarray,
    expected: np.ndarray,
) -> tuple[float, np.ndarray]:
    """The negative log posterior, sigma^2 = z' K^-1 z / n profiled out, and its gradient."""
    kernel, amount = Kernel.of(vector), len(targets)
    correlations = [matern(r / length) for r, length in zip(distances, kernel.lengths, strict=True)]
    smooth = np.tensordot(kernel.weights, correlations, axes=1)
    factor = np.linalg.cholesky(smooth + kernel.noise * np.eye(amount))
    inverse = cho_solve((factor, True), np.eye(amount))
    solved = inverse @ targets
    variance = max(targets @ solved / amount, SMALLEST)
    # d(-log L)/dK = (K^-1 - solved solved' / sigma^2) / 2
    slope = (inverse - np.outer(solved, solved) / variance) / 2
    weight_slopes = [
        w * np.sum(slope * (c - smooth)) for w, c in zip(kernel.weights, correlations, strict=True)
    ]
    length_slopes = [
        w * np.sum(slope * _length_slope(r / length))
        for w, length, r in zip(kernel.weights, kernel.lengths, distances, strict=True)
    ]
    noise_slope = kernel.noise * np.trace(slope)
    gradient = np.array([*weight_slopes, *length_slopes, noise_slope])
    value = amount / 2 * np.log(variance) + np.log(np.diag(factor)).sum()
    prior_value, prior_gradient = _prior(vector, expected)
    return float(value + prior_value), gradient + prior_gradient


def _length_slope(distance: np.ndarray) -> np.ndarray:
    """The slope dM / dlog l at r / l."""
    scaled = SQRT5 * distance
    slope: np.ndarray = scaled * scaled / 3 * (1 + scaled) * np.exp(-scaled)
    return slope


def _prior(vector: np.ndarray, expected: np.ndarray) -> tuple[float, np.ndarray]:
    """The negative log of the normal prior around the expected values, and its gradient."""
    blocks = len(vector) // 2
    deviations = np.concatenate(
        [np.full(blocks, WEIGHT_DEVIATION), np.full(blocks, LENGTH_PRIOR[1]), NOISE_PRIOR[1:]]
    )
    away = (vector - expected) / deviations
    return float(away @ away) / 2, away / deviations


class GaussianProcess:
    """The posterior over candidates, given results to which others can be added.

    It keeps the Cholesky factor L of K and V = L^-1 k(known, candidates). Each further result
    appends a row to both, O(n N).

    Args:
        kernel: The kernel.
        known: The distances between the results, b times (n, n).
        cross: The distances from results to candidates, some of the N at a time, each part b times
            (n, part): three blocks of 1,000 results and 26,000 candidates are half a gigabyte.
    """

    def __init__(
        self,
        kernel: Kernel,
        known: Sequence[np.ndarray],
        cross: Iterable[Sequence[np.ndarray]] = (),
    ) -> None:
        self.kernel = kernel
        correlation = kernel.correlation([r.astype(np.float64) for r in known])
        self.factor = np.linalg.cholesky(correlation + kernel.noise * np.eye(len(correlation)))
        none = np.zeros((len(correlation), 0), dtype=np.float32)
        self.reduced = np.concatenate([none, *map(self._reduce, cross)], axis=1)
        self.explained = np.einsum("ij,ij->j", self.reduced, self.reduced)

    def condition_on(
        self, known: Sequence[np.ndarray], cross: Sequence[np.ndarray]
    ) -> GaussianProcess:
        """The process given p more results; this one is left as it is.

        Args:
            known: The distances from the new results to those before them and to each other, b
                times (p, n + p).
            cross: The distances from the new results to the candidates, b times (p, N).
        """
        process = copy.copy(self)
        before = len(self.factor)
        correlation = self.kernel.correlation([r.astype(np.float64) for r in known])
        rows = solve_triangular(self.factor, correlation[:, :before].T, lower=True).T
        left = correlation[:, before:] - rows @ rows.T
        corner = np.linalg.cholesky(left + self.kernel.noise * np.eye(len(left)))
        process.factor = np.pad(self.factor, ((0, len(left)), (0, len(left))))
        process.factor[before:] = np.hstack([rows, corner])
        new = self.kernel.correlation(cross) - rows.astype(np.float32) @ self.reduced
        new = solve_triangular(corner.astype(np.float32), new, lower=True)
        process.reduced = np.concatenate([self.reduced, new])
        process.explained = self.explained + np.einsum("ij,ij->j", new, new)
        return process

    def draw(self, targets: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
        """Measurements of the last p results, each given those before it, (S, n).

        Args:
            targets: S possible outcomes of the results before them, (S, n - p).
            quantiles: Standard normal quantiles of what is drawn, (S, p).
        """
        before = targets.shape[1]
        known = self.factor[:before, :before]
        whitened = solve_triangular(known, targets.T, lower=True).T
        for row, quantile in zip(self.factor[before:], quantiles.T, strict=True):
            done = whitened.shape[1]
            variance = max(float(np.mean(whitened * whitened)), SMALLEST)
            new = variance**0.5 * quantile  # of the measurement, whitened by those before it
            drawn = whitened @ row[:done] + row[done] * new
            whitened = np.append(whitened, new[:, None], axis=1)
            targets = np.append(targets, drawn[:, None], axis=1)
        return targets

    def predict(self, targets: np.ndarray) -> Moments:
        """Mean and standard deviation of a new measurement at each candidate.

        Args:
            targets: The targets of the results, (n,), or S possible outcomes of them, (S, n).
                Different outcomes alter the mean alone: sigma is taken over all of them.
        """
        return self._predict(targets, self.reduced, self.explained)

    def predict_at(
        self, targets: np.ndarray, cross: Sequence[np.ndarray], *, smooth: bool = False
    ) -> Moments:
        """The same at other candidates.

        Args:
            targets: The targets of the results, as for `predict`.
            cross: The distances from results to these candidates, b times (n, N).
            smooth: Whether the deviation is that of the mean, without the noise of a measurement:
                for candidates that may lie as close to a result as they like.
        """
        reduced = self._reduce(cross)
        explained = np.einsum("ij,ij->j", reduced, reduced)
        return self._predict(targets, reduced, explained, smooth=smooth)

    def leave_one_out(self, targets: np.ndarray) -> Moments:
        """Mean and deviation at each known result when it is left out, (n,) each.

        Rasmussen and Williams 2006, equations 5.10 to 5.12.
        """
        inverse = cho_solve((self.factor, True), np.eye(len(targets)))
        solved = inverse @ targets
        variance = max(targets @ solved / len(targets), SMALLEST)
        return targets - solved / np.diag(inverse), np.sqrt(variance / np.diag(inverse))

    def _reduce(self, cross: Sequence[np.ndarray]) -> np.ndarray:
        """V at other candidates, (n, N)."""
        reduced: np.ndarray = solve_triangular(
            self.factor.astype(np.float32), self.kernel.correlation(cross), lower=True
        )
        return reduced

    def _predict(
        self,
        targets: np.ndarray,
        reduced: np.ndarray,
        explained: np.ndarray,
        *,
        smooth: bool = False,
    ) -> Moments:
        """sd^2 = sigma^2 (1 - |v|^2 + s), noise included unless `smooth`.

        Architectures of equal features do differ. Without s the expected improvement would treat
        them as known and stop exploring.
        """
        whitened = solve_triangular(self.factor, targets.T, lower=True).T
        variance = max(float(np.mean(whitened * whitened)), SMALLEST)
        # A BLAS may read beyond short rows, and reports what it found there; the product is right.
        with np.errstate(invalid="ignore"):
            mean = whitened.astype(np.float32) @ reduced
        left = np.maximum(1 - explained, SMALLEST if smooth else 0)
        if not smooth:
            left = left + self.kernel.noise
        return mean, np.sqrt(variance * left)
