"""What each architecture of a study reached, those that were stopped early included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from naokit.space import Architecture
    from naokit.study import Study


@dataclass(frozen=True)
class Reached:
    """What an architecture reached.

    Attributes:
        trial: The number of its first evaluation, or of the one that was stopped.
        architecture: The architecture.
        value: The mean of its values, or the best that it reported before it was stopped.
        stopped: Whether it was stopped early.
    """

    trial: int
    architecture: Architecture
    value: float
    stopped: bool = False


def reached_in(study: Study) -> list[Reached]:
    """What the architectures of a study reached, in the order of their trials.

    Those beyond a limit are left out.
    """
    sign = study.goals.objectives[0].sign
    found = {
        one.architecture.choices: Reached(one.number, one.architecture, one.mean)
        for one in study.standings()
    }
    for trial in study.trials:
        choices = trial.architecture.choices
        if trial.stopped and (choices not in found or found[choices].stopped):
            best = max(trial.curve.values(), key=lambda value: sign * value)
            found[choices] = Reached(trial.number, trial.architecture, best, stopped=True)
    return sorted(found.values(), key=lambda one: one.trial)


def differ(reached: list[Reached], fewest: int) -> bool:
    """Whether there are so many and their values tell anything."""
    values = np.array([one.value for one in reached])
    return len(values) >= fewest and bool(np.isfinite(values).all()) and np.ptp(values) > 0
