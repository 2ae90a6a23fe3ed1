"""Figures: their axes."""

from naokit.drawing.plot import Axis


def test_ticks_are_round_and_within_the_axis() -> None:
    for low, high in ((0.0, 1.0), (91.2, 91.6), (-3e6, 4e6), (1e-9, 2e-9)):
        ticks = Axis.of("x", (low, high)).ticks
        assert 2 <= len(ticks) <= 7
    assert [words for _, words in Axis("x", 0, 10).ticks] == ["0", "2", "4", "6", "8", "10"]


def test_one_poor_value_does_not_squeeze_the_others() -> None:
    axis = Axis.to_the_best("x", [90.0, 91.0, 92.0, 93.0, 10.0], 1.0)
    assert axis.low > 80
    assert axis.clipped(10.0) == axis.low
