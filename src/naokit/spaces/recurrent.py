"""Recurrent cells: the paper's search space for language.

They are defined in docs/specification.md, section 1.4; the tokens in section 1.5.

A cell is a tree of nodes. Node 0 reads what comes in and the state, every other node one earlier
node through an activation; the mean of nodes 1, 2, ... is the output and the next state::

    0 ──relu── 1 ──tanh────── 2 ──┐
               │                  ├── mean of 1, 2, 3
               └───identity── 3 ──┘

The official text is `input activation` for each node. The two official folders number the
activations differently (`TABLES`): equal integers are different cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from naokit.base import InputError, Json, unknown_name
from naokit.grammar import Grammar
from naokit.graphs import Graph
from naokit.settings import LanguageSettings, NetworkSettings
from naokit.space import Architecture, Space

if TYPE_CHECKING:
    from torch import Tensor, nn

    from naokit.networks import RecurrentPlan

TABLES: Mapping[str, tuple[str, ...]] = {
    "nao": ("tanh", "relu", "identity", "sigmoid"),
    "nao-ws": ("tanh", "relu", "sigmoid", "identity"),
}
"""Activations 0 to 3 of the official search from scratch, and of that with shared weights."""

WEIGHT_SHARING = "nao-ws"
MOST_NODES, LONGEST_NUMBER = 1000, 10
"""Limits; the paper has eleven nodes."""


@dataclass(frozen=True)
class Activation:
    """An activation that a user defines.

    Attributes:
        name: The name of the activation in texts, graphs and drawings.
        function: The activation of each number of a tensor; the shape must not change.
    """

    name: str
    function: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class RecurrentCells(Space):
    """Cells of `nodes` nodes besides node 0.

    Attributes:
        nodes: The number of nodes of the cell; the paper has 11.
        activations: The activations in the order of their numbers: names of
            `naokit.networks.ACTIVATIONS`, or activations of your own.
        label: The name of the space.
        source: The place that a user's own space was loaded from (`file.py:NAME` or
            `package.module:NAME`).
    """

    nodes: int = 11
    activations: tuple[str | Activation, ...] = TABLES[WEIGHT_SHARING]
    label: str = "recurrent"
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not 1 <= self.nodes <= MOST_NODES:
            raise InputError(
                f"a recurrent cell needs at least one node, at most {MOST_NODES:,}, not "
                f"{self.nodes}"
            )
        names = self.activation_names
        if len(set(names)) != len(names) or not names:
            raise InputError(f"activations need different names, at least one: {', '.join(names)}")
        if any(not name.isidentifier() for name in names):
            raise InputError(f"activations need names of letters and digits: {', '.join(names)}")
        for name in self.activations:
            if isinstance(name, str) and name not in TABLES[WEIGHT_SHARING]:
                raise unknown_name("activation", name, TABLES[WEIGHT_SHARING], most=2)

    @classmethod
    def of_table(cls, table: str = WEIGHT_SHARING, nodes: int = 11) -> RecurrentCells:
        """The space of this table of activations; raises InputError with the nearest names."""
        if table not in TABLES:
            raise unknown_name("table of activations", table, TABLES, most=2)
        return cls(nodes, TABLES[table])

    @property
    def name(self) -> str:
        """The name that the command line knows the space by."""
        return self.label

    @property
    def reads(self) -> str:
        """Text, which is what language models read."""
        return "text"

    @property
    def same_cost(self) -> bool:
        """True, because every node has a gate and weights, whatever its input and activation."""
        return True

    @property
    def activation_names(self) -> tuple[str, ...]:
        """The activations' names, in the order of their numbers."""
        return tuple(a if isinstance(a, str) else a.name for a in self.activations)

    @property
    def table(self) -> str:
        """The numbers and names of the activations as text, and the name of their table."""
        names = self.activation_names
        known = [name for name, table in TABLES.items() if table == names]
        listed = ", ".join(f"{number} {name}" for number, name in enumerate(names))
        return f"{listed} ({known[0] if known else 'its own'})"

    @cached_property
    def grammar(self) -> Grammar:
        """Node tokens 1 to N, activation tokens after them; the two of a node are one step."""
        names, counts, options = [], [], []
        for node in range(1, self.nodes + 1):
            names += [f"node{node}.input", f"node{node}.activation"]
            counts += [node, len(self.activations)]
            options += [tuple(map(str, range(node))), self.activation_names]
        first_tokens = (1, self.nodes + 1) * self.nodes
        return Grammar(tuple(names), tuple(counts), first_tokens, 2, options=tuple(options))

    def spell(self, choices: Sequence[int]) -> str:
        """The official text: for each node the node it reads and the number of its activation."""
        return " ".join(map(str, choices))

    def read(self, text: str) -> tuple[int, ...]:
        """The choices of an official integer text; an activation may be written by its name."""
        words = text.replace(",", " ").split()
        if len(words) != 2 * self.nodes:
            raise InputError(
                f"a genotype of {self.name} with {self.nodes} nodes has {2 * self.nodes} integers "
                f"(input activation a node), not {len(words)}"
            )
        return tuple(self._choice(position, word) for position, word in enumerate(words))

    def _choice(self, position: int, word: str) -> int:
        count = self.grammar.counts[position]
        if word.isdecimal() and len(word) < LONGEST_NUMBER and int(word) < count:
            return int(word)
        where = f"integer {position + 1} ({self.grammar.names[position]}) is {word}"
        if position % 2 == 0:
            raise InputError(f"{where}; an earlier node, 0 to {count - 1}, was expected")
        if word.lstrip("-").isdecimal():
            raise InputError(f"{where}; an activation was expected: {self.table}")
        if word not in self.activation_names:
            raise unknown_name("activation", word, self.activation_names, most=2)
        return self.activation_names.index(word)

    def steps(self, choices: Sequence[int]) -> tuple[tuple[int, str], ...]:
        """For each node the node that it reads and the name of its activation."""
        names = self.activation_names
        return tuple(
            (source, names[number])
            for source, number in zip(choices[::2], choices[1::2], strict=True)
        )

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """One graph: node 0 is its input, every other node leads to the output.

        No vertex is a free identity: each has a gate and weights of its own, whatever its
        activation. Nodes that can be renumbered into one another are the same computation.
        """
        steps = self.steps(choices)
        output = len(steps) + 1
        edges = [(source, node) for node, (source, _) in enumerate(steps, 1)]
        edges += [(node, output) for node in range(1, output)]
        labels = ["input0", *(name for _, name in steps), "output"]
        return (Graph.of(labels, edges, (0,), (output,)),)

    def describe(self, choices: Sequence[int]) -> str:
        """Each node as the activation of an earlier one, with a legend in words."""
        nodes = [
            f"{node} = {name}({source})"
            for node, (source, name) in enumerate(self.steps(choices), 1)
        ]
        return "\n".join(
            [
                "0 = tanh(input, state)",
                *nodes,
                f"output = mean(1 to {self.nodes}), which is the next state",
                "f(a) is gated: a + c (f(W a) - a), where c = sigmoid(V a); node 0 starts from the "
                "state",
                f"activations: {self.table}",
            ]
        )

    def settings(self) -> Mapping[str, Json]:
        """The name, the number of nodes, the activations, and the source of a user's own space."""
        settings: dict[str, Json] = {
            "space": self.name,
            "nodes": self.nodes,
            "activations": list(self.activation_names),
        }
        return settings | ({"source": self.source} if self.source else {})

    def build(self, architecture: Architecture, settings: NetworkSettings) -> nn.Module:
        """The language model around the cell; InputError where an activation changes shapes."""
        from naokit.networks import LanguageModel, RecurrentCell

        plan, sized = self.plan(architecture), self._for_text(settings)
        activations = self._functions({name for _, name in plan.nodes}, sized.hidden)
        return LanguageModel(RecurrentCell(plan, sized.hidden, sized.hidden, activations), sized)

    def build_shared(self, settings: NetworkSettings) -> nn.Module:
        """The shared language model of all cells."""
        from naokit.networks.shared_recurrent import SharedLanguageModel, SharedRecurrentCell

        sized, names = self._for_text(settings), self.activation_names
        every = self._functions(set(names), sized.hidden)
        activations = {name: every[name] for name in names}
        cell = SharedRecurrentCell(self.nodes, sized.hidden, sized.hidden, activations)
        return SharedLanguageModel(cell, sized)

    def plan(self, architecture: Architecture) -> RecurrentPlan:
        """The cell."""
        from naokit.networks import RecurrentPlan

        return RecurrentPlan(self.steps(architecture.choices))

    def _for_text(self, settings: NetworkSettings) -> LanguageSettings:
        """The settings themselves, checked."""
        from naokit.networks.language import check_settings

        if not isinstance(settings, LanguageSettings):
            raise InputError(f"{self.name} builds language models and needs LanguageSettings")
        check_settings(settings)
        return settings

    def _functions(self, names: set[str], hidden: int) -> dict[str, Callable[..., Any]]:
        """Every activation by name, those of a user's own among `names` with shapes checked."""
        from naokit.networks import ACTIVATIONS
        from naokit.spaces.shapes import check_activation

        own = {a.name: a.function for a in self.activations if isinstance(a, Activation)}
        for name in own.keys() & names:
            check_activation(name, own[name], hidden)
        return {**ACTIVATIONS, **own}
