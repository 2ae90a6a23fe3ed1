"""What an evaluation promises, by a Gaussian process on the results so far.

    Model     the process on results that grow one by one, over everything where that is finite
    imagined  the same with what is pending, in several outcomes
    Score     expected improvement, failures and limits weighed in

Shapes: n results, S outcomes of what is pending, N candidates.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import numpy as np
from scipy.special import ndtri
from scipy.stats import spearmanr

from naokit.base import Architecture, Space
from naokit.method.acquisition import (
    expected_improvement,
    feasibility,
    slack_targets,
    within_limits,
)
from naokit.method.features import Blocks, Features, distances
from naokit.method.surrogate import GaussianProcess, fit_parameters

ENUMERABLE = 50_000
"""A space of so many spellings at most is scored whole."""

PART = 4096
"""Of everything, how much is compared with the results at once."""

OUTCOMES = 32
"""Possible outcomes of what is pending over which an evaluation's promise is averaged."""

Foretell = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Targets of the known results, (n,) or (S, n) -> mean, (N,) or (S, N), and deviation, (N,), of a
measurement at N candidates."""


class Everything:
    """All the architectures of a space, and their features."""

    def __init__(self, architectures: Sequence[Architecture], features: Features) -> None:
        self.architectures = architectures
        self.blocks = features(architectures)


@lru_cache(maxsize=8)
def features_of(space: Space) -> Features:
    """The features of a space: they depend on nothing else."""
    return Features(space)


@lru_cache(maxsize=8)
def everything_of(space: Space) -> Everything | None:
    """All of a small space; None for a larger one."""
    architectures = space.everything(ENUMERABLE)
    return None if architectures is None else Everything(architectures, features_of(space))


class Model:
    """The Gaussian process on results that grow one by one, over everything where that is finite.

    Attributes:
        known: the architectures with results.
        targets: of those that the parameters were fitted to.
        quality: how well each result is foretold by the others.
    """

    def __init__(
        self,
        features: Features,
        everything: Everything | None,
        known: Sequence[Architecture],
        targets: np.ndarray,
    ) -> None:
        self.features = features
        self.everything = everything
        self.known = list(known)
        self.targets = targets
        self.blocks = features(known)
        between = distances(self.blocks, self.blocks)
        exact = [r.astype(np.float64) for r in between]
        parameters = fit_parameters(exact, targets, features.logits)
        size = 0 if everything is None else len(everything.architectures)
        parts = (slice(place, place + PART) for place in range(0, size, PART))
        across = (self._across(self.blocks, part) for part in parts)
        self.process = GaussianProcess(parameters, between, across)
        self.quality = quality(targets, *self.process.left_out(targets))

    def continues(self, known: Sequence[Architecture], targets: np.ndarray) -> bool:
        """Whether growing this model gives that of these results, fitted to these targets."""
        same = np.array_equal(self.targets, targets)  # weights of several objectives alter them
        return same and self.known == list(known[: len(self.known)])

    def grown(self, architecture: Architecture) -> Model:
        """This model with one more result; this one stays as it is."""
        model = copy.copy(self)
        new = self.features([architecture])
        known = [r[:, 0] for r in distances(self.blocks, new)]
        model.process = self.process.grown(known, [r[0] for r in self._across(new)])
        model.known = [*self.known, architecture]
        model.blocks = [np.concatenate(pair) for pair in zip(self.blocks, new, strict=True)]
        return model

    def foretell(self, blocks: Blocks, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of a measurement at these features; see `Foretell`."""
        return self.process.posterior_at(targets, distances(self.blocks, blocks))

    def _across(self, blocks: Blocks, part: slice = slice(None)) -> list[np.ndarray]:
        """Distances to a part of everything; to nothing where a space is endless."""
        if self.everything is None:
            return [np.zeros((len(block), 0), dtype=np.float32) for block in blocks]
        return distances(blocks, [block[part] for block in self.everything.blocks])


def imagined(
    model: Model,
    outcomes: np.ndarray,
    pending: Sequence[Architecture],
    generator: np.random.Generator,
) -> tuple[Model, np.ndarray]:
    """The model with what is pending, and outcomes (S, n) that it may have (Snoek et al. 2012).

    Each is drawn given those before it, by the same quantiles for all, so that few tell much. To
    take the mean of each for its outcome instead needed 5 % more evaluations (docs/results.md).
    """
    quantiles = ndtri((np.arange(OUTCOMES) + 0.5) / OUTCOMES)
    outcomes = np.repeat(outcomes, OUTCOMES, axis=0)
    for architecture in pending:
        mean, deviation = model.foretell(model.features([architecture]), outcomes)
        drawn = mean + deviation * generator.permutation(quantiles)[:, None]
        model, outcomes = model.grown(architecture), np.append(outcomes, drawn, axis=1)
    return model, outcomes


def quality(targets: np.ndarray, means: np.ndarray, deviations: np.ndarray) -> dict[str, float]:
    """How well results (n,) are foretold when each is left out.

    `rank_correlation` is Spearman's; `within_90` is the share inside the central 90 % that the
    model expects: near .9 where its uncertainty can be trusted.
    """
    flat = len(targets) < 3 or np.ptp(targets) == 0 or np.ptp(means) == 0
    inside = np.abs(targets - means) < 1.645 * deviations
    return {
        "results": float(len(targets)),
        "rank_correlation": 0.0 if flat else float(spearmanr(targets, means).statistic),
        "within_90": float(inside.mean()),
    }


class Score:
    """What an evaluation promises, of architectures or of everything.

    Args:
        model: of the results, those pending included.
        outcomes: targets of these results as they may turn out, (S, n).
        slack: how far each is within the limits, (n,).
        failed: what gave no value.
        pending: how many of the results, the last ones, are imagined.

    The more is pending, the farther afield an evaluation is looked for: the deviation counts
    sqrt(1 + pending) times. What is evaluated together learns nothing from each other, so that
    each should ask something of its own: batches of 10 need a tenth fewer evaluations
    (docs/results.md).
    """

    def __init__(
        self,
        model: Model,
        outcomes: np.ndarray,
        slack: np.ndarray,
        failed: Sequence[Architecture],
        pending: int = 0,
    ) -> None:
        self.model = model
        self.outcomes = outcomes
        self.doubt = np.float32((1 + pending) ** 0.5)
        self.failed = model.features(failed) if failed else None
        within = slack >= 0
        best = outcomes[:, within].max(axis=1, keepdims=True) if within.any() else None
        self.incumbents = None if best is None else best.astype(np.float32)
        self.slack = None if within.all() else slack_targets(slack)

    def __call__(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """The promise of each, (N,)."""
        blocks = self.model.features(architectures)
        between = distances(self.model.blocks, blocks)
        return self._promise(blocks, partial(self.model.process.posterior_at, cross=between))

    def of_everything(self) -> np.ndarray:
        """The promise of the whole space."""
        assert self.model.everything is not None
        return self._promise(self.model.everything.blocks, self.model.process.posterior)

    def _promise(self, blocks: Blocks, foretell: Foretell) -> np.ndarray:
        """Expected improvement, as far as a value within the limits is likely."""
        mean, deviation = foretell(self.outcomes)
        promise = np.ones_like(deviation)  # nothing is within the limits yet: find what is
        if self.incumbents is not None:
            wide = self.doubt * deviation
            promise = expected_improvement(mean, wide, self.incumbents).mean(axis=0)
        if self.slack is not None:
            slack, threshold = self.slack
            promise = promise * within_limits(*foretell(slack), threshold)
        if self.failed is not None:
            succeeded = distances(self.model.blocks, blocks)
            promise = promise * feasibility(succeeded, distances(self.failed, blocks))
        return promise
