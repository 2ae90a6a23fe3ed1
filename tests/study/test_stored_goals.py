"""Limits and objectives are read back as they were given, from texts and from a study."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naokit.base import InputError
from naokit.spaces import Choice, Choices
from naokit.study import create_study, open_study
from naokit.study.goals import Goals, Limit, Objective

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,20}\Z")
SPACE = Choices("s", (Choice("a", (1, 2, 3)),))


@given(NAMES, st.booleans(), NUMBERS, NUMBERS)
def test_a_limit(name: str, at_most: bool, bound: float, other: float) -> None:
    typed = f"{name}{'<=' if at_most else '>='}"
    limit = Limit.of(f"{typed}{bound!r}")
    assert limit.bound == bound
    assert Limit.of(str(limit)) == limit
    assert (str(Limit.of(f" {typed} {other!r}")) == str(limit)) == (float(other) == float(bound))


@pytest.mark.parametrize("text", ["3e6", "1e-05", "94.5", "0", "1234560", "1e+300"])
def test_a_limit_that_lost_no_digit_is_written_as_before(text: str) -> None:
    assert str(Limit.of(f"x<={text}")) == f"x<={float(text):g}"


def test_a_limit_is_a_number_that_there_is() -> None:
    assert str(Limit.of("x<=-0")) == str(Limit.of("x<=0"))
    for text in ("x<=1e999", "x>=-1e999", "x<=nan", "x<=1_0", "x<=inf", "x<=1e5 0"):
        with pytest.raises(InputError, match="no limit"):
            Limit.of(text)


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), st.data())
def test_goals(names: list[str], data: st.DataObject) -> None:
    ways = st.sampled_from(["", ":minimize", ":maximize"])
    objectives = [name + data.draw(ways) for name in names]
    first = Objective.of(objectives[0]).direction
    limits = [f"{name}<={data.draw(NUMBERS)!r}" for name in names]
    goals = Goals.of(first, objectives, limits)
    stored = json.loads(json.dumps(goals.to_json()))
    assert Goals.of(first, stored["objectives"], stored["limits"]) == goals


def test_a_study_is_continued_with_the_very_limit(tmp_path: Path) -> None:
    def study(limit: str, name: str = "s"):
        objectives = ["value", "cost:minimize"]
        storage = f"sqlite:///{tmp_path}/s.db"
        return create_study(
            SPACE, storage=storage, name=name, objectives=objectives, limits=[limit]
        )

    study("cost<=1234567")
    assert study("cost<=1234567.0").goals.limits == (Limit("cost", True, 1234567),)
    for other in ("cost<=1234568", "cost<=1234570", "cost<=1234567.0001", "cost>=1234567"):
        with pytest.raises(InputError, match="was made with other settings"):
            study(other)
    older = study("cost<=3e6", "older")
    settings = older.settings
    settings["goals"]["limits"] = ["cost<=3e+06"]  # as it was always written
    older.optuna.set_user_attr("naokit", settings)
    assert study("cost<=3000000", "older").goals == older.goals
    rounded = study("cost<=1234567", "rounded")
    settings["goals"]["limits"] = ["cost<=1.23457e+06"]  # what had been asked for was lost
    rounded.optuna.set_user_attr("naokit", settings)
    assert study("cost<=1234570", "rounded").goals.limits[0].bound == 1234570
    found = open_study(SPACE, f"sqlite:///{tmp_path}/s.db", "rounded")
    assert found.goals.limits[0].bound == 1234570
