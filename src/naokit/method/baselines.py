"""What a search is compared with: random search and regularised evolution. No torch."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np

from naokit.base import (
    Architecture,
    Method,
    Proposal,
    Space,
    SpaceExhausted,
    Trial,
    derive_seed,
)

ATTEMPTS = 2000
"""Random draws without anything new after which a space counts as exhausted."""


class RandomStream:
    """Distinct random architectures in an order that depends on the seed alone."""

    def __init__(self, space: Space, seed: int) -> None:
        self.space = space
        self.generator = np.random.default_rng(derive_seed(seed, "random"))
        self.drawn: list[Architecture] = []
        self.keys: set[str] = set()

    def next(self, seen: Container[str]) -> Architecture:
        """The first of the stream whose key is not in `seen`; raises SpaceExhausted."""
        for architecture in self.drawn:
            if architecture.key not in seen:
                return architecture
        while True:
            architecture = self._draw()
            if architecture.key not in seen:
                return architecture

    def _draw(self) -> Architecture:
        for _ in range(ATTEMPTS):
            architecture = self.space.sample(self.generator)
            if architecture.key not in self.keys:
                self.keys.add(architecture.key)
                self.drawn.append(architecture)
                return architecture
        raise SpaceExhausted(
            f"{self.space.name} seems to hold no more than {len(self.keys)} architectures"
        )


class RandomSearch(Method):
    """Every architecture at random, none twice."""

    def __init__(self, space: Space, seed: int, evaluations: int) -> None:
        del evaluations
        self.stream = RandomStream(space, seed)

    def propose(self, history: Sequence[Trial], pending: Sequence[Architecture] = ()) -> Proposal:
        """The next of the random stream."""
        return Proposal(self.stream.next(_keys(history, pending)), "random")


class Evolution(Method):
    """Regularised evolution (Real et al. 2019, arXiv 1802.01548): the oldest dies, not the worst.

    Population 100 and tournaments of 25 are that paper's; both shrink with the budget.
    """

    def __init__(self, space: Space, seed: int, evaluations: int) -> None:
        self.space = space
        self.seed = seed
        self.population = min(100, max(4, evaluations // 4))
        self.tournament = min(25, max(2, self.population // 4))
        self.stream = RandomStream(space, seed)

    def propose(self, history: Sequence[Trial], pending: Sequence[Architecture] = ()) -> Proposal:
        """A mutant of the best of a tournament; random while the population grows."""
        seen = _keys(history, pending)
        alive = [trial for trial in history if trial.value is not None][-self.population :]
        if len(history) + len(pending) < self.population or len(alive) < 2:
            return Proposal(self.stream.next(seen), "random")
        place = derive_seed(self.seed, "evolution", len(history), len(pending))
        generator = np.random.default_rng(place)
        for _ in range(ATTEMPTS):
            size = min(self.tournament, len(alive))
            rivals = generator.choice(len(alive), size, replace=False)
            parent = max((alive[i] for i in rivals), key=lambda trial: trial.value or 0.0)
            child = self.space.mutate(parent.architecture, generator)
            if child.key not in seen:
                return Proposal(child, "mutation")
        return Proposal(self.stream.next(seen), "random")


def _keys(history: Sequence[Trial], pending: Sequence[Architecture]) -> set[str]:
    keys = {trial.architecture.key for trial in history}
    return keys | {architecture.key for architecture in pending}
