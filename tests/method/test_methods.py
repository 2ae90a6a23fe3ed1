"""Methods are found by their names."""

import pytest

from naokit.base import InputError
from naokit.method import factory


def test_unknown_methods_come_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean nao-2018"):
        factory("nao-2019")
