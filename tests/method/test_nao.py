"""`nao`: the contract on small and large spaces, and how it fits and explores."""

from typing import ClassVar

import numpy as np
import pytest
from tests.method.test_posterior import eight_known

from naokit.doors import Method, Observation
from naokit.method.acquisition import expected_improvement
from naokit.method.nao import Nao, last_fit
from naokit.method.worth import acquisition_of
from naokit.space import Space
from naokit.spaces import Choice, Choices, ConvCells, NasBench201
from naokit.testing import MethodContract

TINY = Choices("tiny", (Choice("a", (1, 2, 3, 4)), Choice("b", (1, 2, 3)), Choice("c", (1, 2))))


class TestNaoOnATinySpace(MethodContract):
    space: ClassVar[Space] = TINY
    evaluations = 20

    def method(self, seed: int) -> Method:
        return Nao(self.space, seed, self.evaluations)

    def test_the_best_is_found_in_few_evaluations(self) -> None:
        """A sum of two ordered choices and a switch: 24 architectures."""
        method, history = self.method(0), []
        for _ in range(12):
            proposal = method.propose(history)
            value = float(sum(self.space.numbers(proposal.architecture.choices)))
            value += proposal.architecture.choices[2] / 2
            history.append(Observation(proposal.architecture, value))
        assert max(trial.value for trial in history) == 2.5

    def test_what_is_known_of_the_model_goes_with_the_proposal(self) -> None:
        history = self.run(self.method(0), 8)
        proposal = self.method(0).propose(history)
        assert proposal.origin == "whole space"
        assert proposal.model["results"] == last_fit(sum(t.value is not None for t in history))
        assert -1 <= proposal.model["rank_correlation"] <= 1
        assert 0 <= proposal.model["within_90"] <= 1


class TestNaoOnCells(MethodContract):
    """Two cells of two nodes: too many to enumerate."""

    space = ConvCells.small(nodes=2)
    evaluations = 9

    def method(self, seed: int) -> Method:
        return Nao(self.space, seed, self.evaluations)


@pytest.mark.parametrize("failing", [0, 1])
def test_equal_values_and_failures_are_no_end(failing: int) -> None:
    space = NasBench201()
    method, history = Nao(space, 0, 10), []
    for number in range(12):
        proposal = method.propose(history)
        value = None if number % 2 < failing else 1.0
        history.append(Observation(proposal.architecture, value))
    assert len({trial.architecture.key for trial in history}) == 12


def test_the_kernel_is_fitted_at_the_same_results_however_the_search_went() -> None:
    assert [last_fit(n) for n in (2, 3, 5, 8, 9, 10, 100)] == [2, 3, 5, 7, 9, 9, 95]


def test_the_more_is_pending_the_farther_it_explores() -> None:
    generator = np.random.default_rng(0)
    space, posterior, targets = eight_known(generator)
    others = [space.sample(generator) for _ in range(5)]
    blocks = posterior.features(others)
    mean, deviation = posterior.predict(others, targets)
    for pending, times in ((0, 1), (3, 2), (8, 3)):
        acquisition = acquisition_of(targets[None], np.zeros(8), pending)
        assert acquisition(posterior.at(blocks)) == pytest.approx(
            expected_improvement(mean, times * deviation, targets.max()), rel=1e-4
        )


def test_noise_that_is_told_makes_it_trust_single_results_less() -> None:
    space = ConvCells.small(nodes=1)
    generator = np.random.default_rng(0)
    sampled = [space.sample(generator) for _ in range(12)]
    values = generator.normal(size=12)
    noises = []
    for noise in (None, 0.1, 2.0):
        method = Nao(space, 0, 20)
        method.propose(
            [
                Observation(one, value, noise=noise)
                for one, value in zip(sampled, values, strict=True)
            ]
        )
        assert method._latest is not None
        noises.append(method._latest.process.kernel.noise)
    assert noises[1] < noises[2]
