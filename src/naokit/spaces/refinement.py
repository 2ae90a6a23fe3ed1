"""Many graphs at once: which of them are the same, and which are near each other.

Every vertex gets a colour from its label. A round of refinement gives it a new one from its own and
from the colours of the vertices that it reads and that read it, each kind with its multiplicity
(Weisfeiler and Lehman 1968; Shervashidze et al. 2011 for the histograms)::

    round 0   labels                     round 1   a label among its neighbours          ...

Rows are the same if their colours are when refinement ends. They are near if they share many
colours of the first rounds: what counts is the angle between their counts of these colours, because
small graphs have short vectors, which are not far from anything. Colours are numbers of 64 bits, so
that a round takes a tenth of a second for a million vertices; that two different graphs among
100,000 get the same number has a probability of about one in a million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np
from scipy.sparse import csr_array

from naokit.graphs import Graph

ROUNDS = 2
"""The rounds whose colours say how near two rows are; round 0 counts the labels."""

REACH = 200
"""How many of the nearest rows are kept for a row."""

Numbers = np.ndarray
"""Integers of 64 bits, whose sums and products overflow on purpose."""


class Refinement:
    """The colours of the vertices of reduced graphs.

    Args:
        rows: The graphs of each architecture, as many for each; see `naokit.graphs.canonical`.

    Attributes:
        classes: A number for each row, which isomorphic rows share, (N,).
        first: The first row of each class, ascending, (C,).
    """

    def __init__(self, rows: Sequence[Sequence[Graph]]) -> None:
        owners, labels, edges = _side_by_side(rows)
        self._owner = owners
        self._source, self._target = edges[:, 0], edges[:, 1]
        self._count = _mixed(edges[:, 2].astype(np.uint64))
        self._rounds = [labels]
        self.classes = self._refine(max(len(g.labels) for graphs in rows for g in graphs))
        _, first, inverse = np.unique(self.classes, return_index=True, return_inverse=True)
        self.first = np.sort(first)
        self._place = np.searchsorted(self.first, first[inverse])  # of each row's class in `first`
        self._near: dict[int, list[int]] = {}

    def _refine(self, most: int) -> Numbers:
        """Refines until no colour splits, `most` rounds at most; the sum of colours of each row."""
        colours, amount = self._rounds[0], 0
        for _ in range(most):
            colours = self._round(colours)
            if len(self._rounds) <= ROUNDS:
                self._rounds.append(colours)
            former, amount = amount, _different(colours)
            if amount == former:
                break
        return self._summed(_mixed(colours), self._owner, self._owner[-1] + 1)

    def _round(self, colours: Numbers) -> Numbers:
        """The colours after one more round."""
        above = _mixed(colours[self._source] + self._count)
        below = _mixed(colours[self._target] + self._count)
        read = self._summed(above, self._target, len(colours))
        reading = self._summed(below, self._source, len(colours))
        return _mixed(_mixed(_mixed(colours) + read) + reading)

    @staticmethod
    def _summed(numbers: Numbers, places: np.ndarray, size: int) -> Numbers:
        """The sum of the numbers at each place."""
        sums = np.zeros(size, dtype=np.uint64)
        np.add.at(sums, places, numbers)
        return sums

    @cached_property
    def _counts(self) -> csr_array:
        """How often the first row of each class has each colour of the first rounds."""
        colours = np.concatenate(
            [_mixed(found + np.uint64(place)) for place, found in enumerate(self._rounds)]
        )
        _, columns = np.unique(colours, return_inverse=True)
        rows = np.tile(self._owner, len(self._rounds))
        ones = np.ones(len(rows), dtype=np.float32)
        return csr_array((ones, (rows, columns)))[self.first]

    @cached_property
    def _lengths(self) -> np.ndarray:
        """The length of each row of the counts, (C,)."""
        lengths: np.ndarray = np.sqrt(self._counts.multiply(self._counts).sum(axis=1))
        return lengths

    def near(self, row: int) -> list[int]:
        """The first rows of the `REACH` other classes that are nearest to a row, nearest first."""
        place = int(self._place[row])
        if place not in self._near:
            shared = self._counts @ self._counts[[place]].toarray()[0]
            alike = shared / self._lengths
            alike[place] = -1.0
            found = np.argsort(-alike, kind="stable")[: min(REACH, len(alike) - 1)]
            self._near[place] = self.first[found].tolist()
        return self._near[place]


def _side_by_side(
    rows: Sequence[Sequence[Graph]],
) -> tuple[np.ndarray, Numbers, np.ndarray]:
    """All graphs as one: the row of each vertex, its first colour, and the edges, (E, 3)."""
    owners: list[int] = []
    labels: list[int] = []
    edges: list[tuple[int, int, int]] = []
    for number, graphs in enumerate(rows):
        for part, graph in enumerate(graphs):
            edges += [(s + len(labels), t + len(labels), count) for s, t, count in graph.edges]
            owners += [number] * len(graph.labels)
            labels += _labels(part, graph)
    numbers = np.array(labels, dtype=np.uint64)
    return np.array(owners), numbers, np.array(edges, dtype=np.int64).reshape(-1, 3)


def _labels(part: int, graph: Graph) -> list[int]:
    """The first colour of each vertex: its label, its graph among those of a row, and its role."""
    inputs, outputs = set(graph.inputs), set(graph.outputs)
    return [
        _number(part, label, vertex in inputs, vertex in outputs)
        for vertex, label in enumerate(graph.labels)
    ]


@cache
def _number(*parts: object) -> int:
    """A number of 64 bits that depends on every part."""
    text = "\x1f".join(map(str, parts)).encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def _different(numbers: Numbers) -> int:
    """How many different numbers there are."""
    ordered = np.sort(numbers)
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def _mixed(numbers: Numbers) -> Numbers:
    """Numbers that look random, one for each: the finalizer of SplitMix64 (Steele et al. 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
