"""How far chance may move a mean, or the difference of two: half of a 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import stdev

SURE = 0.95


def half_interval(values: Sequence[float]) -> float | None:
    """Half of the 95 % interval of the mean (Student's t); None of fewer than two values."""
    if len(values) < 2:
        return None
    return _quantile(len(values) - 1) * stdev(values) / math.sqrt(len(values))


def half_interval_of_difference(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Half of the 95 % interval of the difference of two means (Welch 1947).

    None where one of them is that of a single value.
    """
    if min(len(one), len(other)) < 2:
        return None
    parts = [(stdev(values) ** 2 / len(values), len(values) - 1) for values in (one, other)]
    total = sum(variance for variance, _ in parts)
    if not total:
        return 0.0
    freedom = total**2 / sum(variance**2 / freedom for variance, freedom in parts)
    return _quantile(freedom) * math.sqrt(total)


def _quantile(freedom: float) -> float:
    from scipy.stats import t  # not above: one run needs none

    return float(t.ppf((1 + SURE) / 2, freedom))
