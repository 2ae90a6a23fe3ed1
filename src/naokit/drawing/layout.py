"""The positions of everything in one graph's picture, in pixels from its top left corner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from naokit.drawing.heights import heights
from naokit.drawing.layered import Item, columns, layers, segments
from naokit.drawing.sketch import Sketch, sketch
from naokit.graphs import NULL, SUM, Graph

BOX_HEIGHT, ROW_GAP = 26, 12
SUM_SIZE = 18
NUMBERED = SUM_SIZE + 10  # with the number above it
TRUNK_HALF = 7
COLUMN_GAP = 34
CHARACTER, PADDING, NARROWEST = 6.8, 22, 56


@dataclass(frozen=True)
class VertexBox:
    """A vertex: a rectangle, or the circle in it for a sum.

    Attributes:
        vertex: The vertex of the sketch.
        label: The text of the box.
        x: The left border in pixels.
        y: The upper border in pixels.
        width: The width in pixels.
        height: The height in pixels.
        number: The number of the vertex in the architecture's text, or None.
    """

    vertex: int
    label: str
    x: int
    y: int
    width: int
    height: int
    number: int | None = None


@dataclass(frozen=True)
class Line:
    """From (x0, y0) level to x1, in a curve to (x2, y3), level to (x3, y3).

    Attributes:
        source: The vertex that the line comes from.
        target: The vertex that the line reaches; None if it goes on as a trunk.
        points: The coordinates x0, y0, x1, x2, x3, y3.
        count: How often the value is read.
        faint: Whether the line comes from, or leads to, an operation that yields zero.
    """

    source: int
    target: int | None
    points: tuple[int, int, int, int, int, int]
    count: int = 1
    faint: bool = False


@dataclass(frozen=True)
class Layout:
    """One graph's picture."""

    boxes: tuple[VertexBox, ...]
    lines: tuple[Line, ...]
    width: int
    height: int


def layout(graph: Graph) -> Layout:
    """The picture of a graph: inputs at the left, outputs at the right."""
    drawn = sketch(graph)
    layer = layers(drawn)
    pieces = segments(drawn, layer)
    order = columns(drawn, layer, pieces)
    middle = heights(order, pieces, lambda item: _half(drawn, layer, item))
    widths = [
        max((_width(drawn, v) for v, own in column if layer[v] == own), default=0)
        for column in order
    ]
    rises = [0] * len(order)
    for left, right in pieces:
        rises[left[1]] = max(rises[left[1]], abs(middle[left] - middle[right]))
    lefts = [0]
    for width, rise in zip(widths[:-1], rises, strict=False):
        lefts.append(lefts[-1] + width + COLUMN_GAP + min(40, rise // 6))

    boxes = {}
    for vertex, own in enumerate(layer):
        width, height = _width(drawn, vertex), _height(drawn.labels[vertex])
        x = lefts[own] + (widths[own] - width) // 2
        y = middle[vertex, own] - height // 2
        number = drawn.numbers.get(vertex)
        boxes[vertex] = VertexBox(vertex, drawn.labels[vertex], x, y, width, height, number)

    counts = {(source, target): count for source, target, count in drawn.arrows}

    def line(left: Item, right: Item) -> Line:
        source, target = left[0], right[0] if right[0] != left[0] else None
        begins, ends = lefts[left[1]], lefts[right[1]]
        x0 = boxes[source].x + boxes[source].width if layer[source] == left[1] else begins
        x3 = ends if target is None else boxes[target].x
        points = (x0, middle[left], begins + widths[left[1]], ends, x3, middle[right])
        faint = NULL in (drawn.labels[source], "" if target is None else drawn.labels[target])
        count = 1 if target is None else counts[source, target]
        return Line(source, target, points, count, faint)

    bottom = max(middle[i] + _half(drawn, layer, i) for i in middle)
    lines = tuple(line(*piece) for piece in pieces)
    return Layout(tuple(boxes.values()), lines, lefts[-1] + widths[-1], round(bottom))


def _width(drawn: Sketch, vertex: int) -> int:
    label = drawn.labels[vertex]
    if label == SUM:
        return SUM_SIZE
    number = f"{drawn.numbers[vertex]} " if vertex in drawn.numbers else ""
    return max(NARROWEST, round(CHARACTER * len(number + label)) + PADDING)


def _height(label: str) -> int:
    return SUM_SIZE if label == SUM else BOX_HEIGHT


def _half(drawn: Sketch, layer: Sequence[int], item: Item) -> float:
    """Half of the height that an item takes."""
    vertex, own = item
    if layer[vertex] != own:
        return TRUNK_HALF
    label = drawn.labels[vertex]
    height = NUMBERED if label == SUM and vertex in drawn.numbers else _height(label)
    return (height + ROW_GAP) / 2
