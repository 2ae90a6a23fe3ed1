"""The limit on the clock of a training, with time kept for measuring what was learnt."""

from __future__ import annotations

import time

PASSES = 3
"""A training step takes about as long as three forward passes."""
LATE = 1.25
"""Of the limit, when measuring may end: the last step, or a wrong guess, may have been long."""


class Clock:
    """The clock of a training: how long it has run, and whether it may go on.

    Args:
        seconds: The limit. If None, there is no limit.
        reserve: The number of examples that are measured once the training stops. The time for them
            is kept, by the rate of what was measured so far. Where it is more than half of the
            limit, nothing is measured and all of the time is for training.

    Attributes:
        before: The seconds that earlier runs of the same training took.
    """

    before = 0.0

    def __init__(self, seconds: float | None = None, reserve: int = 0) -> None:
        self.began = time.monotonic()
        self.seconds, self.reserve = seconds, reserve
        self._trained = self._training = 0.0
        self._rate: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds of this run."""
        return time.monotonic() - self.began

    @property
    def total(self) -> float:
        """Seconds of this run and of those before it."""
        return self.before + self.elapsed

    def trained(self, examples: int, seconds: float) -> None:
        """Records a training step; measuring is estimated from it until it is timed."""
        self._trained += examples
        self._training += seconds

    def measured(self, examples: int, seconds: float) -> None:
        """Records how long the held-out part took."""
        if examples:
            self._rate = seconds / examples

    @property
    def kept(self) -> float:
        """Seconds that measuring the reserve will take; 0 before the first step of this run."""
        if self._rate is not None:
            return self.reserve * self._rate
        return self.reserve * self._training / PASSES / self._trained if self._trained else 0.0

    @property
    def over(self) -> bool:
        """Whether the training has to stop."""
        if self.seconds is None:
            return False
        fits = self.kept <= self.seconds / 2
        return self.elapsed + (self.kept if fits else 0) > self.seconds

    @property
    def allows_measuring(self) -> bool:
        """Whether the time that is kept is enough for measuring the reserve."""
        if self.seconds is None:
            return True
        return self.kept <= self.seconds / 2 and self.elapsed + self.kept <= LATE * self.seconds
