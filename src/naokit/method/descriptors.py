"""Descriptors measured on architectures, as one more block of the kernel of `nao`.

    what every architecture has ──features──────────> path, degree, ... ─┐
    what is measured on a few   ──normal quantiles──> descriptor ────────┴──> Gaussian process

A descriptor costs a share of an evaluation, so it is measured only where it may decide: for what is
evaluated, and for the few candidates that the process without it likes most. Whether larger is
better, and whether it says anything, depends on data and recipe; so it is a distance like the
others, whose weight is learnt.

Shapes: A architectures, N described ones, d descriptors.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from naokit.doors import Descriptors, Observation
from naokit.method.candidates import Candidate, Scorer
from naokit.method.features import Blocks, FeatureBlocks
from naokit.method.posterior import Posterior, leave_one_out_quality
from naokit.method.results import split
from naokit.method.surrogate import expected_noise, rank_gauss
from naokit.space import Architecture, Space

LOGIT = 0.0
"""The prior mean of the logit of the block's weight."""

SPENT, MOST = 0.75, 16
"""For each proposal so many candidates are described as cost this share of an evaluation, and at
most so many: at equal cost 8 at a tenth each found better cells than 4 or none, and than 8 that
were drawn at random (docs/results.md)."""

EARLIER = "described earlier"
"""The origin of a proposal that was described for one before and not chosen then."""


def affordable(share: float) -> int:
    """How many candidates may be described for each proposal.

    Args:
        share: What the descriptors of one cost as a share of an evaluation.
    """
    return min(MOST, int(SPENT / share)) if share > 0 else MOST


def shortlisted(share: float) -> int:
    """How many are described: as many as are affordable, but not one alone, which is no choice.

    Args:
        share: What the descriptors of one cost as a share of an evaluation.
    """
    amount = affordable(share)
    return amount if amount > 1 else 0


class DescribedFeatures(FeatureBlocks):
    """The features of a space, and those of the descriptors that are known.

    Args:
        features: The features without descriptors.
        described: The architectures whose descriptors are known.
        values: Their descriptors, NaN where one is not known, (N, d).
    """

    def __init__(
        self, features: FeatureBlocks, described: Sequence[Architecture], values: np.ndarray
    ) -> None:
        self.features = features
        block = scaled(values)
        self.logits = np.append(features.logits, LOGIT)
        self._described = dict(zip((one.key for one in described), block, strict=True))

    def __call__(self, architectures: Sequence[Architecture]) -> Blocks:
        """The blocks of architectures that are all described, each (A, columns)."""
        rows = [self._described[architecture.key] for architecture in architectures]
        return [*self.features(architectures), np.stack(rows)]


def scaled(values: np.ndarray) -> np.ndarray:
    """Descriptors as normal quantiles of their ranks, in units of a typical distance, (N, d).

    What is not known lies in the middle, and says nothing.
    """
    columns = np.stack([_quantiles(column) for column in values.T], axis=1)
    typical = (2 * columns.var(axis=0).sum()) ** 0.5  # of two random rows
    scaled: np.ndarray = (columns / typical if typical else columns).astype(np.float32)
    return scaled


def _quantiles(column: np.ndarray) -> np.ndarray:
    """The normal quantile of each known rank, ties averaged; 0 where nothing is known."""
    known = np.isfinite(column)
    found = np.zeros(len(column))
    found[known] = ndtri((rankdata(column[known]) - 0.5) / max(1, known.sum()))
    return found


@dataclass(frozen=True)
class Described:
    """Candidates whose descriptors are known, and the process that knows them too.

    Attributes:
        candidates: The candidates, those of this proposal first.
        posterior: The process given the results, on features and descriptors.
        facts: What the descriptors are worth and cost so far, by name.
    """

    candidates: Sequence[Candidate]
    posterior: Posterior
    facts: Mapping[str, float]

    def best(self, worth: Scorer) -> Candidate:
        """The candidate whose evaluation is worth most."""
        scores = worth([candidate.architecture for candidate in self.candidates])
        return self.candidates[int(np.argmax(scores))]


class Shortlist:
    """Describes the most promising candidates, so that one of them can be chosen.

    Those of earlier proposals that were not evaluated cost nothing more and stand beside them.

    Args:
        space: The space that is searched.
        features: Its features.
        descriptors: What measures descriptors, and what is measured already.
        amount: How many candidates of each proposal are described.
    """

    def __init__(
        self, space: Space, features: FeatureBlocks, descriptors: Descriptors, amount: int
    ) -> None:
        self.space, self.features = space, features
        self.descriptors, self.amount = descriptors, amount

    def __call__(
        self,
        candidates: Iterator[Candidate],
        posterior: Posterior,
        valued: Sequence[Observation],
        pending: Sequence[Architecture],
        seen: Container[str],
    ) -> Described:
        """The described candidates.

        Args:
            candidates: The new candidates, the most promising first.
            posterior: The process without descriptors, given the results.
            valued: The results.
            pending: What is evaluated now.
            seen: The keys of what was or is evaluated.
        """
        found = {one.architecture.key: one for one in islice(candidates, self.amount)}
        for architecture in self.descriptors.known():
            if architecture.key not in seen and self.space.allows(architecture.choices):
                found.setdefault(architecture.key, Candidate(architecture, EARLIER))
        results, values = split(valued)
        self.descriptors([*results, *pending, *(one.architecture for one in found.values())])
        known = self.descriptors.known()
        features = DescribedFeatures(self.features, known, self.descriptors(known))
        targets = rank_gauss(values)
        noise = expected_noise(values, [trial.noise for trial in valued])
        better = Posterior(features, None, results, targets, noise)
        without = leave_one_out_quality(targets, *posterior.process.leave_one_out(targets))
        facts = {
            "described": float(len(known)),
            "described_cost": len(known) * self.descriptors.share,
            "described_with": better.quality["rank_correlation"],
            "described_without": without["rank_correlation"],
        }
        return Described(list(found.values()), better, facts)
