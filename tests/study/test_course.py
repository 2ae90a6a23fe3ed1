"""The course of a search."""

import pytest

from naokit.doors import Trial
from naokit.space import Architecture
from naokit.spaces import Choice, Choices
from naokit.study.course import Course, Improvement
from naokit.study.goals import Goals

SPACE = Choices("c", (Choice("a", tuple(range(9))),))
GOALS = Goals.of("maximize", (), ("parameters<=10",))


def architecture(choice: int) -> Architecture:
    return SPACE.architecture((choice,))


def trial(number: int, value: float | None, origin: str = "random", **more: object) -> Trial:
    values = () if value is None else (value,)
    fields = {"metrics": {"parameters": 5.0}, "values": values, "seconds": 2.0} | more
    return Trial(number, architecture(number), value, origin=origin, **fields)


TRIALS = [
    trial(0, 3.0),
    trial(1, None, "mutation", reason="diverged"),
    trial(2, 9.0, "mutation", metrics={"parameters": 11.0}),
    trial(3, 5.0, "latent step 0.5"),
    trial(4, 4.0, "latent step 1"),
    trial(5, 8.0, "repeat"),
    trial(6, 6.0, "mutation"),
]


def test_only_whole_first_evaluations_within_the_limits_improve() -> None:
    course = Course.of(TRIALS, GOALS)
    assert course.cost == "evaluations"
    assert [one.ending for one in course.evaluations] == [
        "complete",
        "failed",
        "beyond",
        "complete",
        "complete",
        "again",
        "complete",
    ]
    assert course.improvements == (
        Improvement(0, 1, 3.0),
        Improvement(3, 4, 5.0),
        Improvement(6, 7, 6.0),
    )


def test_less_may_be_better() -> None:
    course = Course.of(TRIALS[:1] + TRIALS[3:4], Goals.of("minimize"))
    assert [one.trial for one in course.improvements] == [0]


def test_epochs_count_where_they_were_reported_and_none_twice() -> None:
    curve = {1: 0.1, 2: 0.2, 3: 0.3}
    trials = [
        trial(0, None, curve={1: 0.1}, stopped=1),
        trial(1, 0.3, curve=curve),
        Trial(2, architecture(0), 0.3, origin="continued", values=(0.3,), curve=curve),
    ]
    course = Course.of(trials, Goals.of("maximize"))
    assert course.cost == "epochs"
    assert [one.at for one in course.evaluations] == [1, 4, 6]
    assert course.evaluations[0].ending == "stopped"
    assert course.evaluations[0].value == pytest.approx(0.1)


def test_values_of_different_rounds_are_not_compared() -> None:
    trials = [trial(0, 3.0), trial(1, 5.0), Trial(2, architecture(0), 9.0, origin="rescored")]
    assert Course.of(trials, Goals.of("maximize")).improvements == ()
