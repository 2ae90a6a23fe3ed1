"""Several runs beside each other: their curves, and who is ahead as far as chance allows to say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from naokit.base import Direction, InputError, Json
from naokit.report.beside import Compared, CurvePoint, Difference, Group, RunCompared
from naokit.report.intervals import half_interval, half_interval_of_difference
from naokit.report.run_report import RunReport
from naokit.study.course import Course

NAMED = 3
"""So many runs are named in the name of the whole."""
POINTS = 60
"""At so many places along a curve its mean and interval are taken."""


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
    runs = tuple(_compared(one, reports) for one in reports)
    return Compared(
        ", ".join([*(one.name for one in runs[:NAMED]), *(["..."] if runs[NAMED:] else [])]),
        first.version,
        first.metric,
        first.direction,
        cost,
        runs,
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
    middle, reach = fmean(values), half_interval(values) or 0.0
    return middle, middle - reach, middle + reach


def _difference(one: Group, other: Group, direction: Direction) -> Difference:
    """How one group stands to another, by Welch's interval of the difference of means."""
    if one.mean is None or other.mean is None:
        return Difference(one.name, other.name, None, None, "unknown")
    away = one.mean - other.mean
    margin = half_interval_of_difference(one.values, other.values)
    return Difference.of(one.name, other.name, away, margin, direction)
