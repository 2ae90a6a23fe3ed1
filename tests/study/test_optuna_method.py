"""Optuna's samplers keep what every method promises."""

import optuna
import pytest

from naokit.doors import Method, Observation
from naokit.spaces import Choice, Choices
from naokit.study.optuna_method import OptunaMethod
from naokit.study.proposing import SAMPLERS, factory_of
from naokit.testing import MethodContract

SPACE = Choices(
    "grid",
    (
        Choice("width", (1, 2, 3, 4)),
        Choice("kind", ("a", "b")),
        Choice("rate", (0.1, 0.2, 0.3), when=("kind", ("b",))),
    ),
)


class TestTpe(MethodContract):
    space = SPACE
    sampler = "tpe"

    def method(self, seed: int) -> Method:
        return factory_of(self.sampler)(self.space, seed, self.evaluations)


class TestNsga2(TestTpe):
    sampler = "nsga2"


def small_generations(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.NSGAIISampler(seed=seed, population_size=3)


def test_generations_of_several_objectives_go_on_where_they_were() -> None:
    whole: list[Observation] = []
    method = OptunaMethod(SPACE, 1, small_generations)
    for number in range(12):
        if number == 7:
            method = OptunaMethod(SPACE, 1, small_generations)
        proposal = method.propose(whole)
        fresh = OptunaMethod(SPACE, 1, small_generations).propose(whole)
        assert proposal == fresh
        width = float(proposal.architecture.choices[0])
        values = (width, -width) if number % 5 else ()
        value = values[0] if values else None
        whole.append(Observation(proposal.architecture, value, values=values))
    study = method._study(whole, small_generations(0))
    noted = [trial.system_attrs["NSGAIISampler:generation"] for trial in study.trials]
    assert noted == sorted(noted)
    assert noted[-1] == 2  # nine of three each, the failed ones beside them


def test_it_learns_what_was_found_beyond_a_limit() -> None:
    beyond = Observation(SPACE.architecture((0, 0, 0)), None, unlimited=3.0, values=(3.0,))
    study = OptunaMethod(SPACE, 0, SAMPLERS["tpe"])._study([beyond], SAMPLERS["tpe"](0))
    assert [trial.values for trial in study.trials] == [[3.0]]


def test_it_writes_nothing_into_optunas_log(capfd: pytest.CaptureFixture[str]) -> None:
    optuna.logging.set_verbosity(optuna.logging.INFO)
    factory_of("tpe")(SPACE, 0, 10).propose([])
    assert capfd.readouterr().err == ""
