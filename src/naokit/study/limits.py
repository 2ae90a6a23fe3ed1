"""The space within those limits whose figures are known without an evaluation."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from naokit.base import Architecture, Evaluator, InputError, Space
from naokit.spaces.bounded import Bounded
from naokit.study.goals import Limit, limited_figures

DRAWS, SECONDS = 5000, 20.0
"""Random architectures that are tried for one that is allowed, and for how long at most."""
COUNTABLE = 50_000
"""Where no draw is allowed, so many architectures at most are all asked, if that is cheap."""


@dataclass(frozen=True)
class LimitedSpace(Bounded):
    """The architectures within limits that are known without an evaluation.

    Attributes:
        limits: the limits' texts; two spaces are equal when these and `figures` are.
        figures: fingerprint of whatever computes the figures.
        holds: whether the choices are within the limits.
        cheap: whether asking costs next to nothing, so that everything may be asked.
        nearest: the figures of what came nearest of all that was asked; "" if unknown.
    """

    limits: tuple[str, ...]
    figures: str
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
        """Everything allowed where asking is cheap; else as the space beneath.

        Raises:
            InputError: nothing is allowed.
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
            InputError: none was found in many draws, or in some seconds.
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
        """What to say where none of some architectures is within the limits."""
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
    """Those of the given that are beyond a limit, as far as that is known beforehand."""
    inside = limited(space, evaluator, limits)
    return [one for one in given if inside is not space and not inside.allows(one.choices)]


def limited(space: Space, evaluator: Evaluator, limits: Sequence[Limit]) -> Space:
    """The space within those limits whose figures cost no evaluation; the others are learned."""
    known = [limit for limit in limits if limit.name in evaluator.known_figures]
    if not known:
        return space

    asked = _Asked(space, evaluator, known)
    fingerprint = json.dumps(evaluator.settings(), sort_keys=True, default=str)
    texts = tuple(map(str, known))
    return LimitedSpace(
        space, texts, fingerprint, asked, evaluator.cheap_figures, lambda: asked.nearest
    )


class _Asked:
    """Asks whether architectures are within limits, and remembers which came nearest.

    Attributes:
        nearest: its figures, see `limited_figures`; "" before anything was asked.
    """

    def __init__(self, space: Space, evaluator: Evaluator, limits: Sequence[Limit]) -> None:
        self.space, self.evaluator, self.limits = space, evaluator, limits
        self.nearest = ""
        self._slack = -math.inf

    def __call__(self, choices: Sequence[int]) -> bool:
        figures = self.evaluator.figures(Architecture(self.space, tuple(choices)))
        slack = math.inf
        for limit in self.limits:  # figures are counted when they are looked at
            slack = min(slack, limit.slack(figures))
            if slack < min(0, self._slack):
                return False
        if slack > self._slack:
            self._slack = slack
            self.nearest = limited_figures(self.limits, figures)
        return slack >= 0
