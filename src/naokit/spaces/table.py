"""A space bounded by a table: only its rows exist, and its classes say what is distinct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from naokit.base import Architecture, Grammar, Json, Space
from naokit.graphs import Graph

ATTEMPTS = 100
"""Mutants that are tried for one that the table knows."""


@dataclass(frozen=True)
class TableSpace(Space):
    """The architectures of `space` that a table knows.

    Attributes:
        space: whose grammar, spelling and graphs these are.
        table: fingerprint of the table: two spaces are equal when space and table are.
        classes: what each row's choices are called; equal names are one architecture.
    """

    space: Space
    table: str
    classes: Mapping[tuple[int, ...], str] = field(compare=False, repr=False)

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
        """How many rows there are."""
        return len(self.classes)

    def spell(self, choices: Sequence[int]) -> str:
        """As the space beneath."""
        return self.space.spell(choices)

    def read(self, text: str) -> tuple[int, ...]:
        """As the space beneath."""
        return self.space.read(text)

    def numbers(self, choices: Sequence[int]) -> Sequence[float]:
        """As the space beneath."""
        return self.space.numbers(choices)

    def describe(self, choices: Sequence[int]) -> str:
        """As the space beneath."""
        return self.space.describe(choices)

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """As the space beneath."""
        return self.space.graphs(choices)

    def key(self, choices: Sequence[int]) -> str:
        """The row's class; what the table does not know goes by its graphs."""
        known = self.classes.get(tuple(choices))
        return self.space.key(choices) if known is None else known

    def allows(self, choices: Sequence[int]) -> bool:
        """Whether the table knows a value."""
        return self.key(choices) in self._names

    def mutate(self, architecture: Architecture, generator: np.random.Generator) -> Architecture:
        """A mutant that the table knows, or a row where none is found soon."""
        for _ in range(ATTEMPTS):
            mutant = super().mutate(architecture, generator)
            if self.allows(mutant.choices):
                return mutant
        return self.sample(generator)

    def sample(self, generator: np.random.Generator) -> Architecture:
        """A row, each equally likely."""
        return Architecture(self, self._rows[int(generator.integers(len(self._rows)))])

    def everything(self, limit: int) -> list[Architecture] | None:
        """The first row of each class."""
        first: dict[str, tuple[int, ...]] = {}
        for choices, name in self.classes.items():
            first.setdefault(name, choices)
        if len(first) > limit:
            return None
        return [Architecture(self, choices) for choices in first.values()]

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.classes.values())

    @cached_property
    def _rows(self) -> list[tuple[int, ...]]:
        return list(self.classes)

    def settings(self) -> Mapping[str, Json]:
        """Those of the space beneath, and the table."""
        return {**self.space.settings(), "table": self.table}
