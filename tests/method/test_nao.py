"""`nao`: the contract on small and endless spaces, and the parts of its model."""

from typing import ClassVar

import numpy as np
import pytest
from scipy.optimize import check_grad

from naokit.base import Architecture, Method, Observation, Space
from naokit.graphs import Graph
from naokit.method import surrogate
from naokit.method.acquisition import expected_improvement, feasibility
from naokit.method.candidates import BEST, REACH, CandidateSearch
from naokit.method.features import Features, Shape, distances
from naokit.method.nao import Nao, last_fit
from naokit.method.promise import OUTCOMES, Model, Score, imagined
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


def test_the_parameters_are_fitted_at_the_same_results_however_the_search_went() -> None:
    assert [last_fit(n) for n in (2, 3, 5, 8, 9, 10, 100)] == [2, 3, 5, 7, 9, 9, 95]


def eight_known(generator: np.random.Generator) -> tuple[Space, Model, np.ndarray]:
    """A space, the model of eight made-up results in it, and their targets."""
    space = NasBench201()
    known = [space.sample(generator) for _ in range(8)]
    targets = surrogate.rank_gauss(generator.normal(size=8))
    return space, Model(Features(space), None, known, targets), targets


def test_what_is_pending_turns_out_as_the_model_expects_in_many_ways() -> None:
    generator = np.random.default_rng(0)
    space, model, targets = eight_known(generator)
    pending = [space.sample(generator) for _ in range(2)]
    grown, outcomes = imagined(model, targets[None], pending, generator)
    assert outcomes.shape == (OUTCOMES, 10)
    assert grown.known == [*model.known, *pending]
    assert (outcomes[:, :8] == targets).all()
    mean, deviation = model.foretell(model.features(pending), targets)
    assert outcomes[:, 8].mean() == pytest.approx(mean[0], abs=1e-5)
    assert outcomes[:, 8].std() == pytest.approx(deviation[0], rel=0.05)
    expected, _ = model.grown(pending[0]).foretell(
        model.features(pending[1:]), np.append(targets, mean[0])
    )
    assert outcomes[:, 9].mean() == pytest.approx(expected[0], abs=0.1)


def test_the_more_is_pending_the_wider_the_net() -> None:
    generator = np.random.default_rng(0)
    space, model, targets = eight_known(generator)
    others = [space.sample(generator) for _ in range(5)]
    mean, deviation = model.foretell(model.features(others), targets)
    for pending, times in ((0, 1), (3, 2), (8, 3)):
        found = Score(model, targets[None], np.zeros(8), [], pending)(others)
        assert found == pytest.approx(
            expected_improvement(mean, times * deviation, targets.max()), rel=1e-4
        )


def test_several_outcomes_are_foretold_like_each() -> None:
    generator = np.random.default_rng(0)
    places = generator.normal(size=(9, 2))
    apart = [np.linalg.norm(places[:, None] - places[None], axis=2)]
    parameters = surrogate.Parameters(np.ones(1), np.array([1.3]), 0.05)
    known, across = [apart[0][:6, :6]], [apart[0][:6, 6:]]
    halves = [[across[0][:, :1]], [across[0][:, 1:]]]  # candidates in parts change nothing
    process = surrogate.GaussianProcess(parameters, known, halves)
    rows = generator.normal(size=(3, 6))
    together, deviation = process.posterior(rows)
    each = [process.posterior_at(row, across) for row in rows]
    assert together == pytest.approx(np.array([mean for mean, _ in each]), abs=1e-5)
    variance = np.mean([apart * apart for _, apart in each], axis=0)
    assert deviation**2 == pytest.approx(variance, rel=1e-4)


def test_candidates_stay_near_what_is_known() -> None:
    """A score that draws just beyond the bound: no child gets there."""
    space = ConvCells.small()
    best = [space.sample(np.random.default_rng(seed)) for seed in range(BEST)]
    roots = np.array([architecture.choices for architecture in best])

    def away(architecture: Architecture) -> int:
        return int((roots != np.array(architecture.choices)).sum(axis=1).min())

    def score(architectures: list[Architecture]) -> np.ndarray:
        return np.array([-abs(away(architecture) - REACH - 1.0) for architecture in architectures])

    found = list(CandidateSearch(space, 0)(score, best))
    bred = [away(c.architecture) for c in found if c.origin in ("mutation", "crossing")]
    assert len(bred) > 50
    assert max(bred) == REACH


def test_targets_keep_the_order_and_nothing_else() -> None:
    values = np.array([3.0, -1e9, 3.0, 5.0, 1e9])
    targets = surrogate.rank_gauss(values)
    assert targets == pytest.approx(surrogate.rank_gauss(np.array([2, 1, 2, 3, 4])))
    assert targets[0] == targets[2] < targets[3] < targets[4] == pytest.approx(1.2815516)


def test_the_objective_has_the_gradient_it_says() -> None:
    generator = np.random.default_rng(0)
    places = generator.normal(size=(2, 12, 3))
    known = [np.linalg.norm(p[:, None] - p[None], axis=2) for p in places]
    targets = surrogate.rank_gauss(generator.normal(size=12))
    expected = np.array([0, -1.5, 0.3, 0.3, -3.5])
    for _ in range(5):
        vector = generator.normal(size=5) * 0.5 + np.array([0, 0, 0.3, 0.3, -2])
        wrong = check_grad(
            lambda v: surrogate._objective(v, known, targets, expected)[0],
            lambda v: surrogate._objective(v, known, targets, expected)[1],
            vector,
        )
        assert wrong < 1e-5


def test_a_process_grown_result_by_result_is_the_one_made_at_once() -> None:
    """Against scikit-learn's Gaussian process with the same kernel."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    generator = np.random.default_rng(1)
    places, away = generator.normal(size=(9, 2)), generator.normal(size=(4, 2))
    targets = surrogate.rank_gauss(generator.normal(size=9))
    parameters = surrogate.Parameters(np.ones(1), np.array([1.3]), 0.05)

    def apart(left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
        return [np.linalg.norm(left[:, None] - right[None], axis=2)]

    process = surrogate.GaussianProcess(
        parameters, apart(places[:5], places[:5]), [apart(places[:5], away)]
    )
    for row in range(5, 9):
        new = places[row : row + 1]
        process = process.grown([apart(places[:row], new)[0][:, 0]], [apart(new, away)[0][0]])
    mean, deviation = process.posterior(targets)
    other = GaussianProcessRegressor(Matern(1.3, nu=2.5) + WhiteKernel(0.05), optimizer=None)
    other_mean, other_deviation = other.fit(places, targets).predict(away, return_std=True)
    kernel = np.array(Matern(1.3, nu=2.5)(places) + 0.05 * np.eye(9))
    sigma = (targets @ np.linalg.solve(kernel, targets) / 9) ** 0.5
    assert mean == pytest.approx(other_mean, abs=1e-4)
    assert deviation == pytest.approx(sigma * other_deviation, abs=1e-3)
    assert process.posterior_at(targets, apart(places, away))[0] == pytest.approx(mean, abs=1e-4)
    without, _ = process.left_out(targets)
    other.fit(places[1:], targets[1:])
    assert without[0] == pytest.approx(other.predict(places[:1])[0], abs=1e-6)


def test_improvement_is_expected_and_failures_are_avoided() -> None:
    mean, deviation = np.array([0.0, 1.0, 0.5]), np.array([2.0, 0.1, 1.0])
    improvement = expected_improvement(mean, deviation, 1.0)
    assert improvement == pytest.approx([0.3956, 0.0399, 0.1978], abs=1e-3)
    near, far = np.array([[0.0, 9.0]]), np.array([[9.0, 9.0]])
    assert feasibility([far], [near]) == pytest.approx([2 / 3.2, 2 / 2.2])
    assert feasibility([near], [far]) == pytest.approx([3 / 3.2, 2 / 2.2])


def test_paths_degrees_and_depths_of_a_graph_counted_by_hand() -> None:
    """x -> a -> b -> y, x -> b, and x -> y twice."""
    graph = Graph.of(
        ["x", "a", "b", "y"], [(0, 1), (1, 2), (0, 2), (2, 3), (0, 3), (0, 3)], (0,), (3,)
    )
    from naokit.method.features import _Stack

    shape = Shape.of([graph])
    assert shape == Shape(("a", "b"), 1, 4)
    assert shape.sets() == [(), ("a",), ("b",), ("a", "b")]
    stack = _Stack([graph], shape)
    shortest, longest, count = stack.paths().reshape(3, 4)
    assert shortest == pytest.approx([1, 1, 1, 1])
    assert longest == pytest.approx([0, 0, 1 / 2, 1])
    assert np.expm1(count) == pytest.approx([2, 2, 3, 4])
    degrees = stack.degrees()[0].tolist()
    assert degrees[:2] == [1, 1]
    assert degrees[2:4] == [1, 1], "edges from the input"
    assert degrees[4:6] == [0, 1], "edges to the output"
    assert degrees[6:10] == [1, 2, 1, 1], "into each, out of each"
    assert degrees[14:] == [4, 3, 6, 2, 2], "input, output, edges, operations, input to output"
    depths = stack.depths().reshape(2, 2, 2)
    assert depths.tolist() == [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]


def test_features_are_those_of_the_computation_not_of_its_spelling() -> None:
    space = ConvCells.small(nodes=3)
    features = Features(space)
    generator = np.random.default_rng(0)
    one = space.sample(generator)
    permutation = space.grammar.symmetries[0][1]
    same = space.architecture([one.choices[place] for place in permutation])
    others = [space.sample(generator) for _ in range(20)]
    assert all(r.max() < 1e-2 for r in distances(features([one]), features([same])))
    typical = distances(features(others), features(others))
    assert all(0.5 < np.sqrt((r * r).mean()) < 2 for r in typical)
