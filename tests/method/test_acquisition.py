"""What an evaluation is worth: improvement, failures, exploration."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from naokit.method.acquisition import (
    Acquisition,
    expected_improvement,
    of_tried,
    success,
    within_limits,
)
from naokit.method.features import distances
from naokit.method.surrogate import GaussianProcess, Kernel, Moments


def test_improvement_is_expected() -> None:
    mean, deviation = np.array([0.0, 1.0, 0.5]), np.array([2.0, 0.1, 1.0])
    improvement = expected_improvement(mean, deviation, 1.0)
    assert improvement == pytest.approx([0.3956, 0.0399, 0.1978], abs=1e-3)


def test_success_is_likely_near_successes_and_unlikely_near_failures() -> None:
    """The middle of four successes, that of four failures, and a place far from all."""
    places = np.array([[0.0], [0.1], [0.2], [0.3], [1.0], [1.1], [1.2], [1.3]])
    gave = np.array([1.0, 1, 1, 1, 0, 0, 0, 0])
    kernel = of_tried(Kernel(np.ones(1), np.full(1, 0.3), 1e-4))
    process = GaussianProcess(kernel, distances([places], [places]))
    there = distances([places], [np.array([[0.15], [1.15], [90.0]])])
    well, badly, far = success(partial(process.predict_at, cross=there), gave)
    assert well > 0.9
    assert 0.02 <= badly < 0.2
    assert far == pytest.approx(6 / 10.2)
    assert success(partial(process.predict_at, cross=there), np.ones(8)) == pytest.approx(
        1, abs=0.1
    )


def predict(targets: np.ndarray) -> Moments:
    """Two candidates: the mean target of each fantasy, and one more; deviations 1 and 2."""
    mean = targets.mean(axis=-1, keepdims=True)
    return np.concatenate([mean, mean + 1], axis=-1), np.array([1.0, 2.0])


def test_the_worth_is_gain_times_what_is_likely() -> None:
    targets, slack = np.array([0.0, 1.0, 2.0]), (np.array([-1.0, 0.0, 1.0]), 0.5)
    plain = Acquisition(targets, 2.0, [])
    mean, deviation = predict(targets)
    gain = expected_improvement(mean, deviation, 2.0)
    assert plain(predict) == pytest.approx(gain)
    inside = within_limits(*predict(slack[0]), slack[1])
    likely = np.array([0.5, 0.9])
    whole = replace(plain, slacks=[slack], caution=2)
    assert whole(predict, likely) == pytest.approx(gain * inside * likely**2)
    nothing_within = replace(whole, incumbent=None)
    assert nothing_within(predict) == pytest.approx(inside)


def test_the_gain_is_a_bound_where_it_is_to_be_and_a_mean_over_fantasies() -> None:
    targets = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 5.0]])
    improvement = Acquisition(targets, np.array([[2.0], [5.0]]), [], exploration=3.0)
    mean, deviation = predict(targets)
    gain = expected_improvement(mean, 3 * deviation, np.array([[2.0], [5.0]]))
    assert improvement(predict) == pytest.approx(gain.mean(axis=0))
    bound = replace(improvement, bound=True)
    assert bound(predict) == pytest.approx((mean + 3 * deviation).mean(axis=0))
