"""A space bounded by a table: only its rows exist, and its classes say what is distinct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from naokit.base import Architecture, Json
from naokit.spaces.bounded import Bounded

PROBES = 100
"""Mutants that are looked at to tell whether most of them are rows."""
NEAREST = 10
"""Where they are not: how many of the nearest rows a mutant is drawn from."""


@dataclass(frozen=True)
class TableSpace(Bounded):
    """The architectures of `space` that a table knows.

    Attributes:
        table: fingerprint of the table: two spaces are equal when space and table are.
        classes: what each row's choices are called; equal names are one architecture.
    """

    table: str
    classes: Mapping[tuple[int, ...], str] = field(compare=False, repr=False)

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.classes)

    def key(self, choices: Sequence[int]) -> str:
        """The row's class; what the table does not know goes by its graphs."""
        known = self.classes.get(tuple(choices))
        return self.space.key(choices) if known is None else known

    def allows(self, choices: Sequence[int]) -> bool:
        """Whether the table knows a value."""
        return self.key(choices) in self._names

    def everything(self, limit: int) -> list[Architecture] | None:
        """The first row of each class."""
        if len(self._first) > limit:
            return None
        return [Architecture(self, choices) for choices in self._first]

    def sample(self, generator: np.random.Generator) -> Architecture:
        """The first row of a class, each class equally likely: spellings are no weights."""
        return Architecture(self, self._first[int(generator.integers(len(self._first)))])

    def mutate(self, architecture: Architecture, generator: np.random.Generator) -> Architecture:
        """A mutant that is a row; where rows are few, one of the rows that differ in least choices.

        Asking about mutants until one is a row takes a second a proposal where most are none.
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
        """Whether most mutants of rows are rows; of a full table all are."""
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
        """Those of the space beneath, and the table."""
        return {**self.space.settings(), "table": self.table}
