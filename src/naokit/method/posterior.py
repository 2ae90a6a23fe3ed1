"""What is known of every architecture: a Gaussian process, given the results so far.

    Posterior   the process on results that are added one by one, over the whole of a small space
    fantasies   the same with pending evaluations, whose results are drawn several times

Shapes: n results, S fantasies, N candidates.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TypeVar

import numpy as np
from scipy.special import ndtri
from scipy.stats import spearmanr

from naokit.method.features import Blocks, FeatureBlocks, Features, distances
from naokit.method.surrogate import (
    NOISE_PRIOR,
    GaussianProcess,
    Kernel,
    Moments,
    Predict,
    fit_kernel,
)
from naokit.space import Architecture, Space

Own = TypeVar("Own", bound="Conditioned")

ENUMERABLE = 50_000
"""A space is scored whole if it has at most this many spellings."""

PART = 4096
"""The whole space is compared with the results in parts of this many architectures."""

FANTASIES = 32
"""The expected improvement is averaged over this many fantasies of the pending results."""


class Everything:
    """All architectures of a space, and their features."""

    def __init__(self, architectures: Sequence[Architecture], features: Features) -> None:
        self.architectures = architectures
        self.blocks = features(architectures)


@lru_cache(maxsize=8)
def features_of(space: Space) -> Features:
    """The features of a space, which depend on nothing else."""
    return Features(space)


@lru_cache(maxsize=8)
def everything_of(space: Space) -> Everything | None:
    """All of a small space; None for a larger one."""
    architectures = space.everything(ENUMERABLE)
    return None if architectures is None else Everything(architectures, features_of(space))


class Conditioned:
    """A Gaussian process on architectures, over the whole space where that is small.

    Args:
        features: The features of the space.
        everything: The whole space, or None where it is too large to be scored.
        known: The architectures that the process is conditioned on.
        kernel: The kernel.

    Attributes:
        known: The architectures, those included that were added later.
    """

    def __init__(
        self,
        features: FeatureBlocks,
        everything: Everything | None,
        known: Sequence[Architecture],
        kernel: Kernel,
    ) -> None:
        self.features = features
        self.everything = everything
        self.known = list(known)
        self.blocks = features(known)
        size = 0 if everything is None else len(everything.architectures)
        parts = (slice(place, place + PART) for place in range(0, size, PART))
        across = (self._across(self.blocks, part) for part in parts)
        self.process = GaussianProcess(kernel, distances(self.blocks, self.blocks), across)

    def condition_on(self: Own, architectures: Sequence[Architecture]) -> Own:
        """The process given further results; this one is left as it is."""
        if not architectures:
            return self
        process = copy.copy(self)
        new = self.features(architectures)
        process.known = [*self.known, *architectures]
        process.blocks = [np.concatenate(pair) for pair in zip(self.blocks, new, strict=True)]
        known = [r.T for r in distances(process.blocks, new)]
        process.process = self.process.condition_on(known, self._across(new))
        return process

    def at(self, blocks: Blocks) -> Predict:
        """The function that predicts measurements at these features from targets."""
        return partial(self.process.predict_at, cross=distances(self.blocks, blocks))

    def predict(self, architectures: Sequence[Architecture], targets: np.ndarray) -> Moments:
        """The mean and deviation of a measurement of each architecture, given targets."""
        return self.at(self.features(architectures))(targets)

    def _across(self, blocks: Blocks, part: slice = slice(None)) -> list[np.ndarray]:
        """Distances to a part of the whole space; to nothing where the space is too large."""
        if self.everything is None:
            return [np.zeros((len(block), 0), dtype=np.float32) for block in blocks]
        return distances(blocks, [block[part] for block in self.everything.blocks])


class Posterior(Conditioned):
    """The process given results, whose kernel is fitted to them.

    Args:
        features: The features of the space.
        everything: The whole space, or None where it is too large to be scored.
        known: The architectures with results.
        targets: The targets of these results, (n,).
        noise: The prior mean of the log of the kernel's noise.

    Attributes:
        targets: The targets that the kernel was fitted to.
        quality: How well each result is predicted from the others (see `leave_one_out_quality`).
    """

    def __init__(
        self,
        features: FeatureBlocks,
        everything: Everything | None,
        known: Sequence[Architecture],
        targets: np.ndarray,
        noise: float = NOISE_PRIOR[0],
    ) -> None:
        blocks = features(known)
        between = [r.astype(np.float64) for r in distances(blocks, blocks)]
        kernel = fit_kernel(between, targets, features.logits, noise)
        super().__init__(features, everything, known, kernel)
        self.noise = noise
        self.targets = targets
        self.quality = leave_one_out_quality(targets, *self.process.leave_one_out(targets))

    def continues(self, known: Sequence[Architecture], targets: np.ndarray, noise: float) -> bool:
        """Whether adding results to this posterior gives that of `known`, fitted to `targets`."""
        same = np.array_equal(self.targets, targets)  # weights of several objectives alter them
        same = same and self.noise == noise
        return same and self.known == list(known[: len(self.known)])


def fantasies(
    posterior: Posterior,
    targets: np.ndarray,
    pending: Sequence[Architecture],
    generator: np.random.Generator,
) -> tuple[Posterior, np.ndarray]:
    """The posterior given the pending evaluations too, and fantasies of all targets, (S, n).

    Each pending result is drawn given those before it (Snoek et al. 2012). All are drawn at the
    same quantiles, so that few fantasies are enough. To take the mean of each instead (kriging
    believer) needed 5 % more evaluations (docs/results.md).
    """
    quantiles = ndtri((np.arange(FANTASIES) + 0.5) / FANTASIES)
    drawn_at = np.stack([generator.permutation(quantiles) for _ in pending], axis=1)
    posterior = posterior.condition_on(pending)
    return posterior, posterior.process.draw(np.repeat(targets, FANTASIES, axis=0), drawn_at)


def leave_one_out_quality(
    targets: np.ndarray, means: np.ndarray, deviations: np.ndarray
) -> dict[str, float]:
    """How well results (n,) are predicted when each is left out.

    `rank_correlation` is Spearman's; `within_90` is the share inside the central 90 % that the
    model expects. It is near 0.9 where the model's uncertainty can be trusted.
    """
    flat = len(targets) < 3 or np.ptp(targets) == 0 or np.ptp(means) == 0
    inside = np.abs(targets - means) < 1.645 * deviations
    return {
        "results": float(len(targets)),
        "rank_correlation": 0.0 if flat else float(spearmanr(targets, means).statistic),
        "within_90": float(inside.mean()),
    }
