"""An architecture as labelled graphs, and what makes two architectures the same.

See docs/specification.md, section 1.8.

A space describes each part of an architecture (a cell, say) as one directed acyclic graph. A vertex
is an operation, an input or an output; an edge says that the value of one vertex is added into the
input of another, so a sum needs no vertex of its own::

    labels   input0  sep_conv_3x3  (identity)  output        edges   0 -> 1, 0 -> 2, 1 -> 3, 2 -> 3

`canonical` reduces a graph to what it computes: null operations and dead vertices are removed, and
a free identity becomes edges from its predecessors to its successors. Multiplicities are kept,
because x + x is not x. `digest` names the result independently of vertex order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NULL = "(null)"
"""The label of an operation that yields zero; it and whatever only it feeds are removed."""

IDENTITY = "(identity)"
"""The label of an identity that costs nothing; one with a stride or weights needs another."""

SUM = "sum"
"""The label of a vertex that only adds what arrives, without an operation."""


Counts = dict[int, int]
"""The neighbours of one vertex, and how many edges lead to each."""


@dataclass(frozen=True)
class Graph:
    """A labelled directed acyclic multigraph; vertices stand in topological order.

    Attributes:
        labels: The label of each vertex.
        edges: Triples (source, target, multiplicity) with source < target, each pair at most once.
        inputs: The vertices at which data comes in.
        outputs: The vertices whose values leave the graph.
    """

    labels: tuple[str, ...]
    edges: tuple[tuple[int, int, int], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @classmethod
    def of(
        cls,
        labels: Sequence[str],
        edges: Iterable[tuple[int, int]],
        inputs: Sequence[int],
        outputs: Sequence[int],
    ) -> Graph:
        """The graph of these edges; repeated edges are counted."""
        counted = Counter(edges)
        weighted = tuple(sorted((s, t, count) for (s, t), count in counted.items()))
        return cls(tuple(labels), weighted, tuple(inputs), tuple(outputs))


def canonical(graph: Graph) -> Graph:
    """The graph of what is computed, without null, dead and free-identity vertices; idempotent.

    An input stays even if nothing reads it; its edges show that it is not read.
    """
    predecessors, successors = _neighbours(graph)
    ends = {*graph.inputs, *graph.outputs}
    for vertex, label in enumerate(graph.labels):
        if label == NULL and vertex not in ends:
            _cut(vertex, predecessors, successors)
        elif label == IDENTITY and vertex not in ends:
            _contract(vertex, predecessors, successors)
    alive = _reached(graph.inputs, successors) & _reached(graph.outputs, predecessors)
    kept = sorted(alive | ends)
    place = {vertex: index for index, vertex in enumerate(kept)}
    edges = tuple(
        (place[source], place[target], successors[source][target])
        for source in kept
        if source in alive
        for target in sorted(successors[source])
        if target in alive
    )
    return Graph(
        tuple([graph.labels[vertex] for vertex in kept]),
        edges,
        tuple([place[vertex] for vertex in graph.inputs]),
        tuple([place[vertex] for vertex in graph.outputs]),
    )


def digest(graphs: Sequence[Graph]) -> str:
    """A name (32 hexadecimal digits) that isomorphic sequences of graphs share.

    Each graph is reduced by `canonical`, then its vertices are coloured by their label and refined,
    once per vertex, by the sorted colours and multiplicities of predecessors and successors.
    Refinement never separates isomorphic graphs; that it does not merge different ones is checked
    against networkx in the tests.
    """
    return _hash("|".join(_colours(canonical(graph)) for graph in graphs))


def _colours(graph: Graph) -> str:
    """The sorted colours of the refined vertices."""
    predecessors, successors = _neighbours(graph)
    inputs, outputs = set(graph.inputs), set(graph.outputs)
    colours = [
        f"{label}{'<' * (vertex in inputs)}{'>' * (vertex in outputs)}"
        for vertex, label in enumerate(graph.labels)
    ]
    for _ in colours:
        colours = [
            _hash(f"{colour};{_mix(above, colours)};{_mix(below, colours)}")
            for colour, above, below in zip(colours, predecessors, successors, strict=True)
        ]
    return ",".join(sorted(colours))


def _mix(neighbours: Counts, colours: Sequence[str]) -> str:
    return ",".join(sorted([f"{colours[vertex]}*{count}" for vertex, count in neighbours.items()]))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _neighbours(graph: Graph) -> tuple[list[Counts], list[Counts]]:
    """For each vertex how often each earlier one feeds it and how often it feeds later ones."""
    predecessors: list[Counts] = [{} for _ in graph.labels]
    successors: list[Counts] = [{} for _ in graph.labels]
    for source, target, count in graph.edges:
        predecessors[target][source] = successors[source][target] = count
    return predecessors, successors


def _cut(vertex: int, predecessors: list[Counts], successors: list[Counts]) -> None:
    """Removes every edge at `vertex`."""
    for source in predecessors[vertex]:
        del successors[source][vertex]
    for target in successors[vertex]:
        del predecessors[target][vertex]
    predecessors[vertex] = {}
    successors[vertex] = {}


def _contract(vertex: int, predecessors: list[Counts], successors: list[Counts]) -> None:
    """Replaces `vertex` by edges from predecessors to successors, multiplicities multiplied."""
    for source, above in predecessors[vertex].items():
        for target, below in successors[vertex].items():
            count = successors[source].get(target, 0) + above * below
            successors[source][target] = predecessors[target][source] = count
    _cut(vertex, predecessors, successors)


def _reached(starts: Iterable[int], table: Sequence[Counts]) -> set[int]:
    """The vertices that can be reached from `starts` along `table`."""
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        new = table[waiting.pop()].keys() - seen
        seen |= new
        waiting += new
    return seen
