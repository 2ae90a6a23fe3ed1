"""Texts for people."""

from hypothesis import given
from hypothesis import strategies as st

from naokit.wording import exact


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_an_exact_number_reads_back_equal(value: float) -> None:
    assert float(exact(value)) == value
