"""The score of a network that is measured on a few examples, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Scorer = Callable[[Callable[..., Any]], "Scored"]
"""Measures what a network computes, always on the same examples, which are fetched once."""


@dataclass(frozen=True)
class Scored:
    """A score.

    Attributes:
        value: The metric on the examples.
        noise: The standard deviation of the value over other examples of the same kind.
    """

    value: float
    noise: float
