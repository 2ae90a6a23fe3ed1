"""The course of a search as a figure: every evaluation, the best so far, random search beside."""

from __future__ import annotations

from naokit.base import Direction, sign_of
from naokit.report.course import Course, Evaluation
from naokit.report.page.plot import Axis, Plot, Point, spread
from naokit.report.page.words import text_of

SHAPES = {
    "complete": "circle",
    "again": "ring",
    "stopped": "triangle",
    "failed": "cross",
    "beyond": "diamond",
}
"""The mark of each ending."""


def course_figure(
    course: Course, random: Course | None, metric: str, direction: Direction
) -> Plot | None:
    """The figure; None where nothing was evaluated.

    Args:
        course: The course of the search.
        random: That of random search beside it. If None, there was none.
        metric: What the values are.
        direction: Which way they are better.
    """
    both = [course] if random is None else [course, random]
    everything = [one for search in both for one in search.evaluations if one.value is not None]
    whole = [one for one in everything if one.ending != "stopped"] or everything
    values = [one.value for one in whole if one.value is not None]
    if not values:
        return None
    ends = [0, *(one.evaluations[-1].at for one in both if one.evaluations)]
    across = Axis(f"{course.cost} so far", 0, max(ends) * 1.02)
    sign = sign_of(direction)
    plot = Plot(
        "course",
        "Every evaluation, and the best so far",
        across,
        Axis.to_the_best(metric, values, sign),
    )
    if random is not None:
        _draw(plot, random, metric, sign, "random", quiet=True)
    _draw(plot, course, metric, sign, "best")
    return plot


def _draw(
    plot: Plot, course: Course, metric: str, sign: float, look: str, *, quiet: bool = False
) -> None:
    """The marks of a course and its line; of random search the marks are quiet."""
    better = {one.trial for one in course.improvements}
    kept = spread(
        len(course.evaluations),
        (n for n, one in enumerate(course.evaluations) if one.trial in better),
    )
    for place in sorted(kept):
        one = course.evaluations[place]
        worst = plot.y.low if sign > 0 else plot.y.high
        where = worst if one.value is None else one.value
        shape, words = SHAPES[one.ending], words_of(one, metric)
        if quiet:
            plot.mark(one.at, where, shape, "quiet", f"random search, {words}", size=2.5)
        else:
            seen = f"{one.ending} improved" if one.trial in better else one.ending
            plot.mark(one.at, where, shape, seen, words, one.trial)
    if course.improvements:
        steps: list[Point] = [(one.at, one.value) for one in course.improvements]
        plot.line([*steps, (course.evaluations[-1].at, steps[-1][1])], look, steps=True)


def words_of(one: Evaluation, metric: str) -> str:
    """What a pointer shows of an evaluation."""
    if one.value is None:
        return f"trial {one.trial}: failed ({one.reason}); {one.origin}"
    ended = {"stopped": ", stopped early", "beyond": ", beyond a limit"}.get(one.ending, "")
    return f"trial {one.trial}: {text_of(one.value, metric)}{ended}; {one.origin}"
