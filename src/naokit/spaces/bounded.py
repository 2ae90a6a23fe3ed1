"""Spaces within another: only some of its architectures may be proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from naokit.base import (
    Architecture,
    Grammar,
    Json,
    NetworkSettings,
    Space,
)
from naokit.graphs import Graph

if TYPE_CHECKING:
    from torch import nn

ATTEMPTS = 100
"""Mutants that are tried for one that is allowed."""


@dataclass(frozen=True)
class Bounded(Space):
    """The space beneath in all but what is allowed.

    Attributes:
        space: The space beneath, whose grammar, spelling and graphs these are.
    """

    space: Space

    @property
    def name(self) -> str:
        """The name of the space beneath."""
        return self.space.name

    @property
    def grammar(self) -> Grammar:
        """That of the space beneath."""
        return self.space.grammar

    @property
    def size(self) -> int:
        """As the space beneath: a bound."""
        return self.space.size

    def spell(self, choices: Sequence[int]) -> str:
        """As the space beneath."""
        return self.space.spell(choices)

    def read(self, text: str) -> tuple[int, ...]:
        """As the space beneath."""
        return self.space.read(text)

    def describe(self, choices: Sequence[int]) -> str:
        """As the space beneath."""
        return self.space.describe(choices)

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """As the space beneath."""
        return self.space.graphs(choices)

    def numbers(self, choices: Sequence[int]) -> Sequence[float]:
        """As the space beneath."""
        return self.space.numbers(choices)

    def key(self, choices: Sequence[int]) -> str:
        """As the space beneath."""
        return self.space.key(choices)

    def allows(self, choices: Sequence[int]) -> bool:
        """As the space beneath."""
        return self.space.allows(choices)

    def settings(self) -> Mapping[str, Json]:
        """As the space beneath."""
        return self.space.settings()

    def build(self, architecture: Architecture, settings: NetworkSettings) -> nn.Module:
        """As the space beneath."""
        return self.space.build(Architecture(self.space, architecture.choices), settings)

    @property
    def reads(self) -> str:
        """As the space beneath."""
        return self.space.reads

    @property
    def has_networks(self) -> bool:
        """As the space beneath."""
        return self.space.has_networks

    @property
    def one_size(self) -> bool:
        """As the space beneath."""
        return self.space.one_size

    def everything(self, limit: int) -> list[Architecture] | None:
        """As the space beneath."""
        found = self.space.everything(limit)
        return found and [Architecture(self, architecture.choices) for architecture in found]

    def mutate(self, architecture: Architecture, generator: np.random.Generator) -> Architecture:
        """A mutant of the space beneath that is allowed; a random one where none is found soon."""
        for _ in range(ATTEMPTS):
            mutant = self.space.mutate(architecture, generator)
            if self.allows(mutant.choices):
                return Architecture(self, mutant.choices)
        return self.sample(generator)
