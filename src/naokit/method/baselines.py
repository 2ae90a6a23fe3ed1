"""What a search is compared with: random search, evolution and local search. No torch."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np

from naokit.base import SpaceExhausted, Weights, derive_seed
from naokit.doors import Method, Observation, Proposal
from naokit.method.prior import COUNTABLE, Prior
from naokit.method.results import goes_on
from naokit.space import Architecture, Space

ATTEMPTS = 2000
"""Random draws without anything new after which a space counts as exhausted."""
PRIOR_ATTEMPTS = 100
"""Draws from a prior without anything new after which all of the space is drawn from."""


class RandomStream:
    """Distinct random architectures in an order that depends on the seed alone.

    Args:
        space: The space from which they are drawn.
        seed: The seed of the order.
        everything: All architectures of the space, to make each equally likely. If None, each
            spelling is equally likely.

    Attributes:
        origin: Where the architectures come from.
    """

    def __init__(
        self, space: Space, seed: int, everything: Sequence[Architecture] | None = None
    ) -> None:
        self.space = space
        self.everything = everything
        self.generator = np.random.default_rng(derive_seed(seed, "random"))
        self.drawn: list[Architecture] = []
        self.keys: set[str] = set()
        self.origin = "random"
        self._believed = self._uniform

    def believe(self, prior: Prior) -> None:
        """Has architectures drawn from a prior, as far as that brings new ones."""
        self.origin, self._believed = "prior", prior.sample

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
        for attempt in range(ATTEMPTS):
            draw = self._believed if attempt < PRIOR_ATTEMPTS else self._uniform
            architecture = draw(self.generator)
            if architecture.key not in self.keys and self.space.allows(architecture.choices):
                self.keys.add(architecture.key)
                self.drawn.append(architecture)
                return architecture
        if not self.keys:
            self.space.sample(self.generator)  # its error says so where limits leave nothing
        raise SpaceExhausted(
            f"{self.space.name} seems to hold no more than {len(self.keys)} architectures"
        )

    def _uniform(self, generator: np.random.Generator) -> Architecture:
        if self.everything is None:
            return self.space.sample(generator)
        return self.everything[int(generator.integers(len(self.everything)))]


class RandomSearch(Method):
    """Random architectures, none twice."""

    def __init__(self, space: Space, seed: int, evaluations: int) -> None:
        del evaluations
        self.space = space
        self.stream = RandomStream(space, seed)
        self.keys = Keys()

    def believe(self, prior: Weights) -> None:
        """Has every architecture drawn from the prior, which does not fade here."""
        self.stream.believe(Prior(self.space, prior, self.space.everything(COUNTABLE)))

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """The next of the random stream."""
        return Proposal(self.stream.next(self.keys(history, pending)), self.stream.origin)


class Evolution(Method):
    """Regularised evolution (Real et al. 2019, arXiv 1802.01548): the oldest dies, not the worst.

    The population of 100 and the tournaments of 25 are that paper's; both shrink with the budget.
    """

    def __init__(self, space: Space, seed: int, evaluations: int) -> None:
        self.space = space
        self.seed = seed
        self.population = min(100, max(4, evaluations // 4))
        self.tournament = min(25, max(2, self.population // 4))
        self.stream = RandomStream(space, seed)
        self.keys = Keys()

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """A mutant of the best of a tournament; random while the population grows."""
        seen = self.keys(history, pending)
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
            if child.key not in seen and self.space.allows(child.choices):
                return Proposal(child, "mutation")
        return Proposal(self.stream.next(seen), "random")


class LocalSearch(Method):
    """Hill climbing (White et al. 2021, arXiv 2004.08996): the neighbours of the best, repeatedly.

    Neighbours differ in one choice. The climb continues at once from a neighbour that is better. If
    none is, a new climb begins at a random architecture. The state of the climb follows from the
    history, in which every proposal but the starts is a neighbour of the climb's best.
    """

    def __init__(self, space: Space, seed: int, evaluations: int) -> None:
        del evaluations
        self.space = space
        self.seed = seed
        self.stream = RandomStream(space, seed)
        self.keys = Keys()

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """A new neighbour of the climb's best, or a random start if there is none."""
        seen = self.keys(history, pending)
        step = step_of_climb(self.space, self.seed, history, seen, "neighbour")
        if step is not None:
            return Proposal(step, "neighbour")
        return Proposal(self.stream.next(seen), "random")


def step_of_climb(
    space: Space, seed: int, climbed: Sequence[Observation], seen: Container[str], origin: str
) -> Architecture | None:
    """A new neighbour of a climb's best; None where there is none, and a new climb should begin.

    Args:
        space: The space.
        seed: The seed of the order of the neighbours.
        climbed: The evaluations of all climbs so far.
        seen: The keys of what was evaluated.
        origin: The origin of all of them but those at which a climb began.
    """
    best = _best_of_climb(climbed, origin)
    if best is None:
        return None
    neighbours = list(space.neighbours(best.architecture))
    place = derive_seed(seed, "neighbours", best.architecture.choices)
    for number in np.random.default_rng(place).permutation(len(neighbours)):
        neighbour = neighbours[int(number)]
        if neighbour.key not in seen and space.allows(neighbour.choices):
            return neighbour
    return None


def _best_of_climb(climbed: Sequence[Observation], origin: str) -> Observation | None:
    """The best trial with a value since the last start."""
    best: Observation | None = None
    for trial in climbed:
        if trial.origin != origin:
            best = None
        if trial.value is not None and (
            best is None or best.value is None or trial.value > best.value
        ):
            best = trial
    return best


class Keys:
    """`keys_of` a history that mostly goes on from the last one: only what is new is looked at."""

    def __init__(self) -> None:
        self._history: Sequence[Observation] = ()
        self._keys: set[str] = set()

    def __call__(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> set[str]:
        """The keys of the architectures that were evaluated or are being evaluated."""
        if not goes_on(history, self._history):
            self._history, self._keys = (), set()
        self._keys |= keys_of(history[len(self._history) :])
        self._history = tuple(history)
        return self._keys | keys_of((), pending)


def keys_of(history: Sequence[Observation], pending: Sequence[Architecture] = ()) -> set[str]:
    """The keys of the architectures that were evaluated or are being evaluated."""
    keys = {trial.architecture.key for trial in history}
    return keys | {architecture.key for architecture in pending}
