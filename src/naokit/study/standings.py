"""Who leads: the architectures of a study with their values, best first."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from naokit.base import InputError
from naokit.doors import Trial
from naokit.space import Architecture
from naokit.study.deciding import Beliefs
from naokit.study.goals import Goals, mean
from naokit.study.origins import RESCORED, current
from naokit.wording import counted

REMEDIES = {
    "diverged": "lower the learning rate, or search another space",
    "out of memory": "take smaller batches, or search smaller networks",
    "worker died": "start fewer workers, or search smaller networks",
    "out of time": "allow an evaluation more seconds, or search smaller networks",
}
"""What to do where evaluations fail, by reason."""


@dataclass(frozen=True)
class Standing:
    """How an architecture stands: one value, or several where it was evaluated again."""

    architecture: Architecture
    values: tuple[float, ...]
    number: int
    round: int = 0

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return mean(self.values)

    def _repr_html_(self) -> str:
        """What notebooks show: the values, and the drawn cell."""
        from naokit.drawing.notebook import cell, code, paragraph, together  # only to look at it

        values = ", ".join(f"{value:.6g}" for value in self.values)
        several = f", mean {self.mean:.6g}" if len(self.values) > 1 else ""
        words = paragraph(f"Trial {self.number}, evaluated to {values}{several}")
        drawing = self.architecture._repr_svg_()
        return str(together([words, cell(drawing, code(str(self.architecture)), shown=True)]))


def standings(trials: Iterable[Trial], sign: float) -> list[Standing]:
    """The architectures, best first: by value, or by posterior mean where some have several.

    Args:
        trials: The trials with repeats; failed ones do not count.
        sign: 1 if more is better, -1 if less is.
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
            max(t.round for t in same),
        )
        for same in values.values()
    ]
    rescored = any(t.origin == RESCORED for same in values.values() for t in same)
    last = max((s.round for s in found), default=0) if rescored else 0
    worth = [sign * standing.mean for standing in found]
    several = any(len(standing.values) > 1 for standing in found)
    if several and all(map(math.isfinite, worth)):
        worth = beliefs(found, sign).means.tolist()
    order = zip(worth, found, strict=True)
    best = sorted(order, key=lambda one: (one[1].round < last, -one[0], one[1].number))
    return [standing for _, standing in best]


def beliefs(found: Sequence[Standing], sign: float) -> Beliefs:
    """What the values of these tell of their true ones."""
    return Beliefs.of([[sign * value for value in standing.values] for standing in found])


def most_telling(
    found: Sequence[Standing], sign: float, running: Sequence[tuple[int, ...]]
) -> Standing:
    """Whose evaluation once more tells most of which is best.

    Args:
        found: The standings, best first.
        sign: 1 where more is better, -1 where less is.
        running: The choices of those that are being evaluated once more.
    """
    under_way = [running.count(standing.architecture.choices) for standing in found]
    if len(found[0].values) + under_way[0] < 2:
        return found[0]
    values = [[sign * value for value in standing.values] for standing in found]
    return found[int(Beliefs.of(values, under_way).gains().argmax())]


class NoBest(InputError):
    """Nothing has been evaluated yet, every evaluation failed, or none is within the limits."""


class Ranking(ABC):
    """Evaluations in order of merit; a study is one."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that messages use."""

    @property
    @abstractmethod
    def goals(self) -> Goals:
        """The objectives and limits."""

    @property
    @abstractmethod
    def trials(self) -> list[Trial]:
        """Every evaluation that ended, with repeats, without interrupted ones."""

    def standings(self) -> list[Standing]:
        """The architectures within the limits, best first by the first objective.

        Where some were evaluated several times they are ordered by what their values tell of the
        true ones (`naokit.study.deciding`). Where some were evaluated again in a later round only
        the latest value of each counts, and those of the last round stand first.
        """
        return standings([t for t in current(self.trials) if self.goals.hold(t)], self._sign)

    def by_first_value(self) -> list[Standing]:
        """Standings by the first evaluation alone, so that repeats do not choose themselves."""
        return sorted(self.standings(), key=lambda s: (-self._sign * s.values[0], s.number))

    def front(self) -> list[Trial]:
        """The Pareto front: architectures that none other beats in every objective.

        Each is its first evaluation, with the means over its evaluations as values.
        """
        return self.goals.front(current(self.trials))

    @property
    def best(self) -> Standing:
        """The first of `standings`.

        Raises:
            NoBest: There is none yet; the message says why and what to do.
        """
        found = self.standings()
        if not found:
            raise NoBest(self._why_none())
        return found[0]

    def _why_none(self) -> str:
        """The message that says why there is no best, and what to do."""
        trials = self.trials
        valued = [trial for trial in trials if trial.value is not None]
        if valued:
            return self._all_beyond(valued, failed=len(trials) - len(valued))
        if not trials:
            return f"the study {self.name} has no finished evaluation yet: search on"
        failed = [trial for trial in trials if trial.failed]
        if not failed:
            return f"every evaluation of the study {self.name} was stopped early: search on"
        reason, times = Counter(trial.reason for trial in failed).most_common(1)[0]
        mend = REMEDIES.get(reason, "mend that, or search another space")
        which = "the one evaluation" if len(trials) == 1 else f"all {len(trials)} evaluations"
        return f"{which} of the study {self.name} failed ({reason}: {times}): {mend}"

    def _all_beyond(self, valued: Sequence[Trial], failed: int) -> str:
        """The message for a study whose values all violate a limit."""
        nearest = max(valued, key=self.goals.slack)
        beyond = f"{len(valued)} {'is' if len(valued) == 1 else 'are'} beyond"
        metrics = self.goals.limited(nearest)
        return (
            f"nothing is within {', '.join(map(str, self.goals.limits))} yet in the study "
            f"{self.name}: of {counted(len(valued) + failed, 'evaluation')} {failed} failed and "
            f"{beyond}; trial {nearest.number} came nearest ({metrics}): loosen the limits, or "
            "search on"
        )

    def sure(self) -> float | None:
        """How likely the best truly is the best that was evaluated; None without repeats."""
        found = self.standings()
        if not any(len(standing.values) > 1 for standing in found):
            return None
        return beliefs(found, self._sign).probability()

    @property
    def best_architecture(self) -> Architecture:
        """The best architecture; see `standings` for what that means."""
        return self.best.architecture

    @property
    def best_value(self) -> float:
        """The value of the best architecture; the mean if it was evaluated several times."""
        return self.best.mean

    @property
    def best_trials(self) -> list[Trial]:
        """The evaluations of the best architecture."""
        key = self.best_architecture.key
        return [t for t in self.trials if t.architecture.key == key and t.value is not None]

    @property
    def _sign(self) -> float:
        return self.goals.objectives[0].sign
