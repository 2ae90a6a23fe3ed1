"""Spaces that allow only some of the architectures of another space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from naokit.base import Json
from naokit.grammar import Grammar
from naokit.graphs import Graph
from naokit.settings import NetworkSettings
from naokit.space import Architecture, Space

if TYPE_CHECKING:
    from torch import nn

ATTEMPTS = 100
"""How many mutants are tried to find one that is allowed."""


@dataclass(frozen=True)
class Bounded(Space):
    """A space that passes everything on to another space, except what a subclass restricts.

    Attributes:
        space: The space beneath, which gives grammar, spelling, graphs and networks.
    """

    space: Space

    @property
    def name(self) -> str:
        """The name of the space beneath."""
        return self.space.name

    @property
    def grammar(self) -> Grammar:
        """The grammar of the space beneath."""
        return self.space.grammar

    @property
    def size(self) -> int:
        """The size of the space beneath, an upper bound here."""
        return self.space.size

    def spell(self, choices: Sequence[int]) -> str:
        """The text that the space beneath gives the choices."""
        return self.space.spell(choices)

    def read(self, text: str) -> tuple[int, ...]:
        """The choices that the space beneath reads from a text."""
        return self.space.read(text)

    def describe(self, choices: Sequence[int]) -> str:
        """The description by the space beneath."""
        return self.space.describe(choices)

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """The graphs in the space beneath."""
        return self.space.graphs(choices)

    def numbers(self, choices: Sequence[int]) -> Sequence[float]:
        """The numeric features in the space beneath."""
        return self.space.numbers(choices)

    def matters(self, choices: Sequence[int]) -> Sequence[bool]:
        """Whether each choice matters in the space beneath."""
        return self.space.matters(choices)

    def key(self, choices: Sequence[int]) -> str:
        """The key in the space beneath."""
        return self.space.key(choices)

    def allows(self, choices: Sequence[int]) -> bool:
        """Whether the space beneath allows the choices."""
        return self.space.allows(choices)

    def settings(self) -> Mapping[str, Json]:
        """The settings of the space beneath."""
        return self.space.settings()

    def build(self, architecture: Architecture, settings: NetworkSettings) -> nn.Module:
        """The network that the space beneath builds."""
        return self.space.build(Architecture(self.space, architecture.choices), settings)

    def build_shared(self, settings: NetworkSettings) -> nn.Module:
        """The shared network of the space beneath."""
        return self.space.build_shared(settings)

    def plan(self, architecture: Architecture) -> object:
        """What the shared network of the space beneath is told."""
        return self.space.plan(Architecture(self.space, architecture.choices))

    @property
    def reads(self) -> str:
        """What the networks of the space beneath read."""
        return self.space.reads

    @property
    def has_networks(self) -> bool:
        """Whether the space beneath builds networks."""
        return self.space.has_networks

    @property
    def same_cost(self) -> bool:
        """Whether all networks of the space beneath have the same cost."""
        return self.space.same_cost

    def everything(self, limit: int) -> list[Architecture] | None:
        """Every architecture of the space beneath, as one of this space."""
        found = self.space.everything(limit)
        return found and [Architecture(self, architecture.choices) for architecture in found]

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """Every neighbour in the space beneath, allowed or not."""
        for neighbour in self.space.neighbours(architecture):
            yield Architecture(self, neighbour.choices)

    def mutate(self, architecture: Architecture, generator: np.random.Generator) -> Architecture:
        """An allowed mutant; a random architecture if none is found in `ATTEMPTS` attempts."""
        for _ in range(ATTEMPTS):
            mutant = self.space.mutate(architecture, generator)
            if self.allows(mutant.choices):
                return Architecture(self, mutant.choices)
        return self.sample(generator)
