"""A space restricted to a table: only its rows exist, and its classes say which are distinct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from naokit.base import Json
from naokit.space import Architecture
from naokit.spaces.bounded import Bounded

PROBES = 100
"""How many mutants are examined to decide whether most of them are rows."""
NEAREST = 10
"""How many of the nearest rows a mutant is drawn from, if most mutants are not rows."""


@dataclass(frozen=True)
class TableSpace(Bounded):
    """The architectures of `space` that a table knows.

    Attributes:
        table: The fingerprint of the table. Two spaces are equal if space and table are.
        classes: The class of each row by its choices. Rows of the same class are one architecture.
    """

    table: str
    classes: Mapping[tuple[int, ...], str] = field(compare=False, repr=False)

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.classes)

    def key(self, choices: Sequence[int]) -> str:
        """The class of the row, or that in the space beneath if the table has no such row."""
        known = self.classes.get(tuple(choices))
        return self.space.class_of(choices) if known is None else known

    def allows(self, choices: Sequence[int]) -> bool:
        """Whether the table has the architecture."""
        return self.key(choices) in self._names

    def everything(self, limit: int) -> list[Architecture] | None:
        """The first row of each class; None beyond the limit, unless the space is a list anyway."""
        if len(self._first) > limit and self.space.everything(limit) is None:
            return None
        return [Architecture(self, choices) for choices in self._first]

    def sample(self, generator: np.random.Generator) -> Architecture:
        """The first row of a random class; every class is equally likely, whatever its size."""
        return Architecture(self, self._first[int(generator.integers(len(self._first)))])

    def mutate(self, architecture: Architecture, generator: np.random.Generator) -> Architecture:
        """A mutant that is a row; if rows are rare, one of the rows with the fewest differences.

        If most mutants are not rows, drawing until one is takes a second for each proposal.
        """
        if self._dense:
            return super().mutate(architecture, generator)
        away = (self._rows != architecture.choices).sum(axis=1) + generator.random(len(self._rows))
        order = np.argsort(away)
        nearest = order[away[order] >= 1][:NEAREST]  # without itself; ties in random order
        if not nearest.size:
            return self.sample(generator)
        return Architecture(self, self._first[int(generator.choice(nearest))])

    @cached_property
    def _dense(self) -> bool:
        """Whether most mutants of rows are rows; in a complete table all of them are."""
        generator = np.random.default_rng(0)
        mutants = [self.space.mutate(self.sample(generator), generator) for _ in range(PROBES)]
        return sum(self.allows(mutant.choices) for mutant in mutants) > PROBES / 2

    @cached_property
    def _rows(self) -> np.ndarray:
        """The choices of the first row of each class (n, L)."""
        return np.array(self._first)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.classes.values())

    @cached_property
    def _first(self) -> list[tuple[int, ...]]:
        """The first row of each class."""
        first: dict[str, tuple[int, ...]] = {}
        for choices, name in self.classes.items():
            first.setdefault(name, choices)
        return list(first.values())

    def settings(self) -> Mapping[str, Json]:
        """The settings of the space beneath, and the fingerprint of the table."""
        return {**self.space.settings(), "table": self.table}
