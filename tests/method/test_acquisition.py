"""What an evaluation is worth: improvement, failures, exploration."""

import numpy as np
import pytest

from naokit.method.acquisition import expected_improvement, feasibility


def test_improvement_is_expected_and_failures_are_avoided() -> None:
    mean, deviation = np.array([0.0, 1.0, 0.5]), np.array([2.0, 0.1, 1.0])
    improvement = expected_improvement(mean, deviation, 1.0)
    assert improvement == pytest.approx([0.3956, 0.0399, 0.1978], abs=1e-3)
    near, far = np.array([[0.0, 9.0]]), np.array([[9.0, 9.0]])
    assert feasibility([far], [near]) == pytest.approx([2 / 3.2, 2 / 2.2])
    assert feasibility([near], [far]) == pytest.approx([3 / 3.2, 2 / 2.2])
