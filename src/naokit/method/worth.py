"""What an evaluation of architectures is worth to `nao`: the acquisition, failures and the prior.

Shapes: n results, S fantasies of them, N architectures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from naokit.method.acquisition import Acquisition, slack_targets, success
from naokit.method.posterior import Conditioned, Everything, Posterior
from naokit.method.prior import Prior
from naokit.space import Architecture


@dataclass(frozen=True)
class Tried:
    """All that was tried, with or without a value.

    Attributes:
        process: The process given all of it (see `naokit.method.acquisition.success`).
        gave: Which of it gave a value, (n,).
    """

    process: Conditioned
    gave: np.ndarray

    def likely(self, architectures: Sequence[Architecture] | None = None) -> np.ndarray:
        """How likely an evaluation of each of these gives a value, (N,); without: of all."""
        if architectures is None:
            return success(self.process.process.predict, self.gave)
        return success(self.process.at(self.process.features(architectures)), self.gave)

    def without(self, refused: Sequence[Architecture]) -> Tried:
        """The same when these architectures are taken for failures too."""
        process = self.process.condition_on(refused)
        return Tried(process, np.append(self.gave, np.zeros(len(refused))))


@dataclass(frozen=True)
class Worth:
    """How much an evaluation of any architecture is worth.

    Attributes:
        acquisition: The function of the predictions.
        posterior: The process given the results, the pending ones included.
        tried: All that was tried, if some of it failed.
        prior: What the user believes, if anything.
    """

    acquisition: Acquisition
    posterior: Posterior
    tried: Tried | None
    prior: Prior | None

    def __call__(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """The worth of these architectures, (N,)."""
        predict = self.posterior.at(self.posterior.features(architectures))
        likely = None if self.tried is None else self.tried.likely(architectures)
        return self._weighed(self.acquisition(predict, likely), architectures)

    def of_everything(self, everything: Everything) -> np.ndarray:
        """The worth of the whole space, (N,), which the processes have been keeping up with."""
        likely = None if self.tried is None else self.tried.likely()
        worth = self.acquisition(self.posterior.process.predict, likely)
        return self._weighed(worth, everything.architectures)

    def _weighed(self, worth: np.ndarray, architectures: Sequence[Architecture]) -> np.ndarray:
        """The worth with the prior, if there is one: its log then."""
        if self.prior is None:
            return worth
        return self.prior.weigh(worth, architectures, len(self.posterior.known))


def acquisition_of(targets: np.ndarray, slack: np.ndarray, pending: int) -> Acquisition:
    """What an evaluation is worth to `nao`: expected improvement, limits weighed in.

    The more is pending, the farther it explores: deviations count sqrt(1 + pending) times. What is
    evaluated together learns nothing from each other, so each should ask something of its own:
    batches of 10 then need a tenth fewer evaluations (docs/results.md).

    Args:
        targets: Fantasies of the targets of the results, (S, n).
        slack: How far each result is within the limits, (n,).
        pending: The number of results that are fantasies; they come last.
    """
    within = slack >= 0
    best = targets[:, within].max(axis=1, keepdims=True) if within.any() else None
    return Acquisition(
        targets,
        incumbent=None if best is None else best.astype(np.float32),
        slacks=[] if within.all() else [slack_targets(slack)],
        exploration=(1 + pending) ** 0.5,
    )
