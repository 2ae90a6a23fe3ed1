"""Whatever is put into a template is escaped, unless the template says that it is safe."""

import pytest
from jinja2 import UndefinedError

from naokit.base import InputError
from naokit.export.templates import card, program

FOREIGN = "*a* <b>\n"


def test_a_value_of_a_card_is_text() -> None:
    assert card("{{ a }}|{{ a | safe }}", a=FOREIGN) == (
        r"&#42;a&#42; &#60;b&#62;&#92;n|" + FOREIGN
    )
    assert card("{{ a | code }}", a="`") == "`` ` ``"


def test_a_value_of_a_program_is_a_literal() -> None:
    assert program("A = {{ a }}\n", a="'\n") == 'A = "\'\\n"\n'
    assert program("A = {{ a | safe }}", a="'") == "A = '"
    with pytest.raises(InputError, match="cannot be written into a stand-alone file"):
        program("{{ a }}", a=object())


@pytest.mark.parametrize("filled", [card, program])
def test_a_value_that_is_missing_is_an_error(filled) -> None:
    with pytest.raises(UndefinedError, match="'a' is undefined"):
        filled("{{ a }}")
