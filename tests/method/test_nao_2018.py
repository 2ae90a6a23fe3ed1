"""The method of 2018 keeps the contract; its schedule, settings and pool are the published ones."""

import pytest

from naokit.doors import Method, Observation
from naokit.method.fit import FitSettings
from naokit.method.model import ModelSettings
from naokit.method.nao_2018 import SCRATCH, WEIGHT_SHARING, Nao2018, NaoSettings, Schedule
from naokit.method.seminas import SemiNas
from naokit.spaces import Choice, Choices, ConvCells
from naokit.testing import MethodContract

CELLS = ConvCells.small(nodes=1)


TINY = Choices("tiny", (Choice("a", (1, 2, 3, 4)), Choice("b", (1, 2, 3)), Choice("c", (1, 2))))


QUICK = NaoSettings(model=ModelSettings(8, 8), fit=FitSettings(epochs=2))


QUICK_REPLACING = NaoSettings(
    model=ModelSettings(8, 8), fit=FitSettings(epochs=2), replace_worst=True, random_share=0.5
)


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
        history = [Observation(method.propose([]).architecture, None) for _ in range(9)]
        assert method.propose(history).origin == "random"


class TestNao2018ThatReplaces(TestNao2018):
    settings = QUICK_REPLACING


class TestNao2018OnATinySpace(MethodContract):
    space = TINY

    def method(self, seed: int) -> Method:
        return Nao2018(self.space, seed, self.evaluations, QUICK)


def test_the_named_settings_are_those_of_the_official_scripts() -> None:
    assert (SCRATCH.model.embedding, SCRATCH.model.hidden) == (32, 96)
    assert (SCRATCH.fit.batch, SCRATCH.fit.epochs, SCRATCH.fit.trade_off) == (50, 1000, 0.8)
    assert SCRATCH.steps[:3] == (10.0, 20.0, 30.0)
    assert (WEIGHT_SHARING.model.embedding, WEIGHT_SHARING.model.predictor_layers) == (48, 3)
    assert WEIGHT_SHARING.steps[:3] == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("evaluations", "expected"),
    [(1000, (600, 200, 100)), (40, (24, 8, 5)), (12, (8, 2, 5)), (1, (1, 1, 5))],
)
def test_a_budget_is_divided_as_published(evaluations: int, expected: tuple[int, ...]) -> None:
    schedule = Schedule.of_budget(evaluations)
    found = (max(1, schedule.initial), schedule.round, schedule.seeds)
    assert found == expected


def test_rounds_begin_where_the_schedule_says() -> None:
    schedule = Schedule.of_budget(1000)
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


@pytest.mark.parametrize("made", [Nao2018, SemiNas])
def test_rounds_of_a_search_are_those_of_the_schedule(made: type[Nao2018]) -> None:
    method = made(ConvCells.small(), 0, 3200)
    method.in_rounds(1000, 550)
    assert [method.schedule.round_start(n) for n in (999, 1000, 1549, 1550)] == [
        0,
        1000,
        1000,
        1550,
    ]
    assert method.schedule.seeds == 100
