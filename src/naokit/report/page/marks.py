"""The legends, which say what the marks of a figure mean."""

from __future__ import annotations

from collections.abc import Sequence

from naokit.drawing.plot import Entry

PREDICTIONS: Sequence[Entry] = (
    ("circle", "complete", "an architecture"),
    ("line", "range", "90 % sure"),
    ("line", "even", "right"),
)
CALIBRATION: Sequence[Entry] = (("line", "best", "the model"), ("line", "even", "as it should be"))
FRONT: Sequence[Entry] = (
    ("diamond", "complete improved", "on the front"),
    ("circle", "complete", "beaten by another"),
    ("line", "best", "the front"),
)
MAP: Sequence[Entry] = (
    ("circle", "place level4", "the best fifth (largest)"),
    ("circle", "place level2", "the middle"),
    ("circle", "place level0", "the worst fifth (smallest)"),
    ("line", "path", "path of the best so far"),
)
STOPPED: Entry = ("triangle", "complete", "stopped early")
