"""Who leads: the architectures of a study with their values, best first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from naokit.base import Architecture, Trial


@dataclass(frozen=True)
class Standing:
    """How an architecture stands: one value, or several where it was evaluated again."""

    architecture: Architecture
    values: tuple[float, ...]
    number: int

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return sum(self.values) / len(self.values)


def standings(trials: Iterable[Trial], sign: float) -> list[Standing]:
    """The architectures, best first: those evaluated most often before the others.

    Args:
        trials: repeats included; failed ones do not count.
        sign: 1 where more is better, -1 where less is.
    """
    values: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.value is not None:
            values.setdefault(trial.architecture.key, []).append(trial)
    found = [
        Standing(
            same[0].architecture,
            tuple(t.value for t in same if t.value is not None),
            same[0].number,
        )
        for same in values.values()
    ]
    return sorted(found, key=lambda s: (-len(s.values), -sign * s.mean, s.number))
