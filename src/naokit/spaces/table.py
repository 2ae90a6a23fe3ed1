"""A space bounded by a table: only its rows exist, and its classes say what is distinct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from naokit.base import Architecture, Json
from naokit.spaces.bounded import Bounded


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
        first: dict[str, tuple[int, ...]] = {}
        for choices, name in self.classes.items():
            first.setdefault(name, choices)
        if len(first) > limit:
            return None
        return [Architecture(self, choices) for choices in first.values()]

    def sample(self, generator: np.random.Generator) -> Architecture:
        """A row, each equally likely."""
        return Architecture(self, self._rows[int(generator.integers(len(self._rows)))])

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.classes.values())

    @cached_property
    def _rows(self) -> list[tuple[int, ...]]:
        return list(self.classes)

    def settings(self) -> Mapping[str, Json]:
        """Those of the space beneath, and the table."""
        return {**self.space.settings(), "table": self.table}
