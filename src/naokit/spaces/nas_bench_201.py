"""NAS-Bench-201 (Dong and Yang 2020, arXiv 2001.00326): one cell, five operations on six edges.

The cell's four nodes are joined pairwise; each of the six edges carries one operation and a node
adds what arrives. The official text names the operation and the source of each edge::

    |nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|

It is searched on tables of known results.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from naokit.base import Grammar, InputError, Json, Space
from naokit.graphs import IDENTITY, NULL, Graph

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""(source, target) of each edge, in the order of the text."""

_LABELS = {"none": NULL, "skip_connect": IDENTITY}
_EXAMPLE = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"


@dataclass(frozen=True)
class NasBench201(Space):
    """The 15,625 cells of NAS-Bench-201."""

    @property
    def name(self) -> str:
        """The name that the command line knows the space by."""
        return "nas-bench-201"

    @cached_property
    def grammar(self) -> Grammar:
        """Six positions of five tokens."""
        names = tuple(f"edge {source}-{target}" for source, target in EDGES)
        return Grammar(names, (len(OPERATIONS),) * len(EDGES), (1,) * len(EDGES))

    def spell(self, choices: Sequence[int]) -> str:
        """The official text."""
        words = [
            f"{OPERATIONS[choice]}~{source}"
            for choice, (source, _) in zip(choices, EDGES, strict=True)
        ]
        return "+".join(f"|{'|'.join(part)}|" for part in (words[:1], words[1:3], words[3:]))

    def read(self, text: str) -> tuple[int, ...]:
        """The choices of an official text."""
        words = re.findall(r"([a-z0-9_]+)~(\d)", text)
        sources = [int(source) for _, source in words]
        if sources != [source for source, _ in EDGES]:
            raise InputError(f"not a NAS-Bench-201 cell: {text!r}; expected one like {_EXAMPLE}")
        for (operation, _), edge in zip(words, EDGES, strict=True):
            if operation not in OPERATIONS:
                raise InputError(
                    f"edge {edge[0]}-{edge[1]} has the unknown operation {operation!r}; "
                    f"expected one of {', '.join(OPERATIONS)}"
                )
        return tuple(OPERATIONS.index(operation) for operation, _ in words)

    def describe(self, choices: Sequence[int]) -> str:
        """Each node as a sum of operations on earlier nodes; 0 is the input, 3 the output."""
        lines = []
        for node in (1, 2, 3):
            terms = [
                f"{OPERATIONS[choice]}({source})"
                for choice, (source, target) in zip(choices, EDGES, strict=True)
                if target == node
            ]
            lines.append(f"{node} = {' + '.join(terms)}")
        return "\n".join(lines)

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """The line graph: the operation on i-j feeds every operation on j-k."""
        operations = [_LABELS.get(OPERATIONS[c], OPERATIONS[c]) for c in choices]
        output = len(EDGES) + 1
        edges = [(0, place) for place, (source, _) in enumerate(EDGES, 1) if source == 0]
        edges += [(place, output) for place, (_, target) in enumerate(EDGES, 1) if target == 3]
        edges += [
            (place, later)
            for place, (_, middle) in enumerate(EDGES, 1)
            for later, (source, _) in enumerate(EDGES, 1)
            if source == middle
        ]
        return (Graph.of(["input", *operations, "output"], edges, (0,), (output,)),)

    def settings(self) -> Mapping[str, Json]:
        """The name alone."""
        return {"space": self.name}
