"""The metric that trained networks of a kind are compared by."""

from __future__ import annotations

from dataclasses import dataclass

from naokit.base import Direction, sign_of


@dataclass(frozen=True)
class Metric:
    """The metric that trained networks of a kind are compared by.

    Attributes:
        name: One word, such as "accuracy"; results call it `validation_accuracy`.
        unit: What is printed after a value, such as " %"; empty where there is none.
        direction: Whether more of it is better.
    """

    name: str
    unit: str
    direction: Direction

    @property
    def sign(self) -> float:
        """The factor that makes larger values better."""
        return sign_of(self.direction)

    @property
    def on_validation(self) -> str:
        """The value of an evaluation in words: `validation accuracy, percent`."""
        return f"validation {self.name}{', percent' if self.unit == ' %' else ''}"
