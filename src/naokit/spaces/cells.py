"""Convolutional cells: the paper's search spaces for images.

They are defined in docs/specification.md, sections 1.1 and 1.2; the tokens in section 1.5.

An architecture is a normal and a reduction cell. Each has two inputs (0: the output of the cell
before the last, 1: of the last cell) and B nodes; a node adds two branches, each an operation on
one earlier node; what no node reads is concatenated::

    0 ──sep_conv_3x3──┐
                      ├── + ── node 2 ──avg_pool_3x3──┐
    1 ──identity──────┘                               ├── + ── node 3 ── output
    0 ──max_pool_3x3──────────────────────────────────┘

The official text is `x_id x_op y_id y_op` for each node, normal cell first. Each of the four is one
choice, hence one token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from naokit.base import InputError, Json
from naokit.grammar import Grammar
from naokit.graphs import IDENTITY, SUM, Graph
from naokit.settings import ImageSettings, NetworkSettings
from naokit.space import Architecture, Space
from naokit.wording import one_line

if TYPE_CHECKING:
    from torch import nn

    from naokit.networks import CellPlan, OperationBuilder

CELLS = ("normal", "reduction")
INPUTS = 2
MOST_NODES, LONGEST_NUMBER = 100, 10
"""The paper has five; the grammar grows with their square."""

SMALL = ("sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3", "identity")
"""The five operations of the weight-sharing space, ids 0 to 4."""

LARGE = (
    "identity",
    "conv_1x1",
    "conv_3x3",
    "conv_1x3_3x1",
    "conv_1x7_7x1",
    "max_pool_2x2",
    "max_pool_3x3",
    "max_pool_5x5",
    "avg_pool_2x2_padded",
    "avg_pool_3x3_padded",
    "avg_pool_5x5_padded",
)
"""The eleven operations of the from-scratch space, ids 5 to 15; their pools count the padding."""


NASNET = (*SMALL, "sep_conv_7x7", "conv_1x7_7x1")
"""The operations of NASNet-A and AmoebaNet-A; those that `SMALL` lacks have the ids 5 and 6."""


@dataclass(frozen=True)
class Operation:
    """An operation that a user defines.

    Attributes:
        name: The name of the operation in graphs and drawings.
        build: A function (channels, stride) -> module. The module maps (B, channels, H, W) to
            (B, channels, ceil(H / stride), ceil(W / stride)).
    """

    name: str
    build: Callable[[int, int], nn.Module]


@dataclass(frozen=True)
class ConvCells(Space):
    """Two cells of `nodes` nodes over `operations`.

    Attributes:
        nodes: The number of nodes of each cell, the paper's B.
        operations: Names of `naokit.networks.OPERATIONS`, or operations of your own.
        label: The name of the space.
        first_id: The number that the official text gives to the first operation.
        source: The place that a user's own space was loaded from (`file.py:NAME` or
            `package.module:NAME`).
    """

    nodes: int = 5
    operations: tuple[str | Operation, ...] = SMALL
    label: str = "conv-cells"
    first_id: int = 0
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not 1 <= self.nodes <= MOST_NODES:
            raise InputError(
                f"a cell needs at least one node, at most {MOST_NODES}, not {self.nodes}"
            )
        names = self.operation_names
        if len(set(names)) != len(names) or not names:
            raise InputError(f"operations need different names, at least one: {', '.join(names)}")

    @classmethod
    def small(cls, nodes: int = 5) -> ConvCells:
        """`conv-small`: the five operations of the weight-sharing search."""
        return cls(nodes, SMALL, "conv-small")

    @classmethod
    def large(cls, nodes: int = 5) -> ConvCells:
        """`conv-large`: the eleven operations of the search from scratch."""
        return cls(nodes, LARGE, "conv-large", first_id=5)

    @classmethod
    def nasnet(cls, nodes: int = 5) -> ConvCells:
        """`conv-nasnet`: the small space and two operations of NASNet-A and AmoebaNet-A."""
        return cls(nodes, NASNET, "conv-nasnet")

    @property
    def name(self) -> str:
        """The name that the command line knows the space by."""
        return self.label

    @property
    def operation_names(self) -> tuple[str, ...]:
        """The operations' names, in the order of their ids."""
        return tuple(o if isinstance(o, str) else o.name for o in self.operations)

    @cached_property
    def grammar(self) -> Grammar:
        """Tokens of nodes (1 to B + 1), then of operations (docs/specification.md, section 1.5)."""
        first_operation = self.nodes + INPUTS
        names, counts, first_tokens, options = [], [], [], []
        for cell in CELLS:
            for node in range(INPUTS, INPUTS + self.nodes):
                for branch in "xy":
                    names += [f"{cell}.{node}.{branch}.input", f"{cell}.{node}.{branch}.operation"]
                    counts += [node, len(self.operations)]
                    first_tokens += [1, first_operation]
                    options += [tuple(map(str, range(node))), self.operation_names]
        symmetries = tuple(
            tuple(
                self._swap(cell * 4 * self.nodes + 4 * node, len(counts))
                for node in range(self.nodes)
            )
            for cell in range(len(CELLS))
        )
        return Grammar(
            tuple(names), tuple(counts), tuple(first_tokens), 2, symmetries, tuple(options)
        )

    @staticmethod
    def _swap(start: int, length: int) -> tuple[int, ...]:
        """The permutation that swaps the two branches of the node at `start`."""
        places = list(range(length))
        places[start : start + 4] = [start + 2, start + 3, start, start + 1]
        return tuple(places)

    def spell(self, choices: Sequence[int]) -> str:
        """The official text: for each branch the id of its input and the id of its operation."""
        return " ".join(
            str(choice + self.first_id * (position % 2)) for position, choice in enumerate(choices)
        )

    def read(self, text: str) -> tuple[int, ...]:
        """The choices of an official integer text (spaces or commas between)."""
        words = text.replace(",", " ").split()
        grammar = self.grammar
        if len(words) != grammar.length:
            raise InputError(
                f"a genotype of {self.name} with {self.nodes} nodes a cell has {grammar.length} "
                f"integers (x_id x_op y_id y_op a node, normal then reduction cell), "
                f"not {len(words)}"
            )
        return tuple(self._choice(position, word) for position, word in enumerate(words))

    def _choice(self, position: int, word: str) -> int:
        first = self.first_id * (position % 2)
        count = self.grammar.counts[position]
        number = int(word) if word.isdecimal() and len(word) < LONGEST_NUMBER else -1
        if not first <= number < first + count:
            kind = "an operation" if position % 2 else "an earlier node"
            raise InputError(
                f"integer {position + 1} ({self.grammar.names[position]}) is {word}; "
                f"{kind}, {first} to {first + count - 1}, was expected"
            )
        return number - first

    def branches(self, choices: Sequence[int], cell: int) -> list[tuple[int, str]]:
        """(input node, operation name) of each branch of cell 0 (normal) or 1 (reduction)."""
        names = self.operation_names
        part = choices[cell * 4 * self.nodes : (cell + 1) * 4 * self.nodes]
        return [(part[i], names[part[i + 1]]) for i in range(0, len(part), 2)]

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """One graph a cell."""
        return tuple(
            cell_graph(tuple(self.branches(choices, cell)), reduction=bool(cell)) for cell in (0, 1)
        )

    def describe(self, choices: Sequence[int]) -> str:
        """Each cell's nodes as sums of operations on earlier nodes; inputs are 0 and 1."""
        lines = []
        for cell, name in enumerate(CELLS):
            lines.append(f"{name} cell")
            branches = self.branches(choices, cell)
            for node, (x, y) in enumerate(zip(branches[::2], branches[1::2], strict=True), INPUTS):
                lines.append(one_line(f"  {node} = {x[1]}({x[0]}) + {y[1]}({y[0]})"))
            read = {source for source, _ in branches}
            loose = [str(n) for n in range(INPUTS + self.nodes) if n not in read]
            lines.append(f"  output = concat({', '.join(loose)})")
        return "\n".join(lines)

    def settings(self) -> Mapping[str, Json]:
        """The name and the number of nodes; of a user's own space also operations and source."""
        settings: dict[str, Json] = {"space": self.name, "nodes": self.nodes}
        if self not in (made(self.nodes) for made in (self.small, self.large, self.nasnet)):
            settings |= {"operations": list(self.operation_names), "first_id": self.first_id}
        if self.source:
            settings["source"] = self.source
        return settings

    def build(self, architecture: Architecture, settings: NetworkSettings) -> nn.Module:
        """The image network of two cells; raises InputError for operations of a wrong shape."""
        from naokit.networks import ImageNetwork

        sized = self._for_images(settings)
        return ImageNetwork(*self.plan(architecture), sized, self._builders())

    def build_shared(self, settings: NetworkSettings) -> nn.Module:
        """The shared image network of all cells."""
        from naokit.networks.shared_image import SharedImageNetwork

        sized = self._for_images(settings)
        return SharedImageNetwork(self.nodes, self.operation_names, sized, self._builders())

    def plan(self, architecture: Architecture) -> tuple[CellPlan, CellPlan]:
        """The normal and the reduction cell."""
        normal, reduction = (self._plan(architecture.choices, cell) for cell in (0, 1))
        return normal, reduction

    def _for_images(self, settings: NetworkSettings) -> ImageSettings:
        if not isinstance(settings, ImageSettings):
            raise InputError(f"{self.name} builds image networks and needs ImageSettings")
        return settings

    def _builders(self) -> dict[str, OperationBuilder]:
        """Every operation by name, those of a user's own with their shapes checked."""
        from naokit.networks import OPERATIONS
        from naokit.spaces.shapes import checked_operation

        own = {
            o.name: checked_operation(o.name, o.build)
            for o in self.operations
            if isinstance(o, Operation)
        }
        return {**OPERATIONS, **own}

    def _plan(self, choices: Sequence[int], cell: int) -> CellPlan:
        from naokit.networks import Branch, CellPlan

        branches = [Branch(*branch) for branch in self.branches(choices, cell)]
        return CellPlan(tuple(zip(branches[::2], branches[1::2], strict=True)))


@lru_cache(maxsize=20_000)  # a search looks at thousands of mutants, each of one cell
def cell_graph(branches: tuple[tuple[int, str], ...], *, reduction: bool) -> Graph:
    """The graph of one cell: a vertex a branch, and one for each sum that leaves the cell.

    An operation on a node reads both branches of the node. In a reduction cell whatever reads an
    input has stride 2, so an identity there has weights (a factorized reduction) and is not free;
    neither is an unread input on its way to the output.
    """
    labels = ["input0", "input1"]
    edges: list[tuple[int, int]] = []
    producers: list[tuple[int, ...]] = [(0,), (1,)]
    for x, y in zip(branches[::2], branches[1::2], strict=True):
        for source, operation in (x, y):
            free = operation == "identity" and not (reduction and source < INPUTS)
            edges += [(producer, len(labels)) for producer in producers[source]]
            labels.append(IDENTITY if free else operation)
        producers.append((len(labels) - 2, len(labels) - 1))
    leaving: list[int] = []
    for node in sorted(set(range(len(producers))) - {source for source, _ in branches}):
        if node < INPUTS and not reduction:
            leaving.append(node)
            continue
        edges += [(producer, len(labels)) for producer in producers[node]]
        leaving.append(len(labels))
        labels.append("identity" if node < INPUTS else SUM)
    edges += [(vertex, len(labels)) for vertex in leaving]
    labels.append("output")
    return Graph.of(labels, edges, (0, 1), (len(labels) - 1,))
