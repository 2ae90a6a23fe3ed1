"""Random search, evolution and local search keep the contract, and search as they say."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import pytest

from naokit.doors import Method, Observation
from naokit.method import baselines
from naokit.method.baselines import Evolution, Keys, LocalSearch, RandomSearch, keys_of
from naokit.space import Architecture, Space
from naokit.spaces import Choice, Choices, ConvCells
from naokit.testing import MethodContract

CELLS = ConvCells.small(nodes=1)


TINY = Choices("tiny", (Choice("a", (1, 2, 3, 4)), Choice("b", (1, 2, 3)), Choice("c", (1, 2))))


class TestRandom(MethodContract):
    space: ClassVar[Space] = CELLS

    def method(self, seed: int) -> Method:
        return RandomSearch(self.space, seed, self.evaluations)


class TestRandomOnATinySpace(TestRandom):
    space = TINY


class TestEvolution(MethodContract):
    space = CELLS

    def method(self, seed: int) -> Method:
        return Evolution(self.space, seed, self.evaluations)


class TestEvolutionOnATinySpace(TestEvolution):
    space = TINY


class TestLocalSearch(MethodContract):
    space = CELLS

    def method(self, seed: int) -> Method:
        return LocalSearch(self.space, seed, self.evaluations)

    def test_a_climb_goes_on_from_what_is_better(self) -> None:
        history = self.run(self.method(0), 1)
        better = Observation(self.method(0).propose(history).architecture, 2.0, origin="neighbour")
        nearest = self.method(0).propose([*history, better]).architecture
        assert nearest in set(self.space.neighbours(better.architecture))


class TestLocalSearchOnATinySpace(TestLocalSearch):
    space = TINY


def test_only_what_is_new_in_a_history_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def counted(
        history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Iterable[str]:
        looked.append(len(history) + len(pending))
        return keys_of(history, pending)

    monkeypatch.setattr(baselines, "keys_of", counted)
    drawn = [TINY.architecture((place, 0, 0)) for place in range(4)]
    history = [Observation(architecture, 1.0) for architecture in drawn[:3]]
    keys = Keys()
    assert keys(history[:2]) == keys_of(history[:2])
    assert keys(history, drawn[3:]) == keys_of(history, drawn[3:])
    assert looked == [2, 0, 1, 1]
    other = [Observation(drawn[3], 1.0), *history[1:]]
    assert keys(other) == keys_of(other)
    assert keys(history[:1]) == {drawn[0].key}


def test_evolution_prefers_the_better_parents() -> None:
    """On a score that counts one operation, evolution ends above random, over five seeds."""
    space = ConvCells.small(nodes=3)

    def best(make) -> float:
        total = 0.0
        for seed in range(5):
            method, history = make(space, seed, 60), []
            for _ in range(60):
                architecture = method.propose(history).architecture
                value = float(sum(c == 0 for c in architecture.choices[1::2]))
                history.append(Observation(architecture, value))
            total += max(trial.value for trial in history)
        return total / 5

    assert best(Evolution) > best(RandomSearch)
