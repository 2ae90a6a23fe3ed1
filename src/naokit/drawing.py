"""An architecture's graphs as SVG: inputs left, output right, operations coloured by kind."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from naokit.base import Architecture
from naokit.graphs import IDENTITY, NULL, Graph

BOX_WIDTH, BOX_HEIGHT = 150, 28
COLUMN, ROW, MARGIN = 198, 46, 20

COLOURS = (
    ("input", "#dfe3e8"),
    ("output", "#dfe3e8"),
    ("sep", "#bcd7f5"),
    ("nor_conv", "#bcd7f5"),
    ("conv", "#bcd7f5"),
    ("avg", "#cdebc5"),
    ("max", "#f7d9b0"),
    ("sum", "#eee6fb"),
    ("identity", "#f2f2f2"),
    (IDENTITY, "#f2f2f2"),
    (NULL, "#ffffff"),
)


def svg(architecture: Architecture) -> str:
    """One picture of all graphs, one below the other."""
    parts, top, width = [], MARGIN, 0
    for graph in architecture.graphs:
        places = _places(graph)
        drawn, (right, bottom) = _draw(graph, places, top)
        parts.append(drawn)
        width, top = max(width, right), bottom + ROW
    height = top - ROW + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + MARGIN} {height}" '
        f'width="{width + MARGIN}" height="{height}" font-family="sans-serif" font-size="12">\n'
        f"<title>{escape(repr(architecture))}</title>\n"
        '<rect width="100%" height="100%" fill="#ffffff"/>\n' + "".join(parts) + "</svg>\n"
    )


def _places(graph: Graph) -> dict[int, tuple[int, float]]:
    """(column, row) of each vertex: columns by longest path, rows by where neighbours stand."""
    depth = [0] * len(graph.labels)
    for source, target, _ in sorted(graph.edges, key=lambda edge: edge[1]):
        depth[target] = max(depth[target], depth[source] + 1)
    for vertex in graph.outputs:
        depth[vertex] = max(depth)
    columns: dict[int, list[int]] = {}
    for vertex, column in enumerate(depth):
        columns.setdefault(column, []).append(vertex)
    row = {vertex: place for members in columns.values() for place, vertex in enumerate(members)}
    for column in sorted(columns):  # one pass of barycentres from left to right
        members = sorted(
            columns[column], key=lambda vertex: (_barycentre(graph, vertex, row), vertex)
        )
        row |= {vertex: place for place, vertex in enumerate(members)}
    tallest = max(len(members) for members in columns.values())
    middle = {column: (tallest - len(members)) / 2 for column, members in columns.items()}
    return {v: (column, row[v] + middle[column]) for v, column in enumerate(depth)}


def _barycentre(graph: Graph, vertex: int, row: dict[int, int]) -> float:
    above = [row[source] for source, target, _ in graph.edges if target == vertex]
    return sum(above) / len(above) if above else row[vertex]


def _draw(
    graph: Graph, places: dict[int, tuple[int, float]], top: int
) -> tuple[str, tuple[int, int]]:
    """The SVG of one graph, and its right and bottom border."""
    corner = {v: (MARGIN + c * COLUMN, top + round(r * ROW)) for v, (c, r) in places.items()}
    lines = [_edge(corner[s], corner[t], count) for s, t, count in graph.edges]
    boxes = [_box(graph.labels[vertex], *corner[vertex]) for vertex in corner]
    right = max(x for x, _ in corner.values()) + BOX_WIDTH
    bottom = max(y for _, y in corner.values()) + BOX_HEIGHT
    return "".join([*lines, *boxes]), (right, bottom)


def _edge(source: Sequence[int], target: Sequence[int], count: int) -> str:
    """A curve from the right of one box to the left of another; numbered where it counts twice."""
    x0, y0 = source[0] + BOX_WIDTH, source[1] + BOX_HEIGHT // 2
    x1, y1 = target[0], target[1] + BOX_HEIGHT // 2
    bend = (COLUMN - BOX_WIDTH) * 0.8
    curve = (
        f'<path d="M{x0} {y0} C{x0 + bend:g} {y0} {x1 - bend:g} {y1} {x1} {y1}" '
        'fill="none" stroke="#7a8794" stroke-width="1.2"/>\n'
    )
    if count == 1:
        return curve
    return curve + f'<text x="{x1 - 16}" y="{y1 - 4}" fill="#7a8794">x{count}</text>\n'


def _box(label: str, x: int, y: int) -> str:
    colour = next((c for start, c in COLOURS if label.startswith(start)), "#f9f3c8")
    dash = ' stroke-dasharray="4 3"' if label in (NULL, IDENTITY) else ""
    return (
        f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5" '
        f'fill="{colour}" stroke="#55606b"{dash}/>\n'
        f'<text x="{x + BOX_WIDTH // 2}" y="{y + 18}" text-anchor="middle">'
        f"{escape(label.strip('()'))}</text>\n"
    )
