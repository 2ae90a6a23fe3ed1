"""A figure as SVG: axes, lines and marks with the words that a pointer shows.

Positions are computed here, looks are those of whoever shows it: so one drawing serves a page and a
notebook, light, dark and paper, and needs no script.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

WIDTH, HEIGHT = 560, 340
TOP, RIGHT, BELOW = 14, 20, 54
LETTER = 9.5
"""The width of a digit of the ticks."""
TICKS = 5
REACH = 4.0
"""The scale ends where a value is so many times farther from the best than the median is."""
LONGEST = 38
"""A longer label would not fit beside its axis."""
SIZE = 4.0
"""The radius of a mark that stands for itself."""
MOST_MARKS = 2000
"""More marks cannot be told apart."""

Point = tuple[float, float]
Entry = tuple[str, str, str]
"""An entry of a legend: the shape of a mark or "line", its look, and what it means."""


@dataclass(frozen=True)
class Axis:
    """An axis, and where its scale begins and ends."""

    label: str
    low: float
    high: float

    @classmethod
    def of(cls, label: str, values: Iterable[float]) -> Axis:
        """An axis that holds all values, with a little room at both ends."""
        found = list(values) or [0.0, 1.0]
        low, high = min(found), max(found)
        room = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
        return cls(label, low - room, high + room)

    @classmethod
    def to_the_best(cls, label: str, values: Sequence[float], sign: float) -> Axis:
        """An axis that does not let a few poor values squeeze all others together."""
        best = max(values, key=lambda value: sign * value)
        farthest = best - sign * REACH * abs(best - median(values))
        shown = [value for value in values if sign * value >= sign * farthest]
        return cls.of(label, shown)

    def clipped(self, value: float) -> float:
        """The value, or the end of the axis that it is beyond."""
        return min(max(value, self.low), self.high)

    @property
    def words(self) -> str:
        """The label, without its end where it is too long."""
        return self.label if len(self.label) <= LONGEST else f"{self.label[: LONGEST - 1]}…"

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Round values along the axis, and how they are written."""
        step = 10 ** math.floor(math.log10((self.high - self.low) / TICKS))
        step *= next(m for m in (1, 2, 5, 10) if (self.high - self.low) / (step * m) <= TICKS + 1)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [(n * step, f"{n * step:,.10g}") for n in range(first, last + 1)]


@dataclass(frozen=True)
class Mark:
    """A mark at a place in pixels."""

    x: float
    y: float
    shape: str
    look: str
    words: str
    trial: int | None
    size: float


@dataclass(frozen=True)
class Path:
    """A line through places in pixels, as SVG writes it."""

    d: str
    look: str


class Plot:
    """A figure in the making.

    Args:
        name: The name of the figure in the page.
        title: What it shows.
        x: The axis from left to right.
        y: The axis from below to above.
    """

    def __init__(self, name: str, title: str, x: Axis, y: Axis) -> None:
        self.name, self.title, self.x, self.y = name, title, x, y
        self.left = 36 + LETTER * max((len(words) for _, words in y.ticks), default=1)
        self.width, self.height = WIDTH, HEIGHT
        self.right, self.bottom = WIDTH - RIGHT, HEIGHT - BELOW
        self.top = TOP
        self.paths: list[Path] = []
        self.marks: list[Mark] = []

    @property
    def x_ticks(self) -> list[tuple[float, str]]:
        """The ticks below, in pixels."""
        return [(self._across(value), words) for value, words in self.x.ticks]

    @property
    def y_ticks(self) -> list[tuple[float, str]]:
        """The ticks on the left, in pixels."""
        return [(self._up(value), words) for value, words in self.y.ticks]

    def line(self, points: Sequence[Point], look: str, *, steps: bool = False) -> None:
        """A line through these points; in steps, each holds until the next."""
        places = [(self._across(x), self._up(y)) for x, y in points]
        between = ("H{0:g}V{1:g}" if steps else "L{0:g} {1:g}").format
        rest = "".join(between(*place) for place in places[1:])
        if places:
            self.paths.append(Path("M{:g} {:g}".format(*places[0]) + rest, look))

    def mark(
        self,
        x: float,
        y: float,
        shape: str,
        look: str,
        words: str,
        trial: int | None = None,
        size: float = SIZE,
    ) -> None:
        """A mark; one beyond the scale points there from its edge."""
        if y != self.y.clipped(y):
            shape = "down" if y < self.y.low else "up"
        self.marks.append(Mark(self._across(x), self._up(y), shape, look, words, trial, size))

    def _across(self, x: float) -> float:
        share = (self.x.clipped(x) - self.x.low) / (self.x.high - self.x.low)
        return round(self.left + share * (self.right - self.left), 1)

    def _up(self, y: float) -> float:
        share = (self.y.clipped(y) - self.y.low) / (self.y.high - self.y.low)
        return round(self.bottom - share * (self.bottom - self.top), 1)


def spread(count: int, always: Iterable[int] = ()) -> set[int]:
    """The places of `count` things of which marks are drawn: all, or some at equal distances."""
    if count <= MOST_MARKS:
        return set(range(count))
    step = (count - 1) / (MOST_MARKS - 1)
    return {round(number * step) for number in range(MOST_MARKS)} | set(always)


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
