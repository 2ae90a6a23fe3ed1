"""What is stored reads back equal: limits, objectives, recipes, settings, the log of a training."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naokit.base import InputError
from naokit.files import read_json, write_json
from naokit.images.recipes import RECIPES, ImageRecipe
from naokit.spaces import Choice, Choices
from naokit.study import create_study, open_study
from naokit.study.goals import Goals, Limit, Objective
from naokit.text.recipes import RECIPES as TEXT_RECIPES
from naokit.text.recipes import TextRecipe
from naokit.training.log import Log
from naokit.training.loop import Epoch
from naokit.training.recipe import changed
from naokit.wording import exact

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,20}\Z")
SPACE = Choices("s", (Choice("a", (1, 2, 3)),))


@given(NUMBERS)
def test_a_number(value: float) -> None:
    assert float(exact(value)) == value


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


RATES = st.floats(1e-300, 1e300, exclude_min=True)
SHARES = st.floats(0, 0.999)


@given(RATES, SHARES, st.integers(1, 10**15), st.tuples(SHARES, SHARES, SHARES, st.floats(0, 0.5)))
def test_what_set_says_of_a_recipe(rate, share, epochs, jitter) -> None:
    images = changed(
        RECIPES["quick"],
        [
            f"learning_rate={rate!r}",
            f"ema={share!r}",
            f"epochs={epochs}",
            f"colour_jitter={','.join(map(repr, jitter))}",
        ],
    )
    assert (images.learning_rate, images.ema, images.epochs) == (rate, share, epochs)
    assert images.colour_jitter == jitter
    assert ImageRecipe.from_json(json.loads(json.dumps(images.to_json()))) == images
    text = changed(TEXT_RECIPES["text-quick"], [f"learning_rate={rate!r}", f"epochs={epochs}"])
    assert TextRecipe.from_json(json.loads(json.dumps(text.to_json()))) == text


@pytest.mark.parametrize(
    "setting", ["epochs=1_0", "learning_rate=1_0.5", "colour_jitter=1_0,0,0,0"]
)
def test_a_number_with_underscores_is_none(setting: str) -> None:
    with pytest.raises(InputError, match="not '1_0"):
        changed(RECIPES["quick"], [setting])


def test_settings(tmp_path: Path) -> None:
    for value in (0.1, 1e-320, 1.7976931348623157e308, 2**70, "\ud800\0\u2028", [1.5, None, True]):
        write_json(tmp_path / "x.json", {"value": value})
        assert read_json(tmp_path / "x.json") == {"value": value}


@given(st.floats(), st.floats(0, 100), st.floats(0, 1e9), st.integers(1, 10**12))
def test_the_log_of_a_training(tmp_path_factory, loss, validation, seconds, number) -> None:
    folder = tmp_path_factory.mktemp("log")
    Log(folder).write(Epoch(number, number, loss, validation, validation / 3, seconds))
    (row,) = Log(folder).rows()
    assert int(row["epoch"]) == number
    found = float(row["loss"])
    assert found == loss or (math.isnan(found) and math.isnan(loss))
    assert float(row["validation_accuracy"]) == validation
    assert float(row["learning_rate"]) == validation / 3
    assert float(row["seconds"]) == seconds


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
