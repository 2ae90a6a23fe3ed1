"""Any function of an architecture as an evaluator."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from naokit.base import Direction, Json, unexpected
from naokit.doors import Evaluator, Result
from naokit.space import Architecture

Score = Callable[[Architecture], "float | Result"]


class Function(Evaluator):
    """An evaluator that calls a function; it may return a number, or a `Result` with metrics.

    Raises:
        InputError: It is no function.
    """

    def __init__(self, function: Score, direction: Direction) -> None:
        given: object = function
        if not callable(given) or isinstance(given, type):
            raise unexpected("evaluator", given, "a naokit.Evaluator, or a function")
        self.function = function
        self.direction = direction

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """The result that the function returns."""
        del seed
        began = time.monotonic()
        found = self.function(architecture)
        if isinstance(found, Result):
            return found
        return Result(float(found), {}, time.monotonic() - began)

    def settings(self) -> Mapping[str, Json]:
        """Empty settings, because functions cannot be compared."""
        return {}
