"""Where the proposals came from, and what they gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from naokit.doors import Trial
from naokit.report.overview import kind_of_origin
from naokit.study.course import Course
from naokit.study.origins import AGAIN


@dataclass(frozen=True)
class Source:
    """What came from one source.

    Attributes:
        origin: Where it came from.
        evaluations: How many came from there.
        failed: How many of them gave no value.
        best: The best value; None where there is none.
        median: The median of the values; None where there is none.
        improvements: How many were better than all before.
    """

    origin: str
    evaluations: int
    failed: int
    best: float | None
    median: float | None
    improvements: int


def sources(trials: Sequence[Trial], course: Course, sign: float) -> tuple[Source, ...]:
    """What came from where, the most frequent source first; evaluations again are left out."""
    better = {one.trial for one in course.improvements}
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.origin not in AGAIN:
            found.setdefault(kind_of_origin(trial), []).append(trial)
    return tuple(
        _source(origin, same, better, sign)
        for origin, same in sorted(found.items(), key=lambda one: -len(one[1]))
    )


def _source(origin: str, same: Sequence[Trial], better: set[int], sign: float) -> Source:
    values = [trial.value for trial in same if trial.value is not None]
    return Source(
        origin,
        len(same),
        sum(trial.failed for trial in same),
        max(values, key=lambda value: sign * value, default=None),
        median(values) if values else None,
        sum(trial.number in better for trial in same),
    )
