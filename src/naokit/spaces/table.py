"""A space bounded by a table: only its rows exist, and its classes say what is distinct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from naokit.base import Architecture, Grammar, Json, Space
from naokit.graphs import Graph


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

    def sample(self, generator: np.random.Generator) -> Architecture:
        """A row, each equally likely."""
        return Architecture(self, self._rows[int(generator.integers(len(self._rows)))])

    @cached_property
    def _rows(self) -> list[tuple[int, ...]]:
        return list(self.classes)

    def settings(self) -> Mapping[str, Json]:
        """Those of the space beneath, and the table."""
        return {**self.space.settings(), "table": self.table}
