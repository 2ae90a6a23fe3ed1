"""Texts for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naokit.wording import exact, value_text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_an_exact_number_reads_back_equal(value: float) -> None:
    assert float(exact(value)) == value


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (98.6625, "validation accuracy, percent", "98.66"),
        (42.2, "validation accuracy, percent, shared weights", "42.20"),
        (812.3456, "validation perplexity", "812.35"),
        (0.01234567, "latency", "0.0123457"),
        (1234567.0, "macs", "1.23457e+06"),
    ],
)
def test_a_value_has_the_digits_of_its_metric(value: float, metric: str, text: str) -> None:
    assert value_text(value, metric) == text
