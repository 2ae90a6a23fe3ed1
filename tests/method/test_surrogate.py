"""The Gaussian process: targets, the fit of its kernel, its predictions."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from naokit.method import surrogate


def test_several_outcomes_are_predicted_like_each() -> None:
    generator = np.random.default_rng(0)
    places = generator.normal(size=(9, 2))
    apart = [np.linalg.norm(places[:, None] - places[None], axis=2)]
    kernel = surrogate.Kernel(np.ones(1), np.array([1.3]), 0.05)
    known, across = [apart[0][:6, :6]], [apart[0][:6, 6:]]
    halves = [[across[0][:, :1]], [across[0][:, 1:]]]  # candidates in parts change nothing
    process = surrogate.GaussianProcess(kernel, known, halves)
    rows = generator.normal(size=(3, 6))
    together, deviation = process.predict(rows)
    each = [process.predict_at(row, across) for row in rows]
    assert together == pytest.approx(np.array([mean for mean, _ in each]), abs=1e-5)
    variance = np.mean([apart * apart for _, apart in each], axis=0)
    assert deviation**2 == pytest.approx(variance, rel=1e-4)


def test_targets_keep_the_order_and_nothing_else() -> None:
    values = np.array([3.0, -1e9, 3.0, 5.0, 1e9])
    targets = surrogate.rank_gauss(values)
    assert targets == pytest.approx(surrogate.rank_gauss(np.array([2, 1, 2, 3, 4])))
    assert targets[0] == targets[2] < targets[3] < targets[4] == pytest.approx(1.2815516)


def test_the_log_posterior_has_the_gradient_it_says() -> None:
    generator = np.random.default_rng(0)
    places = generator.normal(size=(2, 12, 3))
    known = [np.linalg.norm(p[:, None] - p[None], axis=2) for p in places]
    targets = surrogate.rank_gauss(generator.normal(size=12))
    expected = np.array([0, -1.5, 0.3, 0.3, -3.5])
    for _ in range(5):
        vector = generator.normal(size=5) * 0.5 + np.array([0, 0, 0.3, 0.3, -2])
        wrong = check_grad(
            lambda v: surrogate._negative_log_posterior(v, known, targets, expected)[0],
            lambda v: surrogate._negative_log_posterior(v, known, targets, expected)[1],
            vector,
        )
        assert wrong < 1e-5


def test_a_process_given_results_one_by_one_is_the_one_made_at_once() -> None:
    """Against scikit-learn's Gaussian process with the same kernel."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    generator = np.random.default_rng(1)
    places, away = generator.normal(size=(9, 2)), generator.normal(size=(4, 2))
    targets = surrogate.rank_gauss(generator.normal(size=9))
    kernel = surrogate.Kernel(np.ones(1), np.array([1.3]), 0.05)

    def apart(left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
        return [np.linalg.norm(left[:, None] - right[None], axis=2)]

    process = surrogate.GaussianProcess(
        kernel, apart(places[:5], places[:5]), [apart(places[:5], away)]
    )
    for row in range(5, 9):
        new = places[row : row + 1]
        process = process.condition_on(apart(new, places[: row + 1]), apart(new, away))
    mean, deviation = process.predict(targets)
    first = surrogate.GaussianProcess(
        kernel, apart(places[:5], places[:5]), [apart(places[:5], away)]
    )
    together = first.condition_on(apart(places[5:], places), apart(places[5:], away))
    assert together.factor == pytest.approx(process.factor)
    assert together.predict(targets)[1] == pytest.approx(deviation, abs=1e-5)
    other = GaussianProcessRegressor(Matern(1.3, nu=2.5) + WhiteKernel(0.05), optimizer=None)
    other_mean, other_deviation = other.fit(places, targets).predict(away, return_std=True)
    covariance = np.array(Matern(1.3, nu=2.5)(places) + 0.05 * np.eye(9))
    sigma = (targets @ np.linalg.solve(covariance, targets) / 9) ** 0.5
    assert mean == pytest.approx(other_mean, abs=1e-4)
    assert deviation == pytest.approx(sigma * other_deviation, abs=1e-3)
    assert process.predict_at(targets, apart(places, away))[0] == pytest.approx(mean, abs=1e-4)
    without, _ = process.leave_one_out(targets)
    other.fit(places[1:], targets[1:])
    assert without[0] == pytest.approx(other.predict(places[:1])[0], abs=1e-6)


def test_a_known_noise_is_the_prior_of_the_fitted_one() -> None:
    values = np.array([0.0, 2.0, 4.0, 6.0])  # of variance 5
    assert surrogate.expected_noise(values, [None] * 4) == surrogate.NOISE_PRIOR[0]
    assert surrogate.expected_noise(values, [1.0, 1.0, None, 1.0]) == pytest.approx(
        np.log(0.2 / 0.8)
    )
    assert surrogate.expected_noise(values, [9.0] * 4) == surrogate.NOISE_RANGE[1]
    assert surrogate.expected_noise(values, [0.0] * 4) == surrogate.NOISE_RANGE[0]
    assert surrogate.expected_noise(np.ones(4), [1.0] * 4) == surrogate.NOISE_PRIOR[0]
    assert surrogate.expected_noise(np.zeros(4), [1.0] * 4) == surrogate.NOISE_PRIOR[0]
    extreme = np.array([1e308, -1e308, 0.0, 1.0])
    assert surrogate.expected_noise(extreme, [None] * 4) == surrogate.NOISE_PRIOR[0]
    assert surrogate.expected_noise(extreme, [1e308] * 4) == surrogate.NOISE_RANGE[1]
