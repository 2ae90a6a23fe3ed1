"""Cells with operations on edges: NAS-Bench-201 and the micro cells of TransNAS-Bench-101.

The cell's four nodes are joined pairwise; each of the six edges carries one operation and a node
adds what arrives. Both are searched on tables of known results.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from naokit.base import InputError, Json
from naokit.grammar import Grammar
from naokit.graphs import IDENTITY, NULL, Graph
from naokit.settings import ImageSettings, NetworkSettings
from naokit.space import Architecture, Space

if TYPE_CHECKING:
    from torch import nn

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""(source, target) of each edge, in the order of the texts."""


class EdgeCells(Space):
    """One cell; a subclass names the operations and spells them.

    Attributes:
        operations: The names of the operations, in the order of the choices; `none` yields zero.
    """

    operations: ClassVar[tuple[str, ...]]

    @abstractmethod
    def label(self, operation: str, source: int) -> str:
        """The label in the graph of an operation that reads node `source`."""

    @cached_property
    def grammar(self) -> Grammar:
        """Six positions that share their tokens."""
        names = tuple(f"edge {source}-{target}" for source, target in EDGES)
        counts, options = (len(self.operations),) * len(EDGES), (self.operations,) * len(EDGES)
        return Grammar(names, counts, (1,) * len(EDGES), options=options)

    def describe(self, choices: Sequence[int]) -> str:
        """Each node as a sum of operations on earlier nodes; 0 is the input, 3 the output."""
        lines = []
        for node in (1, 2, 3):
            terms = [
                f"{self.operations[choice]}({source})"
                for choice, (source, target) in zip(choices, EDGES, strict=True)
                if target == node
            ]
            lines.append(f"{node} = {' + '.join(terms)}")
        return "\n".join(lines)

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """The line graph: the operation on i-j feeds every operation on j-k."""
        labels = [
            self.label(self.operations[choice], source)
            for choice, (source, _) in zip(choices, EDGES, strict=True)
        ]
        output = len(EDGES) + 1
        edges = [(0, place) for place, (source, _) in enumerate(EDGES, 1) if source == 0]
        edges += [(place, output) for place, (_, target) in enumerate(EDGES, 1) if target == 3]
        edges += [
            (place, later)
            for place, (_, middle) in enumerate(EDGES, 1)
            for later, (source, _) in enumerate(EDGES, 1)
            if source == middle
        ]
        return (Graph.of(["input", *labels, "output"], edges, (0,), (output,)),)

    def settings(self) -> Mapping[str, Json]:
        """The name of the space, which is all there is to set."""
        return {"space": self.name}


@dataclass(frozen=True)
class NasBench201(EdgeCells):
    """The 15,625 cells of NAS-Bench-201 (Dong and Yang 2020, arXiv 2001.00326).

    The official text names the operation and the source of each edge::

        |nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|
    """

    operations: ClassVar = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

    @property
    def name(self) -> str:
        """The name that the command line knows the space by."""
        return "nas-bench-201"

    def label(self, operation: str, source: int) -> str:
        """An identity is free everywhere: the cells keep size and channels."""
        del source
        return {"none": NULL, "skip_connect": IDENTITY}.get(operation, operation)

    def spell(self, choices: Sequence[int]) -> str:
        """The official text."""
        words = [
            f"{self.operations[choice]}~{source}"
            for choice, (source, _) in zip(choices, EDGES, strict=True)
        ]
        return "+".join(f"|{'|'.join(part)}|" for part in (words[:1], words[1:3], words[3:]))

    def build(self, architecture: Architecture, settings: NetworkSettings) -> nn.Module:
        """The image network of the cell; `cells` of them in each of three stages."""
        from naokit.networks.edge import EdgeNetwork

        return EdgeNetwork(self.plan(architecture), self._for_images(settings))

    def build_shared(self, settings: NetworkSettings) -> nn.Module:
        """The shared image network of all cells."""
        from naokit.networks.edge import SharedEdgeNetwork

        return SharedEdgeNetwork(self._for_images(settings))

    def plan(self, architecture: Architecture) -> tuple[str, ...]:
        """The operation of each edge."""
        return tuple(self.operations[choice] for choice in architecture.choices)

    def _for_images(self, settings: NetworkSettings) -> ImageSettings:
        if not isinstance(settings, ImageSettings):
            raise InputError(f"{self.name} builds image networks and needs ImageSettings")
        return settings

    def read(self, text: str) -> tuple[int, ...]:
        """The choices of an official text."""
        words = [word.partition("~")[::2] for word in re.split(r"[|+\s]+", text.strip(" \n|+"))]
        if [source for _, source in words] != [str(source) for source, _ in EDGES]:
            example = self.spell((3, 0, 1, 4, 2, 0))
            raise InputError(f"not a NAS-Bench-201 cell: {text!r}; expected one like {example}")
        for (operation, _), edge in zip(words, EDGES, strict=True):
            if operation not in self.operations:
                raise InputError(
                    f"edge {edge[0]}-{edge[1]} has the unknown operation {operation!r}; "
                    f"expected one of {', '.join(self.operations)}"
                )
        return tuple(self.operations.index(operation) for operation, _ in words)


@dataclass(frozen=True)
class TransNasMicro(EdgeCells):
    """The 4,096 micro cells of TransNAS-Bench-101 (Duan et al. 2021, arXiv 2105.11871).

    The official text has the number of the operation on each edge; what stands before describes
    the network around the cell and may be left out, as may the marks between::

        64-41414-1_30_321
    """

    operations: ClassVar = ("none", "skip_connect", "conv_1x1", "conv_3x3")

    @property
    def name(self) -> str:
        """The name that the command line knows the space by."""
        return "transnas-micro"

    def label(self, operation: str, source: int) -> str:
        """An identity on the cell's input has a stride and weights in reduction cells: not free."""
        free = IDENTITY if source else operation
        return {"none": NULL, "skip_connect": free}.get(operation, operation)

    def spell(self, choices: Sequence[int]) -> str:
        """The official text."""
        digits = "".join(map(str, choices))
        return f"64-41414-{digits[:1]}_{digits[1:3]}_{digits[3:]}"

    def read(self, text: str) -> tuple[int, ...]:
        """The choices of an official text, or of six numbers."""
        cell = re.sub(r"^\d+-\d+-", "", text.strip())
        digits = re.sub(r"[\s(),_\[\]]", "", cell)
        last = len(self.operations) - 1
        if not re.fullmatch(f"[0-{last}]{{{len(EDGES)}}}", digits):
            raise InputError(
                f"not a TransNAS-Bench-101 micro cell: {text!r}; expected six numbers from 0 to "
                f"{last}, as in 64-41414-1_30_321"
            )
        return tuple(int(digit) for digit in digits)
