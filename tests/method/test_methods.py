"""Every method keeps the contract; the schedule and the pool are the published ones."""

from typing import ClassVar

import pytest

from naokit.base import InputError, Method, Observation, Space
from naokit.method import factory
from naokit.method.baselines import Evolution, LocalSearch, RandomSearch
from naokit.method.fit import FitSettings
from naokit.method.model import ModelSettings
from naokit.method.optimizer import Nao2018, NaoSettings, Schedule
from naokit.method.seminas import SemiNas, SemiNasSettings
from naokit.spaces import Choice, Choices, ConvCells
from naokit.testing import MethodContract

CELLS = ConvCells.small(nodes=1)
TINY = Choices("tiny", (Choice("a", (1, 2, 3, 4)), Choice("b", (1, 2, 3)), Choice("c", (1, 2))))
QUICK = NaoSettings(model=ModelSettings(8, 8), fit=FitSettings(epochs=2))
QUICK_SEMINAS = SemiNasSettings(QUICK, FitSettings(epochs=2), pseudo_labels=30)
QUICK_REPLACING = NaoSettings(
    model=ModelSettings(8, 8), fit=FitSettings(epochs=2), replace_worst=True, random_share=0.5
)


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


class TestNao2018(MethodContract):
    space = CELLS
    settings = QUICK

    def method(self, seed: int) -> Method:
        return Nao2018(self.space, seed, self.evaluations, self.settings)

    def test_later_rounds_are_decoded(self) -> None:
        history = self.run(self.method(0), self.evaluations)
        origins = [trial.origin for trial in history]
        assert origins[:8] == ["random"] * 8
        assert any(origin.startswith("latent step") for origin in origins[8:])

    def test_a_history_of_failures_is_no_end(self) -> None:
        method = self.method(0)
        history = [Observation(method.propose([]).architecture, None) for n in range(9)]
        assert method.propose(history).origin == "random"


class TestNaoThatReplaces(TestNao2018):
    settings = QUICK_REPLACING


class TestSemiNas(TestNao2018):
    evaluations = 15  # 9 random and three rounds of two

    def method(self, seed: int) -> Method:
        return SemiNas(self.space, seed, self.evaluations, QUICK_SEMINAS)


class TestSemiNasOnATinySpace(MethodContract):
    space = TINY

    def method(self, seed: int) -> Method:
        return SemiNas(self.space, seed, self.evaluations, QUICK_SEMINAS)


class TestNaoOnATinySpace(MethodContract):
    space = TINY

    def method(self, seed: int) -> Method:
        return Nao2018(self.space, seed, self.evaluations, QUICK)


@pytest.mark.parametrize(
    ("evaluations", "expected"),
    [(1000, (600, 200, 100)), (40, (24, 8, 5)), (12, (8, 2, 5)), (1, (1, 1, 5))],
)
def test_a_budget_is_divided_as_published(evaluations: int, expected: tuple[int, ...]) -> None:
    schedule = Schedule(evaluations)
    found = (max(1, schedule.initial), schedule.round, schedule.seeds)
    assert found == expected


def test_rounds_begin_where_the_schedule_says() -> None:
    schedule = Schedule(1000)
    assert [schedule.round_start(n) for n in (0, 599, 600, 799, 800, 1000)] == [
        0,
        0,
        600,
        600,
        800,
        1000,
    ]


def test_the_pool_of_constant_size_loses_its_worst() -> None:
    space = ConvCells.small(nodes=1)
    method = Nao2018(space, 0, 10, QUICK_REPLACING)
    stream = method.stream
    history: list[Observation] = []
    seen: set[str] = set()
    for number in range(8):
        architecture = stream.next(seen)
        seen.add(architecture.key)
        history.append(Observation(architecture, float(number)))
    # Six at the start (0 to 5); the round of two (6 and 7) pushes out 0 and 1.
    assert [one.value for one in method._pool(history)] == [7, 6, 5, 4, 3, 2]


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


def test_unknown_methods_come_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean nao-2018"):
        factory("nao-2019")
