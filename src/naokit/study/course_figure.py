"""The course of a search as a figure: every evaluation, the best so far, random search beside."""

from __future__ import annotations

from collections.abc import Sequence

from naokit.drawing.plot import SIZE, Axis, Entry, Plot, Point, spread
from naokit.study.course import Course, Evaluation
from naokit.wording import value_text

MANY = 200
"""Of more evaluations the marks are small, so that they do not cover each other."""


LEGEND: Sequence[Entry] = (
    ("circle", "complete", "evaluated"),
    ("ring", "again", "evaluated again"),
    ("triangle", "stopped", "stopped early"),
    ("cross", "failed", "failed"),
    ("diamond", "beyond", "beyond a limit"),
)
"""The mark of each ending, whose look has its name."""
SHAPES = {ending: shape for shape, ending, _ in LEGEND}


def course_figure(
    course: Course, metric: str, sign: float, random: Course | None = None
) -> Plot | None:
    """The figure; None where nothing has a value.

    Args:
        course: The course of the search.
        metric: What the values are.
        sign: 1 where more is better, -1 where less is.
        random: The course of random search beside it, if there was one.
    """
    both = [course] if random is None else [course, random]
    everything = [one for search in both for one in search.evaluations if one.value is not None]
    whole = [one for one in everything if one.ending != "stopped"] or everything
    values = [one.value for one in whole if one.value is not None]
    if not values:
        return None
    ends = [0, *(one.evaluations[-1].at for one in both if one.evaluations)]
    across = Axis(f"{course.cost} so far", 0, max(ends) * 1.02)
    up = Axis.to_the_best(metric, values, sign)
    plot = Plot("course", "Every evaluation, and the best so far", across, up)
    worst = plot.y.low if sign > 0 else plot.y.high
    if random is not None:
        _draw(plot, random, worst, "random", quiet=True)
    _draw(plot, course, worst, "best")
    return plot


def course_legend(course: Course, random: Course | None = None) -> Sequence[Entry]:
    """What the marks of the figure mean; only those that there are."""
    endings = {one.ending for one in course.evaluations}
    found = [one for one in LEGEND if one[1] in endings]
    if course.improvements:
        found += [("circle", "complete improved", "best so far"), ("line", "best", "best so far")]
    if random is not None:
        found += [("circle", "quiet", "random search"), ("line", "random", "its best so far")]
    return found


def _draw(plot: Plot, course: Course, worst: float, look: str, *, quiet: bool = False) -> None:
    """The marks of a course and its line; of random search the marks are quiet."""
    better = {one.trial for one in course.improvements}
    kept = spread(
        len(course.evaluations),
        (n for n, one in enumerate(course.evaluations) if one.trial in better),
    )
    size = SIZE if len(course.evaluations) <= MANY else SIZE / 2
    # What was best so far lies on top of the others.
    for place in sorted(kept, key=lambda n: (course.evaluations[n].trial in better, n)):
        one = course.evaluations[place]
        where = worst if one.value is None else one.value
        shape, words = SHAPES[one.ending], words_of(one, plot.y.label)
        if quiet:
            plot.mark(one.at, where, shape, "quiet", f"random search, {words}", size=0.6 * size)
        elif one.trial in better:
            plot.mark(one.at, where, shape, f"{one.ending} improved", words, one.trial)
        else:
            plot.mark(one.at, where, shape, one.ending, words, one.trial, size)
    if course.improvements:
        steps: list[Point] = [(one.at, one.value) for one in course.improvements]
        plot.line([*steps, (course.evaluations[-1].at, steps[-1][1])], look, steps=True)


def words_of(one: Evaluation, metric: str) -> str:
    """What a pointer shows of an evaluation."""
    if one.value is None:
        return f"trial {one.trial}: failed ({one.reason}); {one.origin}"
    ended = {"stopped": ", stopped early", "beyond": ", beyond a limit"}.get(one.ending, "")
    return f"trial {one.trial}: {value_text(one.value, metric)}{ended}; {one.origin}"
