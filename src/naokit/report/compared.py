"""Several runs beside each other: their curves, and who is ahead as far as chance allows to say."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev
from typing import Literal

from naokit.base import Direction, InputError, Json
from naokit.report.run_report import RunReport
from naokit.study.course import Course

POINTS = 60
"""At so many places along a curve its mean and interval are taken."""
SURE = 0.95

Said = Literal["ahead", "level", "behind", "unknown"]


@dataclass(frozen=True)
class RunCompared:
    """A run among others.

    Attributes:
        name: Its name; where several have the same one, its folder.
        folder: Its folder.
        group: The name of the group that it belongs to.
        seed: The seed of its search.
        evaluations: How many ended.
        value: The value of its best. If None, it has none.
        repeats: How many evaluations that is the mean of.
        seconds: How long its evaluations took.
    """

    name: str
    folder: str
    group: str
    seed: int
    evaluations: int
    value: float | None
    repeats: int
    seconds: float


@dataclass(frozen=True)
class CurvePoint:
    """The best so far of a group: its mean, and its 95 % interval where there are several runs."""

    at: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Group:
    """Runs that were asked the same but for the seed.

    Attributes:
        name: What they have in common.
        runs: The names of the runs.
        values: The values of their best.
        mean: The mean of these. If None, there are none.
        curve: The best so far.
    """

    name: str
    runs: tuple[str, ...]
    values: tuple[float, ...]
    mean: float | None
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class Difference:
    """How one group stands to another.

    Attributes:
        one: The name of a group.
        other: The name of the other.
        difference: How much larger the mean of `one` is. If None, one of them has no value.
        margin: Half of the 95 % interval of that difference (Welch's). If None, one of them has a
            single run, so that nothing is known of chance.
        said: How `one` stands, whichever way is better.
    """

    one: str
    other: str
    difference: float | None
    margin: float | None
    said: Said


@dataclass(frozen=True)
class Compared:
    """Several runs beside each other.

    Attributes:
        version: The version of naokit that compares.
        metric: What the values are.
        direction: Which way they are better.
        cost: What curves count along: "evaluations" or "epochs".
        runs: The runs.
        groups: Those that belong together.
        differences: Each group beside each other one.
    """

    version: str
    metric: str
    direction: Direction
    cost: str
    runs: tuple[RunCompared, ...]
    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Json]:
        """One object."""
        return dataclasses.asdict(self)


def compared(reports: Sequence[RunReport]) -> Compared:
    """Runs beside each other.

    Raises:
        InputError: Their values mean different things.
    """
    first = reports[0]
    for other in reports[1:]:
        if _meaning(other) != _meaning(first):
            raise InputError(
                f"{first.folder} and {other.folder} cannot be compared: "
                f"{' on '.join(map(str, _meaning(first)))}, and "
                f"{' on '.join(map(str, _meaning(other)))}"
            )
    groups: dict[str, list[RunReport]] = {}
    for report in reports:
        groups.setdefault(_group(report), []).append(report)
    cost = "epochs" if all(one.course.cost == "epochs" for one in reports) else "evaluations"
    found = tuple(_grouped(name, same, cost) for name, same in groups.items())
    return Compared(
        first.version,
        first.metric,
        first.direction,
        cost,
        tuple(_compared(one, reports) for one in reports),
        found,
        tuple(_difference(one, other, first.direction) for one, other in combinations(found, 2)),
    )


def _settings(report: RunReport) -> dict[str, Json]:
    """What a study was made with."""
    assert report.shown.overview is not None  # a report is of a study
    return dict(report.shown.overview.study)


def _meaning(report: RunReport) -> tuple[str, str, str]:
    """What has to be the same where values are compared."""
    evaluator = _settings(report)["evaluator"] or {}
    data = evaluator.get("data") or evaluator.get("table") or "no data"
    return report.metric, report.direction, f"data {data}"


def _group(report: RunReport) -> str:
    """What runs that differ in nothing but the seed have in common, in words."""
    settings, asked = _settings(report), report.asked
    parts = [f"{settings['method']} on {report.shown.described.space}"]
    parts += [asked.recipe] if asked.recipe else []
    parts += [f"{name} {size}" for name, size in asked.size.items()]
    parts += [asked.pruner] if asked.pruner else []
    parts += ["shared weights"] if "shared weights" in report.metric else []
    return ", ".join(parts)


def _compared(report: RunReport, reports: Sequence[RunReport]) -> RunCompared:
    overview = report.shown.overview
    assert overview is not None  # a report is of a study
    same = [one for one in reports if one.name == report.name]
    best = None if report.found is None else report.found.best
    return RunCompared(
        report.name if len(same) == 1 else report.folder,
        report.folder,
        _group(report),
        int(overview.study["seed"]),
        overview.evaluations,
        None if best is None else best.value,
        0 if best is None else len(best.values),
        overview.seconds,
    )


def _grouped(name: str, same: Sequence[RunReport], cost: str) -> Group:
    values = tuple(one.found.best.value for one in same if one.found is not None)
    return Group(
        name,
        tuple(_compared(one, same).name for one in same),
        values,
        fmean(values) if values else None,
        _curve([one.course for one in same], cost),
    )


def _curve(courses: Sequence[Course], cost: str) -> tuple[CurvePoint, ...]:
    """The mean of the best so far, from where all have one to where the first ends."""
    steps = [_steps(course, cost) for course in courses]
    if not all(steps):
        return ()
    first = max(one[0][0] for one in steps)
    last = min(one[-1][0] for one in steps)
    places = [first + (last - first) * n / (POINTS - 1) for n in range(POINTS)]
    rows = [(at, [_best_at(one, at) for one in steps]) for at in places if last >= first]
    return tuple(CurvePoint(at, *_interval(values)) for at, values in rows)


def _steps(course: Course, cost: str) -> list[tuple[float, float]]:
    """Where the best so far changed, and at last where the search ended."""
    places = {one.trial: n for n, one in enumerate(course.evaluations, 1)}
    exact = cost == course.cost
    found = [
        (float(one.at if exact else places[one.trial]), one.value) for one in course.improvements
    ]
    if found:
        end = course.evaluations[-1].at if exact else len(course.evaluations)
        found.append((float(end), found[-1][1]))
    return found


def _best_at(steps: Sequence[tuple[float, float]], at: float) -> float:
    return [value for where, value in steps if where <= at][-1]


def _interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean of values and its 95 % interval; of one value the value itself."""
    from scipy.stats import t  # not above: one run needs none

    middle = fmean(values)
    if len(values) < 2:
        return middle, middle, middle
    reach = float(t.ppf((1 + SURE) / 2, len(values) - 1)) * stdev(values) / len(values) ** 0.5
    return middle, middle - reach, middle + reach


def _difference(one: Group, other: Group, direction: Direction) -> Difference:
    """How one group stands to another, by Welch's interval of the difference of means."""
    if one.mean is None or other.mean is None:
        return Difference(one.name, other.name, None, None, "unknown")
    away = one.mean - other.mean
    if min(len(one.values), len(other.values)) < 2:
        return Difference(one.name, other.name, away, None, "unknown")
    margin = _welch(one.values, other.values)
    better = away if direction == "maximize" else -away
    said: Said = "level" if abs(away) <= margin else "ahead" if better > 0 else "behind"
    return Difference(one.name, other.name, away, margin, said)


def _welch(one: Sequence[float], other: Sequence[float]) -> float:
    """Half of the 95 % interval of the difference of two means (Welch 1947)."""
    from scipy.stats import t  # not above: one run needs none

    parts = [(stdev(values) ** 2 / len(values), len(values) - 1) for values in (one, other)]
    total = sum(variance for variance, _ in parts)
    if not total:
        return 0.0
    freedom = total**2 / sum(variance**2 / freedom for variance, freedom in parts)
    return float(t.ppf((1 + SURE) / 2, freedom)) * math.sqrt(total)
