"""The course of a search: every evaluation in order, and the best so far."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from naokit.doors import Trial
from naokit.study.goals import Goals
from naokit.study.origins import REPEAT, RESCORED, epochs_so_far

Ending = Literal["complete", "failed", "stopped", "beyond", "again"]
"""How an evaluation ended: with a value, without, early, beyond a limit; or it was one again."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation.

    Attributes:
        trial: The number of the trial.
        at: What the search had spent when it ended: evaluations, or epochs where these count.
        architecture: The genotype.
        ending: How it ended.
        value: Its value. One that was stopped early has the last value that it reported. If None,
            it failed.
        values: The values of all objectives; empty if it failed or was stopped.
        origin: Where the architecture came from.
        reason: Why it failed; "" if it did not.
        seconds: How long it took.
    """

    trial: int
    at: int
    architecture: str
    ending: Ending
    value: float | None
    values: tuple[float, ...]
    origin: str
    reason: str
    seconds: float


@dataclass(frozen=True)
class Improvement:
    """An evaluation that was better than all before it."""

    trial: int
    at: int
    value: float


@dataclass(frozen=True)
class Course:
    """The course of a search.

    Attributes:
        cost: What `at` counts: "evaluations" or "epochs".
        evaluations: Every evaluation that ended, in order.
        improvements: Those that were better than all before; empty where weights are shared, as
            values of different rounds do not compare.
    """

    cost: str
    evaluations: tuple[Evaluation, ...]
    improvements: tuple[Improvement, ...]

    @property
    def rounds_differ(self) -> bool:
        """Whether weights are shared, so that values of different rounds do not compare."""
        return any(one.origin == RESCORED for one in self.evaluations)

    @classmethod
    def of(cls, trials: Sequence[Trial], goals: Goals) -> Course:
        """The course that these trials were."""
        epochs = any(trial.curve for trial in trials)
        spent = epochs_so_far(trials) if epochs else range(1, len(trials) + 1)
        found = tuple(_row(t, at, goals) for t, at in zip(trials, spent, strict=True))
        course = cls("epochs" if epochs else "evaluations", found, ())
        if course.rounds_differ:
            return course
        better = _improvements(found, goals.objectives[0].sign)
        return replace(course, improvements=tuple(better))


def _row(trial: Trial, at: int, goals: Goals) -> Evaluation:
    return Evaluation(
        trial.number,
        at,
        str(trial.architecture),
        _ending(trial, goals),
        trial.curve[trial.stopped] if trial.stopped else trial.value,
        trial.values,
        trial.origin,
        trial.reason,
        trial.seconds,
    )


def _ending(trial: Trial, goals: Goals) -> Ending:
    if trial.failed:
        return "failed"
    if trial.stopped:
        return "stopped"
    if not goals.hold(trial):
        return "beyond"
    return "again" if trial.origin in (REPEAT, RESCORED) else "complete"


def _improvements(found: Iterable[Evaluation], sign: float) -> Iterable[Improvement]:
    best = -math.inf
    for one in found:
        if one.ending == "complete" and one.value is not None and sign * one.value > best:
            best = sign * one.value
            yield Improvement(one.trial, one.at, one.value)
