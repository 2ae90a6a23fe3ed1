"""Whether a performance model can be trusted here, and the map that it makes of architectures.

Whatever proposed, the Gaussian process of `nao` is fitted to what a study found. Each result is
predicted from all others; and what the kernel calls near is near on the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from naokit.report.reached import Reached, differ, reached_in

if TYPE_CHECKING:
    from naokit.method.posterior import Posterior
    from naokit.study import Study

FEWEST = 5
"""With fewer architectures nothing can be said."""
MOST = 300
"""The time of a fit grows with the third power: a second at this many."""
LEVELS = ((0.5, 0.674), (0.8, 1.282), (0.9, 1.645), (0.95, 1.960))
"""How sure a model says it is, and how many standard deviations that is to either side."""


@dataclass(frozen=True)
class Prediction:
    """What an architecture reached, and what the others foretell for it.

    Attributes:
        trial: The number of its first evaluation.
        architecture: The genotype.
        value: What it reached.
        predicted: What was foretold.
        low: The lower end of the range in which the model was 90 % sure.
        high: The upper end.
        stopped: Whether it was stopped early, so that its value is of fewer epochs.
    """

    trial: int
    architecture: str
    value: float
    predicted: float
    low: float
    high: float
    stopped: bool


@dataclass(frozen=True)
class Coverage:
    """How many results lay where the model was so sure, as shares."""

    sure: float
    inside: float


@dataclass(frozen=True)
class Place:
    """An architecture on the map."""

    trial: int
    architecture: str
    value: float
    stopped: bool
    x: float
    y: float


@dataclass(frozen=True)
class Map:
    """A map of architectures: the two directions in which the kernel tells most apart.

    Attributes:
        places: The architectures.
        path: The trials that were the best so far, in order.
        share: How much of all differences two directions can show, as a share.
    """

    places: tuple[Place, ...]
    path: tuple[int, ...]
    share: float


@dataclass(frozen=True)
class ModelCheck:
    """A Gaussian process fitted to what a study found.

    Attributes:
        architectures: How many it was fitted to.
        of: How many have a value.
        rank_correlation: The rank correlation of predicted and measured values.
        predictions: The architectures, in the order of their trials.
        coverage: How many lay where the model was so sure.
        map: The map of the same architectures.
    """

    architectures: int
    of: int
    rank_correlation: float
    predictions: tuple[Prediction, ...]
    coverage: tuple[Coverage, ...]
    map: Map


def model_check(study: Study, path: Sequence[int]) -> ModelCheck | None:
    """The check of a study; None where there are too few different results.

    Args:
        study: The study.
        path: The trials that were the best so far, in order.
    """
    reached = reached_in(study)
    if not differ(reached, FEWEST):
        return None
    kept = _chosen(reached, path)
    from naokit.method.posterior import Posterior, features_of
    from naokit.method.surrogate import one_blas_thread, rank_gauss

    with one_blas_thread():
        features = features_of(study.space)
        if not features.names:
            return None  # the graphs of this space are all alike
        values = np.array([one.value for one in kept])
        targets = rank_gauss(study.goals.objectives[0].sign * values)
        known = [one.architecture for one in kept]
        posterior = Posterior(features, None, known, targets)
        found = _map(posterior, kept, path)
        predictions, coverage = _left_out(posterior, kept, values)
    return ModelCheck(
        len(kept),
        len(reached),
        posterior.quality["rank_correlation"],
        predictions,
        coverage,
        found,
    )


def _chosen(reached: Sequence[Reached], path: Sequence[int]) -> list[Reached]:
    """Not too many: those on the path, and others at equal distances."""
    if len(reached) <= MOST:
        return list(reached)
    spread = {round(place) for place in np.linspace(0, len(reached) - 1, MOST - len(path))}
    return [one for place, one in enumerate(reached) if place in spread or one.trial in path]


def _left_out(
    posterior: Posterior, kept: Sequence[Reached], values: np.ndarray
) -> tuple[tuple[Prediction, ...], tuple[Coverage, ...]]:
    """Each result foretold by the others, on the scale of the values, and the calibration."""
    targets = posterior.targets
    means, deviations = posterior.process.leave_one_out(targets)
    order = np.argsort(targets)

    def value_at(target: np.ndarray) -> np.ndarray:
        """The value of a target; between two results a mean of theirs."""
        found: np.ndarray = np.interp(target, targets[order], values[order])
        return found

    reach = LEVELS[2][1] * deviations
    ends = np.sort([value_at(means - reach), value_at(means + reach)], axis=0)
    columns = zip(kept, value_at(means).tolist(), *ends.tolist(), strict=True)
    predictions = tuple(
        Prediction(one.trial, str(one.architecture), one.value, middle, low, high, one.stopped)
        for one, middle, low, high in columns
    )
    away = np.abs(targets - means) / deviations
    coverage = tuple(Coverage(sure, float((away < reach).mean())) for sure, reach in LEVELS)
    return predictions, coverage


def _map(posterior: Posterior, kept: Sequence[Reached], path: Sequence[int]) -> Map:
    """Principal components in the space of the kernel (Schoelkopf et al. 1998)."""
    from naokit.method.features import distances

    blocks = posterior.blocks
    apart = [r.astype(np.float64) for r in distances(blocks, blocks)]
    kernel = posterior.process.kernel.correlation(apart)
    centred = kernel - kernel.mean(axis=0) - kernel.mean(axis=1)[:, None] + kernel.mean()
    sizes, directions = np.linalg.eigh(centred)
    sizes = np.maximum(sizes, 0)
    places = directions[:, -1:-3:-1] * np.sqrt(sizes[-1:-3:-1])
    # The sign of a direction is a matter of chance: the first architecture is on the left, below.
    places *= np.where(places[0] > 0, -1, 1)
    there = {one.trial for one in kept}
    return Map(
        tuple(
            Place(one.trial, str(one.architecture), one.value, one.stopped, float(x), float(y))
            for one, (x, y) in zip(kept, places, strict=True)
        ),
        tuple(trial for trial in path if trial in there),
        float(sizes[-2:].sum() / max(sizes.sum(), 1e-12)),
    )
