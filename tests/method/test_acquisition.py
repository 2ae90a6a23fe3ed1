"""What an evaluation is worth: improvement, failures, exploration."""

from dataclasses import replace

import numpy as np
import pytest

from naokit.method.acquisition import (
    Acquisition,
    expected_improvement,
    feasibility,
    within_limits,
)
from naokit.method.surrogate import Moments


def test_improvement_is_expected_and_failures_are_avoided() -> None:
    mean, deviation = np.array([0.0, 1.0, 0.5]), np.array([2.0, 0.1, 1.0])
    improvement = expected_improvement(mean, deviation, 1.0)
    assert improvement == pytest.approx([0.3956, 0.0399, 0.1978], abs=1e-3)
    near, far = np.array([[0.0, 9.0]]), np.array([[9.0, 9.0]])
    assert feasibility([far], [near]) == pytest.approx([2 / 3.2, 2 / 2.2])
    assert feasibility([near], [far]) == pytest.approx([3 / 3.2, 2 / 2.2])


def predict(targets: np.ndarray) -> Moments:
    """Two candidates: the mean target of each fantasy, and one more; deviations 1 and 2."""
    mean = targets.mean(axis=-1, keepdims=True)
    return np.concatenate([mean, mean + 1], axis=-1), np.array([1.0, 2.0])


def test_the_worth_is_gain_times_what_is_likely() -> None:
    targets, slack = np.array([0.0, 1.0, 2.0]), (np.array([-1.0, 0.0, 1.0]), 0.5)
    succeeded, failed, there = [np.zeros((3, 1))], [np.ones((1, 1))], [np.zeros((2, 1))]
    plain = Acquisition(targets, 2.0, [], succeeded, None)
    mean, deviation = predict(targets)
    gain = expected_improvement(mean, deviation, 2.0)
    assert plain(predict, there) == pytest.approx(gain)
    inside = within_limits(*predict(slack[0]), slack[1])
    likely = feasibility([np.zeros((3, 2))], [np.ones((1, 2))])
    whole = replace(plain, slacks=[slack], failed=failed, caution=2)
    assert whole(predict, there) == pytest.approx(gain * inside * likely**2)
    nothing_within = replace(whole, incumbent=None, failed=None)
    assert nothing_within(predict, there) == pytest.approx(inside)


def test_the_gain_is_a_bound_where_it_is_to_be_and_a_mean_over_fantasies() -> None:
    targets = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 5.0]])
    none = [np.zeros((0, 1))]
    improvement = Acquisition(targets, np.array([[2.0], [5.0]]), [], none, None, exploration=3.0)
    mean, deviation = predict(targets)
    gain = expected_improvement(mean, 3 * deviation, np.array([[2.0], [5.0]]))
    assert improvement(predict, none) == pytest.approx(gain.mean(axis=0))
    bound = replace(improvement, bound=True)
    assert bound(predict, none) == pytest.approx((mean + 3 * deviation).mean(axis=0))
