"""The space within those limits whose metrics are known without an evaluation."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from naokit.base import InputError
from naokit.doors import Evaluator
from naokit.space import Architecture, Space
from naokit.spaces.bounded import Bounded
from naokit.study.goals import Limit, limited_metrics

DRAWS, SECONDS = 5000, 20.0
"""How many random architectures are tried for an allowed one, and for how long at most."""
COUNTABLE = 50_000
"""If no draw is allowed, up to this many architectures are all checked where that is cheap."""


@dataclass(frozen=True)
class LimitedSpace(Bounded):
    """The architectures within limits whose metrics are known without an evaluation.

    Attributes:
        limits: The texts of the limits. Two spaces are equal if these and `metrics` are.
        metrics: The fingerprint of the evaluator that computes the metrics.
        holds: Says whether choices are within the limits.
        cheap: Whether that costs next to nothing, so that a whole space may be checked.
        nearest: Gives the metrics of the architecture that came nearest; "" if unknown.
    """

    limits: tuple[str, ...]
    metrics: str
    holds: Callable[[Sequence[int]], bool] = field(compare=False, repr=False)
    cheap: bool = False
    nearest: Callable[[], str] = field(default=str, compare=False, repr=False)

    @property
    def without_limits(self) -> Space:
        """The space beneath."""
        return self.space

    def allows(self, choices: Sequence[int]) -> bool:
        """Whether the limits hold, and the space beneath allows it."""
        return self.space.allows(choices) and self.holds(choices)

    def everything(self, limit: int) -> list[Architecture] | None:
        """Every allowed architecture where checks are cheap; otherwise that of the space beneath.

        Raises:
            InputError: Nothing is allowed.
        """
        found = super().everything(limit)
        if found is None or not self.cheap:
            return found
        allowed = [architecture for architecture in found if self.allows(architecture.choices)]
        if not allowed:
            raise self._nothing(f"none of the {len(found)}")
        return allowed

    def sample(self, generator: np.random.Generator) -> Architecture:
        """A random architecture within the limits.

        Raises:
            InputError: None was found in `DRAWS` draws or in `SECONDS`.
        """
        ends = time.monotonic() + SECONDS
        draws = 0
        while draws < DRAWS and (self.cheap or time.monotonic() < ends):
            draws += 1
            found = self.space.sample(generator)
            if self.allows(found.choices):
                return Architecture(self, found.choices)
        allowed = self.everything(COUNTABLE) if self.cheap else None
        if allowed is None:
            raise self._nothing(f"none of {draws} random")
        return allowed[int(generator.integers(len(allowed)))]

    def _nothing(self, none: str) -> InputError:
        """The error for architectures of which none is within the limits."""
        nearest = self.nearest()
        return InputError(
            f"{none} architectures of {self.name} is within {', '.join(self.limits)}"
            f"{nearest and f'; the nearest has {nearest}'}: loosen the limits"
        )


def check_limits(space: Space, evaluator: Evaluator, limits: Sequence[Limit]) -> None:
    """Raises InputError where nothing is within the limits, as far as that is known beforehand."""
    inside = limited(space, evaluator, limits)
    if inside is not space:
        inside.sample(np.random.default_rng(0))


def outside(
    space: Space, evaluator: Evaluator, limits: Sequence[Limit], given: Sequence[Architecture]
) -> list[Architecture]:
    """The given architectures that violate a limit whose metric is known beforehand."""
    inside = limited(space, evaluator, limits)
    return [one for one in given if inside is not space and not inside.allows(one.choices)]


def limited(space: Space, evaluator: Evaluator, limits: Sequence[Limit]) -> Space:
    """The space within the limits whose metrics cost no evaluation; methods learn the others."""
    known = [limit for limit in limits if limit.name in evaluator.static_metric_names]
    if not known:
        return space

    asked = _Asked(space, evaluator, known)
    fingerprint = json.dumps(evaluator.settings(), sort_keys=True, default=str)
    texts = tuple(map(str, known))
    return LimitedSpace(
        space, texts, fingerprint, asked, evaluator.static_metrics_are_cheap, lambda: asked.nearest
    )


class _Asked:
    """Checks architectures against limits and remembers which came nearest.

    Attributes:
        nearest: The metrics of the nearest one, see `limited_metrics`; "" at first.
    """

    def __init__(self, space: Space, evaluator: Evaluator, limits: Sequence[Limit]) -> None:
        self.space, self.evaluator, self.limits = space, evaluator, limits
        self.nearest = ""
        self._slack = -math.inf

    def __call__(self, choices: Sequence[int]) -> bool:
        metrics = self.evaluator.static_metrics(Architecture(self.space, tuple(choices)))
        slack = math.inf
        for limit in self.limits:  # metrics are counted when they are read
            slack = min(slack, limit.slack(metrics))
            if slack < min(0, self._slack):
                return False
        if slack > self._slack:
            self._slack = slack
            self.nearest = limited_metrics(self.limits, metrics)
        return slack >= 0
