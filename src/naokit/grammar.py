"""The grammar of a space: which choices an architecture has, and how they become tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Grammar:
    """Which token may stand where. An architecture has one choice for each of L positions.

    Choice c at position p is the token `first_tokens[p] + c`; token 0 starts a sequence.

    Attributes:
        names: The name of each position, which says what it decides (L, all different).
        counts: The number of choices of each position (L).
        first_tokens: The token of choice 0 at each position (L).
        group: The number of neighbouring tokens that make one encoder step (docs/specification.md,
            section 1.5).
        symmetries: Groups of permutations of the positions. Applying one permutation of each group
            to a sequence gives another spelling of the same architecture.
        options: The name of each choice of each position; empty if they have numbers alone.
    """

    names: tuple[str, ...]
    counts: tuple[int, ...]
    first_tokens: tuple[int, ...]
    group: int = 1
    symmetries: tuple[tuple[tuple[int, ...], ...], ...] = ()
    options: tuple[tuple[str, ...], ...] = ()

    @property
    def length(self) -> int:
        """The number of tokens of an architecture (L)."""
        return len(self.counts)

    @property
    def vocabulary(self) -> int:
        """The number of different tokens, with the start token (V)."""
        return max(f + c for f, c in zip(self.first_tokens, self.counts, strict=True))

    @property
    def named_options(self) -> tuple[tuple[str, ...], ...]:
        """The names of the choices of each position; where there are none their numbers, from 0."""
        return self.options or tuple(tuple(map(str, range(count))) for count in self.counts)

    def tokens(self, choices: Sequence[int]) -> tuple[int, ...]:
        """The token sequence of `choices`."""
        return tuple(f + c for f, c in zip(self.first_tokens, choices, strict=True))

    def choices(self, tokens: Sequence[int]) -> tuple[int, ...]:
        """The choices that `tokens` spell."""
        return tuple(int(t) - f for t, f in zip(tokens, self.first_tokens, strict=True))
