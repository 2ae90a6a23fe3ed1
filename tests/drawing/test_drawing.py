"""Pictures: everything is drawn, nothing overlaps, no line runs through a box, few lines cross."""

import itertools
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from naokit.drawing import svg
from naokit.drawing.layered import columns, crossings, layers, segments
from naokit.drawing.layout import Layout, Line, VertexBox, layout
from naokit.drawing.sketch import sketch
from naokit.graphs import IDENTITY, NULL, SUM, Graph
from naokit.space import Architecture
from naokit.spaces import (
    Choice,
    Choices,
    ConvCells,
    NasBench101,
    NasBench201,
    NasBenchGraph,
    RecurrentCells,
    TransNasMicro,
)

MLP = Choices("mlp", (Choice("width", (16, 64)), Choice("activation", ("relu<&>", "gelu"))))
SPACES = [
    *(ConvCells.small(nodes) for nodes in (1, 2, 5, 8)),
    ConvCells.large(),
    NasBench101(),
    NasBench201(),
    TransNasMicro(),
    NasBenchGraph(),
    RecurrentCells(),
    RecurrentCells(1),
    MLP,
]
NAONETS = {
    "A": (
        ConvCells.large(),
        "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7",
    ),
    "B": (
        ConvCells.small(),
        "0 1 0 2 0 1 2 2 1 3 0 2 4 0 1 3 2 1 0 3 1 1 1 0 2 1 2 4 1 0 2 3 3 1 2 2 0 2 0 2",
    ),
    "WS": (
        ConvCells.small(),
        "0 1 0 4 2 2 1 3 1 0 2 0 2 3 1 3 1 2 0 4 1 1 0 3 2 3 2 3 1 0 0 1 0 4 2 4 2 3 2 3",
    ),
}


def samples(amount: int = 4) -> list[Architecture]:
    return [s.sample(np.random.default_rng(seed)) for s in SPACES for seed in range(amount)]


GRAPHS = [graph for architecture in samples() for graph in architecture.graphs]


def points(line: Line) -> np.ndarray:
    """Points (P, 2) along a line as it is drawn."""
    x0, y0, x1, x2, x3, y3 = line.points
    share = np.linspace(0, 1, 40)[:, None]
    bend = (x2 - x1) * 0.5
    corners = np.array([(x1, y0), (x1 + bend, y0), (x2 - bend, y3), (x2, y3)], dtype=float)
    weights = np.hstack(
        [(1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3]
    )
    begins = np.array([x0, y0]) + share * np.array([x1 - x0, 0])
    ends = np.array([x2, y3]) + share * np.array([x3 - x2, 0])
    return np.vstack([begins, weights @ corners, ends])


def runs_through(line: Line, box: VertexBox) -> bool:
    x, y = points(line).T
    inside = (x > box.x) & (x < box.x + box.width) & (y > box.y) & (y < box.y + box.height)
    return bool(inside.any())


def crossings_of(graph: Graph) -> int:
    drawn = sketch(graph)
    layer = layers(drawn)
    lines = segments(drawn, layer)
    return crossings(columns(drawn, layer, lines), lines)


@pytest.mark.parametrize("graph", GRAPHS, ids=range(len(GRAPHS)))
def test_nothing_overlaps(graph: Graph) -> None:
    drawn = layout(graph)
    for a, b in itertools.combinations(drawn.boxes, 2):
        apart = (
            a.x + a.width <= b.x
            or b.x + b.width <= a.x
            or a.y + a.height <= b.y
            or b.y + b.height <= a.y
        )
        assert apart, (a, b)
    for line, box in itertools.product(drawn.lines, drawn.boxes):
        if box.vertex not in (line.source, line.target):
            assert not runs_through(line, box), (line, box)
    assert all(box.x >= 0 and box.x + box.width <= drawn.width for box in drawn.boxes)
    assert all(box.y >= 0 and box.y + box.height <= drawn.height for box in drawn.boxes)


@pytest.mark.parametrize("graph", GRAPHS, ids=range(len(GRAPHS)))
def test_every_vertex_is_drawn_and_ends_are_at_the_ends(graph: Graph) -> None:
    drawn, seen = layout(graph), sketch(graph)
    operations = [box.label for box in drawn.boxes if box.vertex not in seen.inputs + seen.outputs]
    inner = set(range(len(graph.labels))) - {*graph.inputs, *graph.outputs}
    expected = sorted(graph.labels[v] for v in inner if graph.labels[v] != SUM)
    assert sorted(label for label in operations if label != SUM) == expected
    ends = {box.vertex: box for box in drawn.boxes}
    others = [box for box in drawn.boxes if box.vertex not in seen.inputs + seen.outputs]
    for box in others:
        assert all(ends[v].x + ends[v].width < box.x for v in seen.inputs)
        assert all(ends[v].x > box.x + box.width for v in seen.outputs)


@pytest.mark.parametrize("graph", GRAPHS, ids=range(len(GRAPHS)))
def test_the_lines_lead_where_the_edges_do(graph: Graph) -> None:
    """What a vertex reads, followed back through the sums of the sketch, is what the graph says."""
    seen = sketch(graph)
    place = [v for v, label in enumerate(seen.labels) if label != SUM]
    vertices = [v for v, label in enumerate(graph.labels) if label != SUM]
    original = dict(zip(place, vertices, strict=True))
    read: dict[int, list[int]] = {}
    for source, target, count in seen.arrows:
        before = [original[source]] if source in original else read[source]
        read[target] = sorted(read.get(target, []) + before * count)
    for vertex, own in original.items():
        assert read.get(vertex, []) == sorted(_read(graph, own))
    arrived = {
        (line.source, line.target) for line in layout(graph).lines if line.target is not None
    }
    assert arrived == {(source, target) for source, target, _ in seen.arrows}


def _read(graph: Graph, vertex: int) -> list[int]:
    """What a vertex reads, sums left out."""
    found: list[int] = []
    for source, target, count in graph.edges:
        if target == vertex:
            found += _read(graph, source) if graph.labels[source] == SUM else [source] * count
    return found


@pytest.mark.parametrize(("name", "most"), [("A", (3, 3)), ("B", (1, 0)), ("WS", (4, 1))])
def test_the_published_cells_cross_no_more_than_they_did(name: str, most: tuple[int, int]) -> None:
    space, text = NAONETS[name]
    found = tuple(crossings_of(graph) for graph in space.parse(text).graphs)
    assert all(a <= b for a, b in zip(found, most, strict=True)), found


def test_a_planar_cell_is_drawn_without_crossings() -> None:
    # The order of the branches alone would cross: node 2 reads 1 and 0, node 3 reads 0 and 1.
    cell = ConvCells.small(2).parse("1 0 0 1 2 2 1 3 0 0 0 1 1 2 1 3")
    assert [crossings_of(graph) for graph in cell.graphs] == [0, 0]


def test_the_branches_of_a_node_meet_in_one_numbered_sum() -> None:
    cell = ConvCells.small(2).parse("0 0 1 1 2 2 2 3 0 0 1 1 2 2 0 3")
    normal = sketch(cell.graphs[0])
    assert normal.labels.count(SUM) == 2
    assert sorted(normal.numbers.values()) == [2, 3]
    assert len(normal.arrows) == 2 + 2 + 2 + 2 + 1  # inputs, into 2, out of 2, into 3, out of 3
    assert sketch(NasBench201().sample(np.random.default_rng(0)).graphs[0]).numbers == {}


def test_the_nodes_of_a_recurrent_cell_are_numbered_as_in_its_text() -> None:
    drawn = svg(RecurrentCells(3).parse("0 1 1 0 1 3").graphs)
    for text in ("0 tanh(input, state)", "1 relu", "2 tanh", "3 identity", "output = mean"):
        assert f">{text}</text>" in drawn


def test_an_output_that_joins_several_nodes_says_so() -> None:
    one, several = ("0 0 1 1 2 2 2 3 " * 2, "0 0 1 1 0 2 1 3 " * 2)
    for text, label in ((one, "output"), (several, "output (concat)")):
        assert ConvCells.small(2).parse(text)._repr_svg_().count(f">{label}<") == 2


@pytest.mark.parametrize("architecture", samples(2), ids=str)
def test_the_picture_is_valid_xml_with_text_as_text(architecture: Architecture) -> None:
    root = ElementTree.fromstring(architecture._repr_svg_())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.findtext("{*}title") == repr(architecture)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any(text and text.startswith("output") for text in texts)


def test_names_are_escaped_and_parts_have_titles() -> None:
    assert "relu&lt;&amp;&gt;" in MLP.parse("width=16 activation=relu<&>")._repr_svg_()
    root = ElementTree.fromstring(ConvCells.small(1).parse("0 0 1 0 0 0 1 0")._repr_svg_())
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"normal", "reduction", "0 = h[k-2]", "1 = h[k-1]"} <= set(texts)


def test_nothing_and_loose_vertices_are_drawn_too() -> None:
    assert ElementTree.fromstring(svg([])).tag.endswith("svg")
    graph = Graph.of(["input", NULL, IDENTITY, "mine", "output"], [(0, 3), (3, 4)], (0,), (4,))
    texts = {e.text for e in ElementTree.fromstring(svg([graph])).iter() if e.text}
    assert {"none", "identity", "mine"} <= texts


def test_what_is_read_twice_says_so() -> None:
    graph = Graph.of(["input", "mine", "output"], [(0, 1), (0, 1), (1, 2)], (0,), (2,))
    assert "2 times" in svg([graph])


def test_other_operations_differ_in_colour() -> None:
    cell = NasBenchGraph().parse("0,0,0,0 gcn,gat,fc,gin")
    boxes = ElementTree.fromstring(cell._repr_svg_()).iter("{http://www.w3.org/2000/svg}rect")
    assert len({box.get("fill") for box in boxes}) == 1 + 1 + 4  # ground, ends, operations


def test_the_picture_is_the_same_every_time() -> None:
    space, text = NAONETS["WS"]
    code = (
        "from naokit.spaces import ConvCells\n"
        f"print(ConvCells.small().parse({text!r})._repr_svg_(), end='')"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {space.parse(text)._repr_svg_()}


def test_a_layout_is_data() -> None:
    drawn = layout(GRAPHS[0])
    assert isinstance(drawn, Layout)
    assert drawn == layout(GRAPHS[0])
