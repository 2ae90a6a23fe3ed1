"""Who leads: the architectures of a study with their values, best first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from naokit.base import Architecture, InputError, Trial
from naokit.goals import Goals


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


class Ranking(ABC):
    """Evaluations in order of merit; a study is one."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What messages call it."""

    @property
    @abstractmethod
    def goals(self) -> Goals:
        """Objectives and limits."""

    @property
    @abstractmethod
    def trials(self) -> list[Trial]:
        """Every evaluation that ended, repeats included, interrupted ones not."""

    def standings(self) -> list[Standing]:
        """The architectures within the limits, best first by the first objective.

        Those evaluated most often stand before the others.
        """
        return standings([t for t in self.trials if self.goals.hold(t)], self._sign)

    def by_first_value(self) -> list[Standing]:
        """Standings by the first evaluation alone, so that repeats do not choose themselves."""
        return sorted(self.standings(), key=lambda s: (-self._sign * s.values[0], s.number))

    def front(self) -> list[Trial]:
        """The Pareto front: evaluations that none other beats in every objective."""
        return self.goals.front(self.trials)

    @property
    def best(self) -> Standing:
        """The first of `standings`.

        Raises:
            InputError: nothing has been evaluated yet.
        """
        found = self.standings()
        if not found:
            within = " within the limits" if self.goals.limits else ""
            raise InputError(
                f"the study {self.name} has no finished evaluation{within} yet: search on"
            )
        return found[0]

    @property
    def best_architecture(self) -> Architecture:
        """The best architecture; see `standings` for what that means."""
        return self.best.architecture

    @property
    def best_value(self) -> float:
        """Its value, the mean where it was evaluated several times."""
        return self.best.mean

    @property
    def best_trials(self) -> list[Trial]:
        """The evaluations of the best architecture."""
        key = self.best_architecture.key
        return [t for t in self.trials if t.architecture.key == key and t.value is not None]

    @property
    def _sign(self) -> float:
        return self.goals.objectives[0].sign
