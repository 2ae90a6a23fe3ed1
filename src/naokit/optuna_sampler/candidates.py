"""Candidates of a space that cannot be scored whole: evolution on the acquisition.

    the best known, random ones ──> generations of mutants and crossings ──> ascent

It works as `naokit.method.candidates` and has the same sizes, but on rows of numbers in place of
architectures, and without a bound on how far a child may go: a distance between numbers is not a
number of choices that differ.

Shapes: N rows, P parameters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from naokit.method.candidates import BEST, CROSSING, GENERATIONS, POPULATION, RANDOM, TOURNAMENT
from naokit.optuna_sampler.parameters import STEPS, Number, ParameterSpace
from naokit.optuna_sampler.presence import Presence

ALL_AT_ONCE = 0.3
"""The share of mutations that move every ordered parameter a little, along no axis."""

ASCENTS, START, SHRINKING = 12, 0.1, 0.6
"""The number of rounds around the leader, the size of steps in the first one, and the factor by
which a round without success shrinks them."""

RowScorer = Callable[[np.ndarray], np.ndarray]
"""Says how much an evaluation of each row is worth: (N, P) -> (N,)."""


class RowSearch:
    """Finds promising rows; the same for equal generators, scores and parents.

    Args:
        space: The space of the parameters.
        presence: The presence, which says which parameters are asked for.
        generator: The generator of everything random.
    """

    def __init__(
        self, space: ParameterSpace, presence: Presence, generator: np.random.Generator
    ) -> None:
        self.space = space
        self.presence = presence
        self.generator = generator
        self.ordered = [p for p, kind in enumerate(space.parameters) if isinstance(kind, Number)]

    def __call__(self, score: RowScorer, best: np.ndarray) -> np.ndarray:
        """All rows that were scored, the most promising first, (N, P).

        Args:
            score: The function that says how much an evaluation of settled rows is worth.
            best: The known rows, best first.
        """
        found = ScoredRows(score, self.presence)
        found.add(best[:BEST])
        mutants = self._mutants(*(half.repeat(2, axis=0) for half in found.top(BEST)))
        found.add(np.concatenate([self.space.draw(self.generator, RANDOM), mutants]))
        for _ in range(GENERATIONS):
            found.add(self._children(*found.top(POPULATION)))
        size = START
        for _ in range(ASCENTS):
            (leader,), (asked,) = found.top(1)
            found.add(self._around(leader, asked, size))
            if np.array_equal(found.top(1)[0][0], leader):
                size *= SHRINKING
        return found.top(None)[0]

    def _children(self, rows: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Mutants of the winners of tournaments, some of them crossed; the best rows come first."""
        mothers, fathers = self.generator.integers(0, len(rows), (2, POPULATION, TOURNAMENT)).min(
            axis=2
        )
        crossed = self.generator.random(POPULATION) < CROSSING
        from_father = crossed[:, None] & (self.generator.random((POPULATION, rows.shape[1])) < 0.5)
        children = np.where(from_father, rows[fathers], rows[mothers])
        return self._mutants(children, asked[mothers] | from_father)

    def _mutants(self, rows: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Rows with one or two of the parameters asked for changed, or all ordered ones, (N, P)."""
        mutants = self._shaken(rows, self.generator.choice(STEPS, (len(rows), 1)))
        few = self.generator.random(len(rows)) >= ALL_AT_ONCE if self.ordered else slice(None)
        mutants[few] = rows[few]
        order = np.where(asked[few], self.generator.random(asked[few].shape), 2.0)
        two = self.generator.integers(1, 3, len(order))[:, None]
        changed = np.zeros(rows.shape, dtype=bool)
        changed[few] = order.argsort(axis=1).argsort(axis=1) < two
        for place, parameter in enumerate(self.space.parameters):
            chosen = changed[:, place]
            mutants[chosen, place] = parameter.mutated(mutants[chosen, place], self.generator)
        return mutants

    def _shaken(self, rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Rows with every ordered parameter moved by a random step of these deviations (N, 1)."""
        shaken = rows.copy()
        steps = sizes * self.generator.standard_normal((len(rows), len(self.ordered)))
        for place, step in zip(self.ordered, steps.T, strict=True):
            shaken[:, place] = self.space.parameters[place].snapped(shaken[:, place] + step)
        return shaken

    def _around(self, leader: np.ndarray, asked: np.ndarray, size: float) -> np.ndarray:
        """The leader with one parameter changed by steps of this size, and as many shaken rows."""
        rows = []
        for place in np.flatnonzero(asked):
            numbers = self.space.parameters[place].near(float(leader[place]), size)
            rows.append(np.tile(leader, (len(numbers), 1)))
            rows[-1][:, place] = numbers
        single = np.concatenate(rows)
        shaken = self._shaken(np.tile(leader, (len(single), 1)), np.full((len(single), 1), size))
        return np.concatenate([single, shaken])


class ScoredRows:
    """Rows with their scores. Rows that differ only in what is not asked for count once."""

    def __init__(self, score: RowScorer, presence: Presence) -> None:
        self.score = score
        self.presence = presence
        self.seen: set[bytes] = set()
        self.rows: list[np.ndarray] = []
        self.asked: list[np.ndarray] = []
        self.scores: list[float] = []

    def add(self, rows: np.ndarray) -> None:
        """Scores the new ones among these rows."""
        settled = self.presence(rows)
        new = []
        for place, row in enumerate(settled):
            key = row.tobytes()
            if key not in self.seen:
                self.seen.add(key)
                new.append(place)
        if new:
            self.rows.extend(rows[new])
            self.asked.extend(~np.isnan(settled[new]))
            self.scores.extend(self.score(settled[new]).tolist())

    def top(self, amount: int | None) -> tuple[np.ndarray, np.ndarray]:
        """The most promising rows and what is asked for in each, (N, P) each; ties keep order."""
        order = np.argsort(-np.array(self.scores), kind="stable")[:amount]
        return (
            np.array([self.rows[place] for place in order]),
            np.array([self.asked[place] for place in order]),
        )
