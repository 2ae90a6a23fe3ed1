"""How far shared scores are trusted follows from what was scored again and trained."""

import pytest

from naokit.doors import Trial
from naokit.report.words import trust_lines
from naokit.space import Architecture
from naokit.spaces import Choice, Choices
from naokit.study.origins import RESCORED
from naokit.study.standings import Standing
from naokit.study.trust import Trust, trust_in

SPACE = Choices("s", (Choice("a", tuple(range(9))),))


def one(choice: int) -> Architecture:
    return SPACE.architecture((choice,))


def scored(*rounds: dict[int, float | None]) -> list[Trial]:
    found: list[Trial] = []
    seen: set[int] = set()
    for number, values in enumerate(rounds):
        for choice, value in values.items():
            origin = RESCORED if choice in seen else "random"
            found.append(Trial(len(found), one(choice), value, origin=origin, round=number))
        seen |= set(values)
    return found


def trained(**values: float) -> list[Standing]:
    return [Standing(one(int(name[1:])), (value,), 0) for name, value in values.items()]


def test_nothing_is_said_where_nothing_is_scored_again() -> None:
    assert trust_in(scored({0: 1.0, 1: 2.0}, {2: 3.0})) is None


def test_trainings_alone_are_enough_to_compare() -> None:
    """As after a search of one round."""
    trust = trust_in(
        scored({n: float(n) for n in range(5)}), trained(_0=1.0, _1=2.0, _2=3.0, _3=4.0)
    )
    assert trust == Trust((), pytest.approx(1.0), 4)


def test_rounds_are_compared_with_the_one_before() -> None:
    trials = scored(
        {n: float(n) for n in range(6)},
        {0: 5.0, 1: 6.0, 2: 7.0, 3: 8.0, 4: None},
        {0: 4.0, 1: 3.0, 2: 2.0, 3: 1.0},
        {0: 1.0},
    )
    trust = trust_in(trials)
    assert trust is not None
    assert trust.rounds == (pytest.approx(1.0), pytest.approx(-1.0), None)
    assert trust.ranks  # of the last round nothing is known


def test_trainings_are_compared_with_the_latest_scores() -> None:
    trials = scored({n: float(n) for n in range(5)}, {n: float(-n) for n in range(5)})
    own = trained(_0=9.0, _1=8.0, _2=7.0, _3=6.0)
    trust = trust_in(trials, own)
    assert trust is not None
    assert (trust.trained, trust.architectures) == (pytest.approx(1.0), 4)
    few, equal = own[:3], trained(_0=9.0, _1=9.0, _2=9.0, _3=9.0)
    assert [trust_in(trials, these).trained for these in (few, equal)] == [None, None]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("trust", "warned"),
    [
        (Trust((0.1, 0.8), 0.5, 5), False),
        (Trust((0.9, 0.2), None, 3), True),
        (Trust((0.9, 0.8), -0.1, 5), True),
        (Trust((), None, 0), False),
    ],
)
def test_a_network_that_hardly_ranks_is_warned_of(trust: Trust, warned: bool) -> None:
    assert any("hardly ranks" in line for line in trust_lines(trust)) == warned


def test_what_is_known_is_said() -> None:
    said = "Rank correlation of scores by shared weights: from round to round too few, 0.80; "
    assert trust_lines(Trust((None, 0.8), 0.5, 5)) == [f"{said}with 5 trainings of their own 0.50."]
