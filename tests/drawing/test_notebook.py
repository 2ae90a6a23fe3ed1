"""Pieces of HTML for notebooks, whose colours are seen whatever the notebook looks like."""

import pytest
from tests.report.page.reader import Reader, contrast

from naokit.drawing.notebook import ACCENT, cell, code, figure, paragraph, strong, table, together
from naokit.drawing.plot import Axis, Plot


@pytest.mark.parametrize("ground", ["#ffffff", "#f7f7f7", "#111111", "#1e1e1e", "#212121"])
def test_colours_are_told_from_every_ground(ground: str) -> None:
    assert contrast(ACCENT, ground) >= 3


def test_pieces_escape_what_they_are_given() -> None:
    name = "<b>\u202e\n\"'"
    plot = Plot(name, name, Axis(name, 0, 1), Axis(name, 0, 1))
    plot.mark(0.5, 0.5, "circle", "complete", name)
    shown = together(
        [
            paragraph(strong(name), name, code(name)),
            table(name, [(name, "left"), ("n", "right")], [(name, 3)]),
            figure(plot, [("circle", "complete", name), ("line", "best", name)]),
            cell("<svg></svg>", name, shown=False),
        ]
    )
    read = Reader(shown)
    assert not read.named("b")
    assert "\u202e" not in "".join(read.words)
    assert sum(word.count("<b>\\u202e\\n") for word in read.words) == 12
    (labelled,) = [one for one in read.named("svg") if "aria-label" in one]
    assert labelled["aria-label"] == "<b>\\u202e\\n\"': <b>\\u202e\\n\"' over <b>\\u202e\\n\"'"
