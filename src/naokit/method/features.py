"""What the performance model sees of an architecture: numbers read off its labelled graphs.

Each graph has three blocks, which are invariant under renumbering of the vertices:

    path    for sets S of operations, over the paths whose inner vertices all lie in S:
            1 / (1 + shortest), longest / most vertices, log(1 + how many)
    degree  per operation: how many, how many edges from an input and to an output, sum and largest
            of in- and out-degree; and the degrees of inputs and output, edges, vertices
    depth   how many vertices of an operation have a longest distance of 1, 2, ... from the inputs,
            and to the output: on a chain this says what stands where

There is a fourth block, `number`, where the space also describes architectures by ordered values.
Columns stay raw: standardised, rare ones dominate, which took 12 % more evaluations on every table.

Shapes: A architectures, V vertices, O operations, S sets of operations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import numpy as np

from naokit.base import derive_seed
from naokit.graphs import SUM, Graph, canonical
from naokit.space import Architecture, Space

Name = TypeVar("Name")
Blocks = Sequence[np.ndarray]
"""The features of A architectures, one array of (A, columns) for each block."""

SAMPLE = 500
"""How many random architectures operations, sizes and typical distances are read from."""

ALL_SUBSETS = 5
"""With at most this many operations, paths are computed for every set of them (32)."""

PAIRS, PAIRED_INPUTS = 12, 2
"""With at most this many, the sets are singles, pairs, all but one, and all; else no pairs. There
are none either for graphs of more inputs than so many, because paths are counted from each: on
recurrent networks of four they took a third of the time and gained nothing (docs/results.md)."""

DEPTH_LOGIT = -1.5
"""Depths matter on chains and mislead on cells: their prior weight is a fifth of the others'
(docs/results.md)."""

CHUNK, USUAL = 4096, 64
"""So many graphs are looked at together, and fewer if they have more than so many vertices: memory
grows with the square of these."""
REMEMBERED = 30_000
"""The features of at most this many graphs are kept."""


@dataclass(frozen=True)
class Shape:
    """What one graph of a space's architectures can hold.

    Attributes:
        operations: The sorted labels between inputs and output; sums are no operations.
        inputs: The number of inputs.
        vertices: The largest number of vertices of the reduced graphs in a sample, at least 3.
        flat: Whether no operation feeds another, so that only the counts of operations matter.
    """

    operations: tuple[str, ...]
    inputs: int
    vertices: int
    flat: bool = False

    @classmethod
    def of(cls, reduced: Iterable[Graph]) -> Shape:
        """The shape that holds all of these reduced graphs."""
        graphs = list(reduced)
        labels = {label for graph in graphs for label in _inner(graph)}
        most = max(len(graph.labels) for graph in graphs)
        flat = all(
            source in graph.inputs or target in graph.outputs
            for graph in graphs
            for source, target, _ in graph.edges
        )
        return cls(tuple(sorted(labels - {SUM})), len(graphs[0].inputs), max(3, most), flat)

    def sets(self) -> list[tuple[str, ...]]:
        """The sets of operations for which paths are computed."""
        names = self.operations
        sizes: Sequence[int] = (1, 2, len(names) - 1, len(names))
        if len(names) <= ALL_SUBSETS:
            sizes = range(len(names) + 1)
        elif len(names) > PAIRS or self.inputs > PAIRED_INPUTS:
            sizes = (1, len(names) - 1, len(names))
        return [chosen for size in sorted(set(sizes)) for chosen in combinations(names, size)]


class FeatureBlocks(ABC):
    """Turns architectures of one space into blocks of numbers.

    Attributes:
        logits: The prior means of the logits of the weights of the blocks.
    """

    logits: np.ndarray

    @abstractmethod
    def __call__(self, architectures: Sequence[Architecture]) -> Blocks:
        """The blocks, each (A, columns), in which distances mean the same."""


class Features(FeatureBlocks):
    """Turns the graphs of architectures into blocks of numbers.

    Each block is divided by a typical distance, its root mean square over random pairs, so that
    distances mean the same in all of them. A block that is constant is left out.

    Args:
        space: The space whose graphs are read.

    Attributes:
        names: The names of the blocks.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        generator = np.random.default_rng(derive_seed("features"))
        sample = [space.without_limits.sample(generator) for _ in range(SAMPLE)]
        graphs = [architecture.graphs for architecture in sample]
        self.shapes = [Shape.of(map(canonical, part)) for part in zip(*graphs, strict=True)]
        self._known: list[dict[Graph, tuple[np.ndarray, ...]]] = [{} for _ in self.shapes]
        self.scales = typical_distances(self._blocks(sample), generator)
        self.names = tuple(self.scales)
        self.logits = np.array([DEPTH_LOGIT if name == "depth" else 0.0 for name in self.names])

    def __call__(self, architectures: Sequence[Architecture]) -> Blocks:
        """The scaled blocks, in the order of `names`, each (A, columns)."""
        chunk = max(1, CHUNK * USUAL**2 // max(USUAL, *(s.vertices for s in self.shapes)) ** 2)
        parts = [
            self._blocks(architectures[start : start + chunk])
            for start in range(0, len(architectures), chunk)
        ]
        return [
            np.concatenate([part[name] for part in parts]) / np.float32(scale)
            for name, scale in self.scales.items()
        ]

    def _blocks(self, architectures: Sequence[Architecture]) -> dict[str, np.ndarray]:
        """The raw blocks of a few architectures."""
        graphs = [architecture.graphs for architecture in architectures]
        parts = [self._rows(place, part) for place, part in enumerate(zip(*graphs, strict=True))]
        numbers = [self.space.numbers(architecture.choices) for architecture in architectures]
        return {
            **{
                name: np.concatenate([part[column] for part in parts], axis=1)
                for column, name in enumerate(("path", "degree", "depth"))
            },
            "number": np.array(numbers, dtype=np.float32).reshape(len(architectures), -1),
        }

    def _rows(self, place: int, graphs: Sequence[Graph]) -> list[np.ndarray]:
        """The blocks of one part. Known graphs are looked up, as mutants share their cells."""
        known = self._known[place]
        if len(known) > REMEMBERED:
            known.clear()
        new = [graph for graph in dict.fromkeys(graphs) if graph not in known]
        if new:
            stack = _Stack([canonical(graph) for graph in new], self.shapes[place])
            blocks = stack.counts() if self.shapes[place].flat else stack.structure()
            known.update(zip(new, zip(*blocks, strict=True), strict=True))
        return [np.stack(rows) for rows in zip(*(known[graph] for graph in graphs), strict=True)]


def typical_distances(
    blocks: Mapping[Name, np.ndarray], generator: np.random.Generator
) -> dict[Name, float]:
    """The root mean square distance of random pairs in each block of a sample.

    A block that is constant is left out.
    """
    pairs = generator.integers(0, SAMPLE, (2, 4 * SAMPLE))
    squares = {
        name: float(((block[pairs[0]] - block[pairs[1]]) ** 2).sum(axis=1).mean())
        for name, block in blocks.items()
    }
    return {name: square**0.5 for name, square in squares.items() if square > 0}


def distances(left: Blocks, right: Blocks) -> list[np.ndarray]:
    """The Euclidean distances in each block, (left, right) each."""
    return [_distance(a, b) for a, b in zip(left, right, strict=True)]


def _distance(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    squares = (left * left).sum(axis=1)[:, None] + (right * right).sum(axis=1)
    distance: np.ndarray = np.sqrt(np.maximum(squares - 2 * (left @ right.T), 0))
    return distance


def _inner(graph: Graph) -> Iterator[str]:
    ends = {*graph.inputs, *graph.outputs}
    return (label for vertex, label in enumerate(graph.labels) if vertex not in ends)


class _Stack:
    """Reduced graphs of one shape as arrays, A in all, padded to the same V vertices.

    The inputs come first and the output last, whatever their places in the graphs.
    """

    def __init__(self, graphs: Sequence[Graph], shape: Shape) -> None:
        self.shape = shape
        vertices = max(shape.vertices, *(len(graph.labels) for graph in graphs))
        self.edges = np.zeros((len(graphs), vertices, vertices), dtype=np.float32)
        # One column for each operation, then sums, inputs and outputs. A label that the sample did
        # not have is in none of the columns: its vertex is seen only in the edges.
        known = {name: column for column, name in enumerate((*shape.operations, SUM))}
        self.kinds = np.zeros((len(graphs), vertices, len(known) + 2), dtype=np.float32)
        for row, graph in enumerate(graphs):
            self._fill(row, graph, vertices, known)

    def _fill(self, row: int, graph: Graph, vertices: int, known: Mapping[str, int]) -> None:
        last = vertices - 1
        place = list(range(len(graph.labels)))
        for output in graph.outputs:  # every space has one; it comes last
            place[output] = last
            self.kinds[row, last, -1] = 1
        for vertex in graph.inputs:
            self.kinds[row, place[vertex], -2] = 1
        ends = {*graph.inputs, *graph.outputs}
        for vertex, label in enumerate(graph.labels):
            if vertex not in ends and label in known:
                self.kinds[row, place[vertex], known[label]] = 1
        for source, target, count in graph.edges:
            self.edges[row, place[source], place[target]] = count

    @property
    def operations(self) -> np.ndarray:
        """Which operation each vertex is, (A, V, O)."""
        return self.kinds[:, :, : len(self.shape.operations)]

    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The blocks of a flat graph, in which the counts of operations stand for the degrees."""
        nothing = np.zeros((len(self.edges), 0), dtype=np.float32)
        return nothing, self.operations.sum(axis=1), nothing

    def structure(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The blocks path, degree and depth."""
        return self.paths(), self.degrees(), self.depths()

    def paths(self) -> np.ndarray:
        """The shortest, longest and number of paths for each input and set, (A, inputs * 3 S)."""
        sets = self.shape.sets()
        member = np.array(
            [[name in chosen for chosen in sets] for name in self.shape.operations], dtype=bool
        ).reshape(len(self.shape.operations), len(sets))
        inside = np.einsum("avo,os->avs", self.operations, member.astype(np.float32)) > 0
        inside |= self.kinds[:, :, -3:-2] > 0  # a sum is no step and lies in every set
        inside[:, -1] = True
        steps = self.operations.sum(axis=2)  # (A, V): 1 for an operation
        columns = [self._paths_from(start, inside, steps) for start in range(self.shape.inputs)]
        return np.concatenate(columns, axis=1)

    def _paths_from(self, start: int, inside: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """One pass in topological order over (A, S) tables of each vertex."""
        amount, vertices, sets = inside.shape
        shortest = np.full((vertices, amount, sets), np.inf, dtype=np.float32)
        longest = np.full((vertices, amount, sets), -np.inf, dtype=np.float32)
        count = np.zeros((vertices, amount, sets), dtype=np.float32)
        shortest[start] = longest[start] = 0
        count[start] = 1
        rows = np.arange(amount)
        for target in range(self.shape.inputs, vertices):
            edges = self.edges[:, :target, target]  # (A, sources)
            sources = np.argsort(edges == 0, axis=1, kind="stable")  # those that are read first
            near, far = shortest[target], longest[target]
            for slot in range(int((edges > 0).sum(axis=1).max(initial=0))):
                source = sources[:, slot]
                several = edges[rows, source, None] * inside[:, target]
                there = several > 0  # (A, S)
                near = np.minimum(near, np.where(there, shortest[source, rows], np.inf))
                far = np.maximum(far, np.where(there, longest[source, rows], -np.inf))
                count[target] += several * count[source, rows]
            step = steps[:, target, None]
            shortest[target], longest[target] = near + step, far + step
        most = self.shape.vertices - self.shape.inputs - 1
        far = longest[-1]
        return np.concatenate(
            [
                1 / (1 + shortest[-1]),
                np.where(np.isfinite(far), far, -1) / most,
                np.log1p(count[-1]),
            ],
            axis=1,
        )

    def degrees(self) -> np.ndarray:
        """The counts and degrees of each kind of vertex, and those of the whole graph."""
        inputs = slice(0, self.shape.inputs)
        operations = self.operations
        into, out_of = self.edges.sum(axis=1), self.edges.sum(axis=2)  # (A, V)
        from_inputs = np.einsum("aiv,avo->aio", self.edges[:, inputs], operations)
        to_output = np.einsum("av,avo->ao", self.edges[:, :, -1], operations)
        columns = [
            operations.sum(axis=1),
            from_inputs.reshape(len(operations), -1),
            to_output,
            np.einsum("av,avo->ao", into, operations),
            np.einsum("av,avo->ao", out_of, operations),
            (into[:, :, None] * operations).max(axis=1),
            (out_of[:, :, None] * operations).max(axis=1),
            out_of[:, inputs],
            into[:, -1:],
            self.edges.sum(axis=(1, 2))[:, None],
            operations.sum(axis=(1, 2))[:, None],
            self.edges[:, inputs, -1],
        ]
        return np.concatenate(columns, axis=1)

    def depths(self) -> np.ndarray:
        """How many vertices of each operation lie at each distance from the inputs and output."""
        below = self._distances(self.edges, self.shape.inputs)
        above = self._distances(self.edges.transpose(0, 2, 1)[:, ::-1, ::-1], 1)[:, ::-1]
        most = self.shape.vertices - self.shape.inputs
        steps = np.arange(1, most)
        columns = [
            np.einsum("avd,avo->ado", (distance[:, :, None] == steps), self.operations)
            for distance in (below, above)
        ]
        return np.concatenate([c.reshape(len(c), -1) for c in columns], axis=1, dtype=np.float32)

    @staticmethod
    def _distances(edges: np.ndarray, starts: int) -> np.ndarray:
        """The longest distance of each vertex from the first `starts`, in edges, (A, V)."""
        amount, vertices, _ = edges.shape
        distance = np.zeros((amount, vertices), dtype=np.int64)
        for target in range(starts, vertices):
            reached = np.where(edges[:, :, target] > 0, distance + 1, 0)
            distance[:, target] = reached.max(axis=1)
        return distance
