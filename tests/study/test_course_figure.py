"""The figure of a course: what is drawn where, how large, and what lies on top."""

from dataclasses import replace

from tests.study.test_course import GOALS, TRIALS, trial

from naokit.drawing.plot import SIZE
from naokit.study.course import Course
from naokit.study.course_figure import MANY, course_figure, course_legend
from naokit.study.goals import Goals


def test_each_ending_has_its_mark_and_what_improved_lies_on_top() -> None:
    course = Course.of(TRIALS, GOALS)
    plot = course_figure(course, "value", 1.0)
    assert plot is not None
    assert [(mark.trial, mark.shape) for mark in plot.marks] == [
        (1, "cross"),
        (2, "diamond"),
        (4, "circle"),
        (5, "ring"),
        (0, "circle"),
        (3, "circle"),
        (6, "circle"),
    ]
    assert plot.marks[0].y == plot.bottom
    assert [entry[2] for entry in course_legend(course)] == [
        "evaluated",
        "evaluated again",
        "failed",
        "beyond a limit",
        "best so far",
        "best so far",
    ]


def test_of_many_evaluations_those_that_improved_nothing_are_small() -> None:
    worse = trial(1, 0.5)
    trials = [trial(0, 1.0), *(replace(worse, number=n + 1) for n in range(MANY))]
    plot = course_figure(Course.of(trials, Goals.of("maximize")), "value", 1.0)
    assert plot is not None
    sizes = [mark.size for mark in plot.marks]
    assert (max(sizes[:-1]), sizes[-1]) == (SIZE / 2, SIZE)


def test_random_search_lies_beneath() -> None:
    course = Course.of(TRIALS, GOALS)
    plot = course_figure(course, "value", 1.0, course)
    assert plot is not None
    looks = [mark.look for mark in plot.marks]
    assert looks[: len(TRIALS)] == ["quiet"] * len(TRIALS)
    assert [path.look for path in plot.paths] == ["random", "best"]


def test_without_a_value_there_is_no_figure() -> None:
    assert course_figure(Course.of(TRIALS[1:2], GOALS), "value", 1.0) is None
