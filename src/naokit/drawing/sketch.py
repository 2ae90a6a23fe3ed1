"""The parts of a graph that are drawn: its vertices, sums ("+") and arrows between them.

A graph leaves its sums out: an edge adds into what it leads to. Drawn so, the two branches of a
node would each have an arrow to every reader. Here they meet in one sum, which the readers share::

    a -> c                 a ──┐     ┌──> c
    a -> d      becomes        ├─ + ─┤
    b -> c                 b ──┘     └──> d
    b -> d
"""

from __future__ import annotations

from dataclasses import dataclass

from naokit.graphs import SUM, Graph
from naokit.wording import one_line

Read = tuple[tuple[int, int], ...]
"""What a vertex reads: (source, multiplicity) of each edge."""


@dataclass(frozen=True)
class Sketch:
    """Vertices in topological order, and the arrows between them.

    Attributes:
        labels: The label of each vertex; that of a sum is `SUM`.
        arrows: The arrows (source, target, multiplicity).
        inputs: The vertices at which data comes in.
        outputs: The vertices whose values leave the graph.
        numbers: The numbers of those vertices that have one in the architecture's text.
    """

    labels: tuple[str, ...]
    arrows: tuple[tuple[int, int, int], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    numbers: dict[int, int]


def sketch(graph: Graph) -> Sketch:
    """The sketch of a graph; vertices that read the same several values share a sum."""
    read = _reads(graph)
    labels: list[str] = []
    arrows: list[tuple[int, int, int]] = []
    place: dict[int, int] = {}
    sums: dict[Read, int] = {}

    def add(label: str, sources: Read) -> int:
        labels.append(label)
        arrows.extend((source, len(labels) - 1, count) for source, count in sources)
        return len(labels) - 1

    for vertex, label in enumerate(graph.labels):
        sources = tuple((place[source], count) for source, count in read[vertex])
        if label == SUM:
            place[vertex] = sums[sources] = add(label, sources)
            continue
        if len(sources) > 1 and vertex not in graph.outputs:
            if sources not in sums:
                sums[sources] = add(SUM, sources)
            sources = ((sums[sources], 1),)
        place[vertex] = add(one_line(_shown(graph, vertex)), sources)
    inputs, outputs = (tuple(place[v] for v in ends) for ends in (graph.inputs, graph.outputs))
    numbers = _numbers(graph, sums) | _nodes(graph, place)
    return Sketch(tuple(labels), tuple(arrows), inputs, outputs, numbers)


def _reads(graph: Graph) -> list[Read]:
    """What each vertex of a graph reads."""
    read: list[list[tuple[int, int]]] = [[] for _ in graph.labels]
    for source, target, count in graph.edges:
        read[target].append((source, count))
    return [tuple(sources) for sources in read]


def _shown(graph: Graph, vertex: int) -> str:
    """The text of a vertex."""
    label = graph.labels[vertex]
    read = [graph.labels[source] for source, target, _ in graph.edges if target == vertex]
    if vertex in graph.outputs and len(read) > 1 and SUM in read:
        return f"{label} (concat)"  # where the output added, no sum would need a vertex before it
    if _is_recurrent(graph):
        ends = {graph.inputs[0]: "0 tanh(input, state)", graph.outputs[0]: "output = mean"}
        return ends.get(vertex, label)
    if _is_cell(graph) and vertex in graph.inputs:
        return f"{label[-1]} = h[k-{len(graph.inputs) - int(label[-1])}]"
    return label


def _is_recurrent(graph: Graph) -> bool:
    """Whether the only input is numbered: it is node 0 of a recurrent cell."""
    return [graph.labels[vertex] for vertex in graph.inputs] == ["input0"]


def _is_cell(graph: Graph) -> bool:
    """Whether the inputs are the two numbered ones of a cell: the cell before last, and the last.

    In the text of such a cell the sums go on counting.
    """
    return [graph.labels[vertex] for vertex in graph.inputs] == ["input0", "input1"]


def _numbers(graph: Graph, sums: dict[Read, int]) -> dict[int, int]:
    """The number of each sum of a cell; nodes are in the order of their branches."""
    if not _is_cell(graph):
        return {}
    return {sums[read]: number for number, read in enumerate(sorted(sums), len(graph.inputs))}


def _nodes(graph: Graph, place: dict[int, int]) -> dict[int, int]:
    """The number of each node of a recurrent cell, which is that of its vertex."""
    if not _is_recurrent(graph):
        return {}
    return {place[v]: v for v in range(len(graph.labels)) if v not in graph.inputs + graph.outputs}
