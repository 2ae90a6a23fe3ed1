"""Optuna's parameters as rows of numbers, and rows as parameters.

A row has one number for each parameter: the place of a categorical choice, or the place of an int
or float between its ends, 0 to 1, on a log scale where its distribution has one. A row has numbers
for all parameters that any trial had; `presence` knows which of them the objective will ask for.

Shapes: N rows, P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial

SAME = 1e-9
"""Numbers of a row that differ by less than this are the same value."""

STEPS = (0.3, 0.1, 0.03, 0.01, 0.003)
"""The deviations of mutations of a number: the best one depends on how far the search has come."""

COUNTED = 2.0**62
"""The values of a parameter are counted up to this number: more are as good as a continuum."""

FAR = 1e3
"""A value from an earlier range lies at most this many widths of the present range away."""

JUMP = 0.15
"""The share of mutations of a number that draw it anew."""


@dataclass(frozen=True)
class Category:
    """A categorical parameter."""

    distribution: CategoricalDistribution

    @property
    def levels(self) -> int:
        """The number of choices."""
        return len(self.distribution.choices)

    def encode(self, value: Any) -> float:
        """The place of a choice; NaN for one that no longer exists."""
        try:
            return float(self.distribution.to_internal_repr(value))
        except ValueError:
            return math.nan

    def decode(self, number: float) -> Any:
        """The choice at this place."""
        return self.distribution.to_external_repr(number)

    def everything(self) -> np.ndarray:
        """All places, (levels,)."""
        return np.arange(self.levels, dtype=np.float64)

    def drawn(self, generator: np.random.Generator, amount: int) -> np.ndarray:
        """Random places, (amount,)."""
        return generator.integers(0, self.levels, amount).astype(np.float64)

    def snapped(self, numbers: np.ndarray) -> np.ndarray:
        """The same places, (N,)."""
        return numbers

    def mutated(self, numbers: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Other places, (N,)."""
        steps = generator.integers(1, self.levels, len(numbers))
        places: np.ndarray = (numbers + steps) % self.levels
        return places

    def near(self, number: float, size: float) -> np.ndarray:
        """Every other place, whatever the size, because choices have no order."""
        del size
        places = self.everything()
        return np.delete(places, np.flatnonzero(places == number))


@dataclass(frozen=True)
class Number:
    """An int or a float parameter."""

    distribution: IntDistribution | FloatDistribution

    @property
    def levels(self) -> int | None:
        """The number of values; None for a continuum."""
        distribution = self.distribution
        if distribution.step is None:
            return None
        return round(min((distribution.high - distribution.low) / distribution.step, COUNTED)) + 1

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """The values at 0 and 1: half a step beyond the ends, so that rounding favours no value."""
        margin = (self.distribution.step or 0) / 2
        low, high = self.distribution.low - margin, self.distribution.high + margin
        return (math.log(low), math.log(high)) if self.distribution.log else (low, high)

    def encode(self, value: Any) -> float:
        """The number of a value, outside of 0 to 1 for a value of an earlier, other range.

        NaN for a choice that is not a number, from before the parameter became numeric.
        """
        try:
            number = np.array(float(value))
        except (TypeError, ValueError, OverflowError):
            return math.nan
        return float(self._numbers(number).clip(-FAR, FAR))

    def decode(self, number: float) -> int | float:
        """The nearest value."""
        value = float(self._values(np.array(number)))
        distribution = self.distribution
        if isinstance(distribution, FloatDistribution):
            return value
        steps = round((round(value) - distribution.low) / distribution.step)
        return min(distribution.low + steps * distribution.step, distribution.high)

    def everything(self) -> np.ndarray:
        """The numbers of all values of a finite parameter, (levels,)."""
        assert self.levels is not None
        assert self.distribution.step is not None
        return self._numbers(
            self.distribution.low + np.arange(self.levels) * self.distribution.step
        )

    def drawn(self, generator: np.random.Generator, amount: int) -> np.ndarray:
        """The numbers of random values, (amount,)."""
        return self.snapped(generator.random(amount))

    def snapped(self, numbers: np.ndarray) -> np.ndarray:
        """The numbers of the nearest values, (N,)."""
        return numbers.clip(0, 1) if self.levels is None else self._numbers(self._values(numbers))

    def mutated(self, numbers: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """The numbers of values a random step away, sometimes of any value, (N,)."""
        steps = generator.choice(STEPS, len(numbers)) * generator.standard_normal(len(numbers))
        jumps = generator.random(len(numbers)) < JUMP
        return np.where(jumps, self.drawn(generator, len(numbers)), self._moved(numbers, steps))

    def near(self, number: float, size: float) -> np.ndarray:
        """Values on both sides, at this distance and a quarter of it, or the nearest others."""
        return self._moved(np.full(4, number), size * np.array([-1, -0.25, 0.25, 1]))

    def _moved(self, numbers: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Values a step away; the adjacent ones where a step is too small to reach them."""
        moved = self.snapped(numbers + steps)
        if self.levels is None:
            return moved
        values = self._values(numbers)
        adjacent = values + np.copysign(self.distribution.step or 0, steps)
        adjacent = adjacent.clip(self.distribution.low, self.distribution.high)
        return np.where(np.abs(moved - numbers) > SAME, moved, self._numbers(adjacent))

    def _numbers(self, values: np.ndarray) -> np.ndarray:
        """The numbers of values."""
        low, high = self._ends
        with np.errstate(over="ignore", divide="ignore"):  # infinities count as far outside
            if self.distribution.log:
                values = np.log(np.maximum(values, 0))
            half = 1.0 if math.isfinite(high - low) else 0.5
            # Large integers that are adjacent have equal logarithms.
            width = half * high - half * low or 1.0
            numbers: np.ndarray = (half * values - half * low) / width
        return numbers

    def _values(self, numbers: np.ndarray) -> np.ndarray:
        """The values nearest to these numbers."""
        low, high = self._ends
        numbers = numbers.clip(0, 1)
        if math.isfinite(high - low):
            values: np.ndarray = low + numbers * (high - low)
        else:
            values = low * (1 - numbers) + high * numbers
        values = np.exp(values) if self.distribution.log else values
        distribution = self.distribution
        if distribution.step is not None:
            places = np.round((values - distribution.low) / distribution.step)
            values = distribution.low + places * distribution.step
        return values.clip(distribution.low, distribution.high)


class ParameterSpace:
    """The parameters of a search space.

    Args:
        distributions: The distributions of the parameters, by name.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution]) -> None:
        self.names = list(distributions)
        self.parameters = [_parameter(distribution) for distribution in distributions.values()]

    def encode(self, assignments: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """The rows of parameter values, with NaN where one is missing, (N, P)."""
        rows = np.full((len(assignments), len(self.names)), np.nan)
        for row, assignment in zip(rows, assignments, strict=True):
            for place, name in enumerate(self.names):
                if name in assignment:
                    row[place] = self.parameters[place].encode(assignment[name])
        return rows

    def decode(self, row: np.ndarray) -> dict[str, Any]:
        """The parameter values of a row (P,)."""
        numbers = zip(self.names, self.parameters, row.tolist(), strict=True)
        return {name: parameter.decode(number) for name, parameter, number in numbers}

    def draw(self, generator: np.random.Generator, amount: int) -> np.ndarray:
        """Random rows, (amount, P)."""
        return np.stack([p.drawn(generator, amount) for p in self.parameters], axis=1)

    def completed(self, rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """The rows within the present ranges, with missing numbers drawn at random, (N, P)."""
        whole = np.where(np.isnan(rows), self.draw(generator, len(rows)), rows)
        columns = zip(self.parameters, whole.T, strict=True)
        return np.stack([parameter.snapped(column) for parameter, column in columns], axis=1)

    def everything(self, limit: int) -> np.ndarray | None:
        """All rows of a finite space if there are at most `limit`, (N, P); otherwise None."""
        size = 1
        for parameter in self.parameters:
            size *= parameter.levels or limit + 1
            if size > limit:
                return None
        return np.array(list(product(*(p.everything().tolist() for p in self.parameters))))


def union(trials: Iterable[FrozenTrial]) -> dict[str, BaseDistribution]:
    """The latest distribution of every parameter that any of the trials asked for.

    Names keep the order in which they are asked for. Parameters of a single value are left out.
    """
    order: list[str] = []
    latest: dict[str, BaseDistribution] = {}
    for trial in trials:
        place = 0
        for name, distribution in trial.distributions.items():
            if name not in latest:
                order.insert(place, name)
            place = order.index(name) + 1
            latest[name] = distribution
    return {name: latest[name] for name in order if not latest[name].single()}


def _parameter(distribution: BaseDistribution) -> Category | Number:
    if isinstance(distribution, CategoricalDistribution):
        return Category(distribution)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return Number(distribution)
