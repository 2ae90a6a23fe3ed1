"""Graphs as SVG, as papers draw cells: inputs left, output right, operations coloured by kind."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from naokit.drawing.layout import Layout, Line, VertexBox, layout
from naokit.graphs import IDENTITY, NULL, SUM, Graph
from naokit.wording import one_line

__all__ = ["svg"]

MARGIN, TITLE_HEIGHT = 16, 26
INK, LINE, FRAME = "#1f2933", "#7b8794", "#52606d"

KINDS = (
    ("sep", "#bcd7f5"),
    ("dil", "#c5e3e8"),
    ("conv", "#d3ccf2"),
    ("avg", "#cdebc5"),
    ("max", "#f9d8ae"),
    ("pool", "#f9d8ae"),
    ("identity", "#f1f3f5"),
    ("skip", "#f1f3f5"),
)
"""Pairs (part of an operation's name, colour of its box); the first part that fits counts."""
ENDS, VALUE = "#dde2e8", "#e8eefc"
OTHERS = ("#fbf0bf", "#f7cfd8", "#cfeee4", "#e3dcf9", "#f4d9c6", "#d6e4b8", "#cfe0ee", "#ecd3ea")
"""Colours of operations with other names; each has its own as long as there are enough."""


def svg(graphs: Sequence[Graph], *, title: str = "", positions: Sequence[str] = ()) -> str:
    """One picture of all graphs, one below the other, dark on white.

    Args:
        graphs: The parts of an architecture.
        title: The title of the picture, for programs and on hovering.
        positions: The names of the architecture's positions. If they begin with the name of a part
            and a dot, that name is written over the part.
    """
    layouts = [layout(graph) for graph in graphs]
    colours = _colours({one_line(label) for graph in graphs for label in graph.labels})
    titles = _titles(positions, len(layouts))
    body, y = [], MARGIN
    for heading, part in zip(titles, layouts, strict=True):
        if heading:
            body.append(_text(heading, MARGIN, y + 13, 'font-weight="bold"'))
            y += TITLE_HEIGHT
        body.append(f'<g transform="translate({MARGIN} {y})">\n{_drawn(part, colours)}</g>\n')
        y += part.height + MARGIN
    width = max((part.width for part in layouts), default=0) + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" '
        f'height="{y}" font-family="sans-serif" font-size="12" role="img">\n'
        f"<title>{escape(one_line(title))}</title>\n"
        f'<rect width="{width}" height="{y}" rx="6" fill="#ffffff"/>\n{"".join(body)}</svg>\n'
    )


def _titles(positions: Sequence[str], parts: int) -> list[str]:
    """The title of each part: the beginning that the names of its positions share."""
    found = list(dict.fromkeys(name.partition(".")[0] for name in positions if "." in name))
    return found if len(found) == parts > 1 else [""] * parts


def _drawn(part: Layout, colours: Mapping[str, str]) -> str:
    """The lines of a part, and its boxes on top of them."""
    lines = sorted(part.lines, key=lambda line: not line.faint)
    boxes = [_box(box, colours.get(box.label, ENDS)) for box in part.boxes]
    return "".join([*map(_line, lines), *boxes])


def _line(line: Line) -> str:
    """A curve, with an arrowhead if it reaches a vertex, and its count if that is above one."""
    x0, y0, x1, x2, x3, y3 = line.points
    bend = (x2 - x1) * 0.5
    dash = ' stroke-dasharray="3 3"' if line.faint else ""
    drawn = (
        f'<path d="M{x0} {y0} H{x1} C{x1 + bend:g} {y0} {x2 - bend:g} {y3} {x2} {y3} H{x3}" '
        f'fill="none" stroke="{LINE}" stroke-width="1.2"{dash}/>\n'
    )
    if line.target is not None:
        drawn += f'<path d="M{x3} {y3} l-6 -3.2 v6.4 z" fill="{LINE}"/>\n'
    if line.count > 1:
        drawn += _text(f"{line.count} times", x3 - 42, y3 - 5, f'font-size="10" fill="{LINE}"')
    return drawn


def _box(box: VertexBox, colour: str) -> str:
    x, y = box.x + box.width // 2, box.y + box.height // 2
    if box.label == SUM:
        return _sum(box, x, y)
    dash = ' stroke-dasharray="3 3"' if box.label == NULL else ""
    shape = (
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6" '
        f'fill="{colour}" stroke="{FRAME}" stroke-width="0.8"{dash}/>\n'
    )
    number = "" if box.number is None else f"{box.number} "
    return shape + _text(number + _shown(box.label), x, y + 4, 'text-anchor="middle"')


def _sum(box: VertexBox, x: int, y: int) -> str:
    """A circle with a plus, and the node's number above it."""
    circle = (
        f'<circle cx="{x}" cy="{y}" r="{box.width // 2}" fill="#ffffff" stroke="{FRAME}"/>\n'
        f'<path d="M{x - 4} {y} h8 M{x} {y - 4} v8" stroke="{INK}" stroke-width="1.4"/>\n'
    )
    if box.number is None:
        return circle
    return circle + _text(str(box.number), x, box.y - 2, 'text-anchor="middle" font-size="10"')


def _text(text: str, x: int, y: int, more: str) -> str:
    ink = "" if "fill=" in more else f' fill="{INK}"'
    return f'<text x="{x}" y="{y}" {more}{ink}>{escape(one_line(text))}</text>\n'


def _shown(label: str) -> str:
    """The text in a box: the label as words."""
    return {IDENTITY: "identity", NULL: "none"}.get(label, label.replace("_", " "))


def _colours(labels: Iterable[str]) -> dict[str, str]:
    """The colour of each operation; it depends on the name alone as long as there are enough."""
    found: dict[str, str] = {}
    others = list(OTHERS)
    for label in sorted(labels):
        known = _known(label)
        if known is None:
            others = others or list(OTHERS)
            known = others.pop(zlib.crc32(label.encode()) % len(others))
        found[label] = known
    return found


def _known(label: str) -> str | None:
    """The colour of a label of a known kind."""
    if label == NULL:
        return "#ffffff"
    if label.startswith(("input", "output")):
        return ENDS
    if "=" in label:
        return VALUE
    return next((colour for part, colour in KINDS if part in label), None)
