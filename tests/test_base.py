"""What every room needs: errors that name what was given and what was expected."""

import pytest

from naokit.base import InputError, unexpected, unknown_name, whole_number

NAMES = [f"name-{number}" for number in range(14)]


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("nam-3", NAMES, "there is no thing 'nam-3'; did you mean name-3 or name-13 or name-9?"),
        ("x", ["a", "b"], "there is no thing 'x'; there are a, b"),
        ("x", NAMES, f"there is no thing 'x'; there are {', '.join(NAMES[:12])} and 2 more"),
    ],
)
def test_an_unknown_name_comes_with_known_ones(name: str, known: list[str], said: str) -> None:
    assert str(unknown_name("thing", name, known)) == said


@pytest.mark.parametrize("value", ["3", 2.0, None, -1])
def test_what_is_no_whole_number_is_named(value: object) -> None:
    with pytest.raises(InputError, match=f"`count` is {value!r}; expected a whole number, 0 or"):
        whole_number("count", value, least=0)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("some", "`data` is 'some'; expected a path"),
        ([0] * 40, "`data` is of type list; expected a path"),
    ],
)
def test_what_was_not_expected_is_shown_where_it_is_short(value: object, said: str) -> None:
    assert str(unexpected("data", value, "a path")) == said


def test_a_whole_number_is_taken() -> None:
    assert (whole_number("seed", -1), whole_number("count", 0, least=0)) == (-1, 0)
