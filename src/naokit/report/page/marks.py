"""The outlines of marks as SVG paths, and the legends that say what they mean."""

from __future__ import annotations

from collections.abc import Sequence

from naokit.report.run_report import RunReport

Entry = tuple[str, str, str]
"""The shape or "line", the look, and what it means."""

_OUTLINES = {
    "circle": "M-{0:g} 0a{0:g} {0:g} 0 1 0 {1:g} 0a{0:g} {0:g} 0 1 0-{1:g} 0z",
    "ring": "M-{0:g} 0a{0:g} {0:g} 0 1 0 {1:g} 0a{0:g} {0:g} 0 1 0-{1:g} 0z",
    "triangle": "M0-{0:g}L{0:g} {0:g}H-{0:g}z",
    "cross": "M-{0:g}-{0:g}L{0:g} {0:g}M-{0:g} {0:g}L{0:g}-{0:g}",
    "diamond": "M0-{0:g}L{0:g} 0L0 {0:g}L-{0:g} 0z",
    "down": "M-{0:g}-{1:g}H{0:g}L0 0z",
    "up": "M-{0:g} {1:g}H{0:g}L0 0z",
}


def outline(shape: str, size: float) -> str:
    """The path of a mark around (0, 0)."""
    radius = round(size, 1)
    return _OUTLINES[shape].format(radius, 2 * radius)


def course_legend(report: RunReport) -> Sequence[Entry]:
    """What the marks of the course mean; only those that there are."""
    endings = {one.ending for one in report.course.evaluations}
    entries: list[Entry] = [
        ("circle", "complete", "evaluated"),
        ("ring", "again", "evaluated again"),
        ("triangle", "stopped", "stopped early"),
        ("cross", "failed", "failed"),
        ("diamond", "beyond", "beyond a limit"),
    ]
    found = [one for one in entries if one[1] in endings]
    if report.course.improvements:
        found += [("circle", "complete improved", "best so far"), ("line", "best", "best so far")]
    if report.random is not None:
        found += [("circle", "quiet", "random search"), ("line", "random", "its best so far")]
    return found


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
