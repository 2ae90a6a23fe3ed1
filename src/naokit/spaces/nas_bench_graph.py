"""NAS-Bench-Graph (Qin et al. 2022, arXiv 2206.09166): graph neural networks of four layers.

Each layer reads the network's input or one earlier layer, so the network is a tree; what no layer
reads is concatenated. The text has the layer that each one reads (0: the input), then operations::

    0,1,1,3 gcn,gat,skip,fc

The 157,464 texts spell 27,938 networks. The benchmark has results of 26,206, each in one spelling;
the 1,732 without are those in which the output reads the input itself, by skips alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from naokit.base import InputError, Json
from naokit.grammar import Grammar
from naokit.graphs import IDENTITY, Graph
from naokit.space import Space

LAYERS = 4
OPERATIONS = ("gcn", "gat", "graph", "sage", "gin", "cheb", "arma", "skip", "fc")


@dataclass(frozen=True)
class NasBenchGraph(Space):
    """Four layers, each with one of nine operations."""

    @property
    def name(self) -> str:
        """The name that the command line knows the space by."""
        return "nas-bench-graph"

    @cached_property
    def grammar(self) -> Grammar:
        """The layer read, then the operation, for each layer; operations share their tokens."""
        names, counts, first_tokens, options = [], [], [], []
        for layer in range(1, LAYERS + 1):
            names += [f"layer {layer} input", f"layer {layer} operation"]
            counts += [layer, len(OPERATIONS)]
            first_tokens += [1, LAYERS + 1]
            options += [tuple(map(str, range(layer))), OPERATIONS]
        return Grammar(
            tuple(names), tuple(counts), tuple(first_tokens), group=2, options=tuple(options)
        )

    def spell(self, choices: Sequence[int]) -> str:
        """The two lists of the benchmark, a space between."""
        links = ",".join(map(str, choices[::2]))
        return f"{links} {','.join(OPERATIONS[choice] for choice in choices[1::2])}"

    def read(self, text: str) -> tuple[int, ...]:
        """The choices of a text of the benchmark."""
        words = text.replace(",", " ").split()
        links, names = words[:LAYERS], words[LAYERS:]
        for layer, link in enumerate(links):
            if not link.isdecimal() or int(link) > layer:
                raise InputError(f"layer {layer + 1} reads {link}; expected 0 to {layer}")
        if len(names) != LAYERS or not set(names) <= set(OPERATIONS):
            raise InputError(
                f"not a NAS-Bench-Graph network: {text!r}; expected four layers read and four of "
                f"{', '.join(OPERATIONS)}, as in 0,1,1,3 gcn,gat,skip,fc"
            )
        pairs = zip(links, names, strict=True)
        return tuple(c for link, name in pairs for c in (int(link), OPERATIONS.index(name)))

    def describe(self, choices: Sequence[int]) -> str:
        """Each layer as an operation on what it reads; 0 is the input."""
        links, operations = choices[::2], choices[1::2]
        lines = [
            f"{layer} = {OPERATIONS[operation]}({link})"
            for layer, (link, operation) in enumerate(zip(links, operations, strict=True), 1)
        ]
        loose = [str(layer) for layer in range(1, LAYERS + 1) if layer not in links]
        return "\n".join([*lines, f"output = concat({', '.join(loose)})"])

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """One graph: a tree whose leaves are joined in the output."""
        links = choices[::2]
        names = [OPERATIONS[choice] for choice in choices[1::2]]
        labels = [IDENTITY if name == "skip" else name for name in names]
        output = LAYERS + 1
        edges = [(link, layer) for layer, link in enumerate(links, 1)]
        edges += [(layer, output) for layer in range(1, output) if layer not in links]
        return (Graph.of(["input", *labels, "output"], edges, (0,), (output,)),)

    def settings(self) -> Mapping[str, Json]:
        """The name of the space, which is all there is to set."""
        return {"space": self.name}
