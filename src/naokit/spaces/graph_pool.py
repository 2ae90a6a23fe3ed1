"""The labelled graphs in a column of a table, as a space that holds these and no others.

An architecture is one row: the grammar has a single position, whose choices are the graphs. So what
is near what is not read off choices, as in other spaces, but off the graphs (`refinement`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from naokit.base import InputError, Json
from naokit.grammar import Grammar
from naokit.graphs import Graph, canonical
from naokit.space import Architecture, Space
from naokit.spaces.delimited import Delimited, read_delimited, require_column
from naokit.spaces.graph_texts import (
    Vertices,
    as_graph,
    graphs_of,
    inputs_of,
    read_json,
    shown,
    text_of,
)
from naokit.spaces.refinement import Refinement
from naokit.wording import counted, listed, one_line

NEIGHBOURS = 20
"""How many of the nearest graphs are the neighbours of a graph."""

MOST_INPUTS = 50
"""The most inputs that the graphs of a pool may have in all; each is a part of every feature."""


@dataclass(frozen=True)
class Graphs(Space):
    """The different graphs in a column of a table; `Graphs.of_table` reads them.

    Attributes:
        pool: The fingerprint of the graphs. Two spaces are equal if these are.
        file: The path of the table.
        column: The name of the column.
        lines: The first line of the file that holds each graph, or list of graphs.
        texts: Their JSON, without blanks.
        rows: The labelled graphs of each text.
    """

    pool: str
    file: str = field(compare=False)
    column: str = field(compare=False)
    lines: tuple[int, ...] = field(compare=False, repr=False)
    texts: tuple[str, ...] = field(compare=False, repr=False)
    rows: tuple[tuple[Graph, ...], ...] = field(compare=False, repr=False)

    @classmethod
    def of_table(cls, file: Path | str, column: str) -> Graphs:
        """The graphs of a CSV file.

        Raises:
            InputError: The file or the column is missing, a row holds no graph (the message says
                which), or there are fewer than two graphs.
        """
        table = read_delimited(Path(file))
        require_column([table], column, "architecture_column")
        found = _graphs_in(table, column)
        content = "\n".join(f"{line} {text}" for text, (line, _) in found.items())
        space = cls(
            hashlib.blake2b(content.encode(), digest_size=8).hexdigest(),
            str(Path(file).resolve()),
            column,
            tuple(line for line, _ in found.values()),
            tuple(found),
            _labelled([parts for _, parts in found.values()], column),
        )
        if len(space._refinement.first) < 2:
            raise InputError(
                f"the column {column} of {file} holds one graph: a search needs two that differ"
            )
        return space

    @property
    def name(self) -> str:
        """The name that the command line knows the space by."""
        return "graphs"

    @cached_property
    def grammar(self) -> Grammar:
        """One position, whose choices are the graphs."""
        return Grammar(("graph",), (len(self.texts),), (1,))

    def spell(self, choices: Sequence[int]) -> str:
        """The line of the table, as in `line 12`: the JSON of a graph is long."""
        return f"line {self.lines[choices[0]]}"

    def read(self, text: str) -> tuple[int, ...]:
        """The graph in a line, or the one of a JSON text; blanks in that do not matter."""
        place = self._places.get(text)
        if place is None and not text.startswith("line "):
            place = self._places.get(text_of(read_json(text)))
        if place is None:
            raise InputError(
                f"the column {self.column} of {self.file} holds no graph {shown(text)}; expected a "
                f"line of the table, such as {self.spell((0,))}, or a graph as it is written there"
            )
        return (place,)

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """The graphs of the row, with an unread input for each that only other rows have."""
        return self.rows[choices[0]]

    def class_of(self, choices: Sequence[int]) -> str:
        """The number of the class of the graph, which is found for all graphs at once."""
        return f"{self._refinement.classes[choices[0]]:016x}"

    def describe(self, choices: Sequence[int]) -> str:
        """A line for each vertex: `name = op(what it reads)`."""
        parts = graphs_of(read_json(self.texts[choices[0]]))
        lines: list[str] = []
        for number, vertices in enumerate(parts, 1):
            lines += [f"graph {number}"] * (len(parts) > 1)
            for name, (op, reads) in vertices.items():
                lines.append(one_line(f"{name} = {op}({', '.join(reads)})"))
        return "\n".join(lines)

    def everything(self, limit: int) -> list[Architecture] | None:
        """The first graph of each class, whatever the limit: there is nothing but this list.

        To score all of 100,000 graphs takes `nao` 0.1 s; candidates found among them took 1.5 s.
        """
        del limit
        return [Architecture(self, (place,)) for place in self._refinement.first.tolist()]

    def mutate(self, architecture: Architecture, generator: np.random.Generator) -> Architecture:
        """One of the nearest graphs: that of a rank of which the mean is `NEIGHBOURS`."""
        nearest = self._refinement.near(architecture.choices[0])
        rank = int(generator.geometric(1 / NEIGHBOURS)) - 1
        return Architecture(self, (nearest[rank % len(nearest)],))

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """The nearest graphs, nearest first."""
        for place in self._refinement.near(architecture.choices[0])[:NEIGHBOURS]:
            yield Architecture(self, (place,))

    def settings(self) -> Mapping[str, Json]:
        """The fingerprint of the graphs, and where they are read from."""
        return {"space": self.name, "pool": self.pool, "file": self.file, "column": self.column}

    @cached_property
    def _places(self) -> dict[str, int]:
        """The choice of each JSON and of each line."""
        names = [(self.spell((place,)), text) for place, text in enumerate(self.texts)]
        return {name: place for place, pair in enumerate(names) for name in pair}

    @cached_property
    def _refinement(self) -> Refinement:
        return Refinement([[canonical(graph) for graph in graphs] for graphs in self.rows])


def _graphs_in(table: Delimited, column: str) -> dict[str, tuple[int, tuple[Vertices, ...]]]:
    """The first line and the graphs of each different JSON in a column.

    Raises:
        InputError: A row holds no graph, or another number of graphs than the first row.
    """
    found: dict[str, tuple[int, tuple[Vertices, ...]]] = {}
    for row, line in zip(table.rows, table.lines, strict=True):
        try:
            value = read_json(row[column])
            text = text_of(value)
            if text not in found:
                found[text] = line, graphs_of(value)
                _check_alike(found[text][1], next(iter(found.values()))[1])
        except InputError as error:
            raise InputError(f"line {line} of the table: {column}: {error}") from error
    return found


def _check_alike(parts: Sequence[Vertices], first: Sequence[Vertices]) -> None:
    """Raises InputError if a row has another number of graphs than the first."""
    if len(parts) != len(first):
        raise InputError(
            f"{counted(len(parts), 'graph')}, where the first row has {len(first)}: expected as "
            "many in each row"
        )


def _labelled(found: Sequence[tuple[Vertices, ...]], column: str) -> tuple[tuple[Graph, ...], ...]:
    """The labelled graphs of each row, whose inputs are all that any row has."""
    inputs = [
        sorted({name for graph in part for name in inputs_of(graph)})
        for part in zip(*found, strict=True)
    ]
    for names in inputs:
        if len(names) > MOST_INPUTS:
            raise InputError(
                f"the graphs of the column {column} have {len(names):,} different inputs "
                f"({listed([one_line(name) for name in names], 3)}): inputs are told apart by "
                "their names, so give the same input the same name in every row"
            )
    return tuple(
        tuple(as_graph(vertices, names) for vertices, names in zip(parts, inputs, strict=True))
        for parts in found
    )
