"""Candidates where a space cannot be scored whole: evolution on the acquisition, near the best.

    the best known, latent steps, random ones ──> generations of mutants and crossings

No child and no latent step differs from all of the best in more than a few choices. The process
knows little of what is farther away, and a large acquisition that a search finds there mostly comes
from that: without the bound, proposals for 40 choices were worse than mutants alone, and latent
steps no better than random architectures (docs/results.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np

from naokit.base import derive_seed
from naokit.space import Architecture, Space

BEST, RANDOM = 10, 50
"""How many of the best known and how many random architectures the first generation has."""
POPULATION, GENERATIONS, TOURNAMENT = 40, 4, 4
CROSSING = 0.3
"""The share of children that are mutated crossings; the others are mutants of one parent."""
REACH = 3
"""In how many choices a child may differ from the nearest of the best known architectures."""

Allows = Callable[[Sequence[int]], bool]
Scorer = Callable[[Sequence[Architecture]], np.ndarray]


@dataclass(frozen=True)
class Candidate:
    """An architecture and where it came from."""

    architecture: Architecture
    origin: str


class CandidateSearch:
    """Finds promising architectures of one space; the same for equal seeds, scores and parents.

    Only promising candidates are checked against limits: when the parameters of every mutant were
    counted, a suggestion took minutes.
    """

    def __init__(self, space: Space, seed: int) -> None:
        self.space = space.without_limits
        self.allows = space.allows
        self.seed = seed

    def __call__(
        self, score: Scorer, best: Sequence[Architecture], guests: Sequence[Candidate] = ()
    ) -> Iterator[Candidate]:
        """Every allowed architecture that was scored, the most promising first.

        Args:
            score: The function that says how much an evaluation of architectures is worth.
            best: The known architectures, best first.
            guests: Candidates from elsewhere (latent steps).
        """
        generator = np.random.default_rng(derive_seed(self.seed, "candidates", len(best)))
        found = _Scored(score, self.allows)
        found.add([Candidate(a, "known") for a in best[:BEST]])
        found.add(
            [*guests, *(Candidate(self.space.sample(generator), "random") for _ in range(RANDOM))]
        )
        found.add([self._mutant(a, generator) for a in best[:BEST] for _ in range(2)])
        for _ in range(GENERATIONS):
            population = found.top(POPULATION)
            children = [self._child(population, generator) for _ in range(POPULATION)]
            found.add(within_reach(children, best))
        yield from found.best_first()

    def _child(self, population: Sequence[Candidate], generator: np.random.Generator) -> Candidate:
        """A mutant of the winner of a tournament, or of the crossing of two winners."""
        mother = self._winner(population, generator)
        if generator.random() > CROSSING:
            return self._mutant(mother, generator)
        father = self._winner(population, generator)
        grammar = self.space.grammar
        cut = grammar.group * int(generator.integers(1, max(2, grammar.length // grammar.group)))
        crossed = Architecture(self.space, mother.choices[:cut] + father.choices[cut:])
        return Candidate(self.space.mutate(crossed, generator), "crossing")

    def _mutant(self, parent: Architecture, generator: np.random.Generator) -> Candidate:
        """The parent with one or two choices changed."""
        child = self.space.mutate(parent, generator)
        if generator.random() < 0.5:
            child = self.space.mutate(child, generator)
        return Candidate(child, "mutation")

    @staticmethod
    def _winner(population: Sequence[Candidate], generator: np.random.Generator) -> Architecture:
        """The best of a random few of the population, which is ordered."""
        return population[
            int(generator.integers(0, len(population), TOURNAMENT).min())
        ].architecture


def within_reach(candidates: Sequence[Candidate], best: Sequence[Architecture]) -> list[Candidate]:
    """Those that differ from the nearest of the `BEST` best in `REACH` choices at most."""
    roots = np.array([architecture.choices for architecture in best[:BEST]])  # (R, L)
    return [
        candidate
        for candidate in candidates
        if (roots != np.array(candidate.architecture.choices)).sum(axis=1).min() <= REACH
    ]


class _Scored:
    """Candidates with their scores, each spelling once."""

    def __init__(self, score: Scorer, allows: Allows) -> None:
        self.score = score
        self.allows = cache(allows)
        self.candidates: dict[tuple[int, ...], tuple[float, Candidate]] = {}

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Scores the new ones among these candidates."""
        new = {c.architecture.choices: c for c in candidates}
        new = {
            choices: candidate
            for choices, candidate in new.items()
            if choices not in self.candidates
        }
        if new:
            scores = self.score([c.architecture for c in new.values()])
            for (choices, candidate), value in zip(new.items(), scores.tolist(), strict=True):
                self.candidates[choices] = (value, candidate)

    def top(self, amount: int) -> list[Candidate]:
        """The most promising allowed candidates; ties stay in the order of their arrival."""
        return list(islice(self.best_first(), amount))

    def best_first(self) -> Iterator[Candidate]:
        """All allowed candidates. Limits are checked one by one, so stopping early saves checks."""
        ordered = sorted(self.candidates.values(), key=lambda pair: -pair[0])
        return (c for _, c in ordered if self.allows(c.architecture.choices))
