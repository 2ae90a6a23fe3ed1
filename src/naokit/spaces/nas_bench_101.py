"""NAS-Bench-101 (Ying et al. 2019, arXiv 1902.09635): cells with operations on vertices.

A cell is a directed acyclic graph of at most seven vertices (the input, the output and up to five
with one of three operations) and at most nine edges::

    0 ──conv3x3 (1)──┬──conv1x1 (2)──┬── output
                     └───────────────┘

The text has the upper triangle of the adjacency matrix, row by row, then the operations of the
inner vertices: `100111 c3-c1`. These are the columns `adjacency_upper` and `ops` of the table. A
cell of fewer vertices has a shorter text, and is a cell of seven with vertices that nothing joins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np

from naokit.base import InputError, Json
from naokit.grammar import Grammar
from naokit.graphs import Graph
from naokit.settings import ImageSettings, NetworkSettings
from naokit.space import Architecture, Space

if TYPE_CHECKING:
    from torch import nn

    from naokit.networks.vertex import VertexPlan

VERTICES = 7
OUTPUT = VERTICES - 1
MOST_EDGES = 9
EDGES = tuple(combinations(range(VERTICES), 2))
"""(source, target) of each edge, row by row: the order of the published text."""
OPERATIONS = {"c3": "conv3x3-bn-relu", "c1": "conv1x1-bn-relu", "mp": "maxpool3x3"}
"""The published name of each operation of the text."""
SHORT = tuple(OPERATIONS)

PAIRS = {
    size: tuple(EDGES.index(edge) for edge in combinations((*range(size - 1), OUTPUT), 2))
    for size in range(2, VERTICES + 1)
}
"""The positions of the edges of a cell of so many vertices, in the order of its text."""
SIZES = {len(pairs): size for size, pairs in PAIRS.items()}
"""How many vertices a triangle of so many bits has."""

ATTEMPTS = 100
"""How many mutants are tried to find one that is allowed."""

EXAMPLE = "100111 c3-c1"


@dataclass(frozen=True)
class NasBench101(Space):
    """The 423,624 cells of NAS-Bench-101, in 509,607,936 spellings.

    Spellings of more than nine edges on paths from the input to the output, or without such a path,
    are not allowed, as in the benchmark.
    """

    @property
    def name(self) -> str:
        """The name that the command line knows the space by."""
        return "nas-bench-101"

    @cached_property
    def grammar(self) -> Grammar:
        """The 21 edges in the order of the text, then the operations of the vertices 1 to 5."""
        inner = VERTICES - 2
        names = [f"edge {source}-{target}" for source, target in EDGES]
        names += [f"vertex {vertex} operation" for vertex in range(1, OUTPUT)]
        counts = (2,) * len(EDGES) + (len(SHORT),) * inner
        first_tokens = (1,) * len(EDGES) + (3,) * inner
        options = (("0", "1"),) * len(EDGES) + (SHORT,) * inner
        return Grammar(tuple(names), counts, first_tokens, options=options)

    def spell(self, choices: Sequence[int]) -> str:
        """The official text, without the last inner vertices that nothing joins."""
        bits, operations = choices[: len(EDGES)], choices[len(EDGES) :]
        joined = {vertex for edge in _edges(choices) for vertex in edge}
        size = VERTICES
        while size > 2 and size - 2 not in joined and not operations[size - 3]:
            size -= 1
        triangle = "".join([str(bits[place]) for place in PAIRS[size]])
        return f"{triangle} {'-'.join(SHORT[o] for o in operations[: size - 2])}".rstrip()

    def read(self, text: str) -> tuple[int, ...]:
        """The choices of an official text."""
        triangle, *words = text.split() or [""]
        if len(words) > 1 or set(triangle) - {"0", "1"}:
            raise InputError(
                f"not a NAS-Bench-101 cell: {text!r}; expected the upper triangle of its matrix "
                f"row by row, and operations, as in {EXAMPLE}"
            )
        if len(triangle) not in SIZES:
            raise InputError(
                f"{triangle!r} is no upper triangle: it has {len(triangle)} bits; expected "
                f"{', '.join(map(str, SIZES))}, for {min(PAIRS)} to {VERTICES} vertices"
            )
        size = SIZES[len(triangle)]
        choices = [0] * self.grammar.length
        for place, bit in zip(PAIRS[size], triangle, strict=True):
            choices[place] = int(bit)
        operations = _operations("".join(words), size - 2)
        choices[len(EDGES) : len(EDGES) + len(operations)] = operations
        return tuple(choices)

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """One graph of the vertices on paths from the input to the output."""
        operations, edges = _cell(choices)
        output = len(operations) + 1
        return (Graph.of(["input", *operations, "output"], edges, (0,), (output,)),)

    def matters(self, choices: Sequence[int]) -> Sequence[bool]:
        """Whether each edge is on a path, or is not there, and each vertex is on a path."""
        live = _live(choices)
        on_paths = {vertex for edge in live for vertex in edge}
        edges = [not bit or edge in live for edge, bit in zip(EDGES, choices, strict=False)]
        return [*edges, *(vertex in on_paths for vertex in range(1, OUTPUT))]

    def class_of(self, choices: Sequence[int]) -> str:
        """The least of the texts that the cell has under all numberings of its inner vertices."""
        triangle, orders = _numberings(tuple(choices[: len(EDGES)]))
        operations = choices[len(EDGES) :]
        named = [[operations[vertex - 1] for vertex in order] for order in orders]
        return f"{triangle} {'-'.join([SHORT[o] for o in min(named)])}"

    def describe(self, choices: Sequence[int]) -> str:
        """Each vertex as an operation on earlier ones; 0 is the input."""
        operations, edges = _cell(choices)
        if not edges:
            return "no path leads from the input to the output"
        output = len(operations) + 1
        read = {v: [s for s, target in edges if target == v] for v in range(1, output + 1)}
        lines = [
            f"{vertex} = {operation}({' + '.join(map(str, read[vertex]))})"
            for vertex, operation in enumerate(operations, 1)
        ]
        ends = ", ".join(str(source) for source in read[output] if source)
        terms = [f"concat({ends})"] * bool(ends) + ["0"] * (0 in read[output])
        return "\n".join(
            [*lines, f"output = {' + '.join(terms)}", "0 is projected where it is read"]
        )

    def allows(self, choices: Sequence[int]) -> bool:
        """Whether there is a path from the input to the output, and nine edges at most on paths."""
        return 0 < len(_live(choices)) <= MOST_EDGES

    def sample(self, generator: np.random.Generator) -> Architecture:
        """A random cell whose edges all lie on paths; each such spelling is equally likely.

        Of all allowed spellings, more than half are cells of one or two operations, or of none.
        """
        triangles = _triangles()
        edges = triangles[int(generator.integers(len(triangles)))]
        operations = generator.integers(0, len(SHORT), VERTICES - 2)
        return Architecture(self, (*edges.tolist(), *operations.tolist()))

    def mutate(self, architecture: Architecture, generator: np.random.Generator) -> Architecture:
        """The architecture with one choice changed, an allowed one if there is any nearby."""
        for _ in range(ATTEMPTS):
            mutant = super().mutate(architecture, generator)
            if self.allows(mutant.choices):
                break
        return mutant

    def settings(self) -> Mapping[str, Json]:
        """The name of the space, which is all there is to set."""
        return {"space": self.name}

    def build(self, architecture: Architecture, settings: NetworkSettings) -> nn.Module:
        """The image network of the cell; `cells` of them in each of three stacks.

        Raises:
            InputError: No path leads through the cell, or the settings do not fit.
        """
        from naokit.networks.vertex import VertexNetwork

        if not isinstance(settings, ImageSettings):
            raise InputError(f"{self.name} builds image networks and needs ImageSettings")
        if settings.channels < VERTICES - 2:
            raise InputError(
                f"channels must be at least 6 for {self.name}, because up to {VERTICES - 2} "
                f"vertices of a cell share them, not {settings.channels}"
            )
        return VertexNetwork(self.plan(architecture), settings)

    def plan(self, architecture: Architecture) -> VertexPlan:
        """The operations and edges of the cell."""
        from naokit.networks.vertex import VertexPlan

        operations, edges = _cell(architecture.choices)
        if not edges:
            raise InputError(
                f"no path leads from the input to the output of the cell {architecture}: set "
                "more edges"
            )
        return VertexPlan(tuple(operations), tuple(edges))


def _operations(text: str, count: int) -> list[int]:
    """The choices of the operations of a text; InputError unless there are `count` known ones."""
    words = text.split("-") if text else []
    if len(words) != count:
        raise InputError(
            f"{len(words)} operations ({text or 'none'}) for {count} inner vertices; expected one "
            f"each, as in {EXAMPLE}"
        )
    for vertex, word in enumerate(words, 1):
        if word not in SHORT:
            raise InputError(
                f"vertex {vertex} has the unknown operation {word!r}; expected one of "
                f"{', '.join(SHORT)}"
            )
    return [SHORT.index(word) for word in words]


def _edges(choices: Sequence[int]) -> list[tuple[int, int]]:
    """The edges that are there, sources in order."""
    return [edge for edge, there in zip(EDGES, choices, strict=False) if there]


def _live(choices: Sequence[int]) -> list[tuple[int, int]]:
    """The edges on paths from the input to the output."""
    edges = _edges(choices)
    reached, leading = {0}, {OUTPUT}
    for source, target in edges:  # every edge into a source comes before the edges out of it
        if source in reached:
            reached.add(target)
    for source, target in reversed(edges):
        if target in leading:
            leading.add(source)
    return [(s, t) for s, t in edges if s in reached and t in leading]


@cache
def _triangles() -> np.ndarray:
    """The edges (n, 21) of every allowed cell whose edges all lie on paths.

    They do if each inner vertex that an edge leads to has one that leads on, and the other way
    round.
    """
    numbers = np.arange(2 ** len(EDGES), dtype=np.int32)  # bit p says whether edge p is there
    for vertex in range(1, OUTPUT):
        into, out = (
            sum(1 << place for place, edge in enumerate(EDGES) if edge[end] == vertex)
            for end in (1, 0)
        )
        numbers = numbers[(numbers & into != 0) == (numbers & out != 0)]
    bits = numbers[:, None] >> np.arange(len(EDGES)) & 1
    edges = bits.sum(axis=1)
    allowed: np.ndarray = bits[(edges > 0) & (edges <= MOST_EDGES)].astype(np.int8)
    return allowed


@lru_cache(maxsize=2**16)
def _numberings(bits: tuple[int, ...]) -> tuple[str, list[tuple[int, ...]]]:
    """The least triangle of the cell of these edges, and the orders of inner vertices that give it.

    The 423,624 rows of the table have 2,494 triangles: each is asked for often.
    """
    edges = _live(bits)
    inner = sorted({target for _, target in edges} - {OUTPUT})
    triangles: dict[str, list[tuple[int, ...]]] = {}
    for order in permutations(inner):
        number = {vertex: place for place, vertex in enumerate((0, *order, OUTPUT))}
        numbered = {(number[source], number[target]) for source, target in edges}
        if all(source < target for source, target in numbered):
            pairs = combinations(range(len(number)), 2)
            triangle = "".join(["01"[pair in numbered] for pair in pairs])
            triangles.setdefault(triangle, []).append(order)
    return min(triangles.items())


def _cell(choices: Sequence[int]) -> tuple[list[str], list[tuple[int, int]]]:
    """The operations of the inner vertices on paths, and the edges, with vertices numbered anew."""
    edges = _live(choices)
    inner = sorted({target for _, target in edges} - {OUTPUT})
    number = {vertex: place for place, vertex in enumerate([0, *inner, OUTPUT])}
    names = [OPERATIONS[SHORT[choices[len(EDGES) + vertex - 1]]] for vertex in inner]
    return names, [(number[source], number[target]) for source, target in edges]
