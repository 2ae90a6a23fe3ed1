"""Who says which evaluations stop early: ASHA, or one of Optuna's pruners.

Asynchronous successive halving (Li et al. 2020, arXiv 1810.05934) looks at an evaluation after 1,
3, 9, ... epochs. It goes on where it is among the best third of all that came as far. One that was
stopped goes on after all where later ones let it into that third.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner
from optuna.trial import TrialState

from naokit.base import Curve, unexpected, unknown_name
from naokit.study.replayed import Replay, empty_study

FIRST, FACTOR = 1, 3
"""After how many epochs ASHA looks first, and what share goes on: one of so many."""


@dataclass(frozen=True)
class Seen:
    """An evaluation that ended.

    Attributes:
        curve: What it reported, at least one epoch; more is better.
        whole: Whether it came to its end.
    """

    curve: Curve
    whole: bool


class Pruner(ABC):
    """Decides by learning curves; in all of them more is better."""

    @abstractmethod
    def stops(self, mine: Curve, ended: Sequence[Seen], running: Sequence[Curve] = ()) -> bool:
        """Whether an evaluation stops after the last epoch that it reported.

        Args:
            mine: What it reported; the same object as long as it runs.
            ended: The evaluations that ended, in order.
            running: What others reported that run.
        """

    def resumes(self, ended: Sequence[Seen]) -> list[bool]:
        """Which of the evaluations that ended would not have been stopped by what is known now."""
        return [False] * len(ended)


@dataclass(frozen=True)
class Asha(Pruner):
    """Asynchronous successive halving.

    Attributes:
        first: The number of epochs after which it looks first.
        factor: How many times as many there are until it looks again; one of so many goes on.
    """

    first: int = FIRST
    factor: int = FACTOR

    def stops(self, mine: Curve, ended: Sequence[Seen], running: Sequence[Curve] = ()) -> bool:
        """Whether it is looked at after its last epoch, and is not among the best."""
        last = max(mine)
        before = max((epoch for epoch in mine if epoch < last), default=0)
        others = [*(one.curve for one in ended), *running]
        return any(
            not self._leads(mine, others, rung) for rung in self._rungs(last) if rung > before
        )

    def resumes(self, ended: Sequence[Seen]) -> list[bool]:
        """Which of those that were stopped are among the best by now of all that came as far."""
        last = [max(self._rungs(max(one.curve)), default=0) for one in ended]
        found = [False] * len(ended)
        for rung in set(last) - {0}:
            there = {n: _at(one.curve, rung) for n, one in enumerate(ended) if last[n] >= rung}
            best = sorted(there, key=lambda n: -there[n])[: max(1, len(there) // self.factor)]
            worst = min(there[n] for n in best)
            for n, value in there.items():
                found[n] |= last[n] == rung and not ended[n].whole and value >= worst
        return found

    def _rungs(self, last: int) -> Iterator[int]:
        """The epochs up to the last one after which it looks."""
        rung = self.first
        while rung <= last:
            yield rung
            rung *= self.factor

    def _leads(self, mine: Curve, others: Sequence[Curve], rung: int) -> bool:
        """Whether it is among the best of those that came to a rung."""
        there = [_at(curve, rung) for curve in others if max(curve) >= rung]
        better = sum(value > _at(mine, rung) for value in there)
        return better < max(1, (len(there) + 1) // self.factor)


def _at(curve: Curve, rung: int) -> float:
    """The best value until the first reported epoch that is not before the rung."""
    reached = min(epoch for epoch in curve if epoch >= rung)
    return max(value for epoch, value in curve.items() if epoch <= reached)


class FromOptuna(Pruner):
    """One of Optuna's pruners, which is shown the evaluations as a study of its own, in memory.

    Args:
        pruner: The pruner. It decides by the curves alone.
    """

    def __init__(self, pruner: BasePruner) -> None:
        self._pruner = pruner
        self._replay = Replay(_tell)
        self._latest: tuple[Curve, optuna.Trial] | None = None

    def stops(self, mine: Curve, ended: Sequence[Seen], running: Sequence[Curve] = ()) -> bool:
        """Whether the pruner prunes it; of those that run it knows nothing."""
        del running
        if self._latest is not None and self._latest[0] is mine:
            trial = self._latest[1]
            return _shown(trial, {max(mine): mine[max(mine)]})
        trial = self._replay.show(empty_study(pruner=self._pruner), ended).ask()
        self._latest = mine, trial
        return _shown(trial, mine)


def _tell(study: optuna.Study, one: Seen) -> None:
    """Has a study's pruner see an evaluation as it saw it then."""
    trial = study.ask()
    _shown(trial, one.curve)
    if one.whole:
        study.tell(trial, max(one.curve.values()))
    else:
        study.tell(trial, state=TrialState.PRUNED)


def _shown(trial: optuna.Trial, curve: Curve) -> bool:
    """Whether the pruner prunes it, now that it has seen this of its curve."""
    prunes = False
    for epoch, value in sorted(curve.items()):
        trial.report(value, epoch)
        prunes = trial.should_prune()
    return prunes


PRUNERS: Mapping[str, Callable[[], Pruner]] = {
    "asha": Asha,
    "median": lambda: FromOptuna(MedianPruner()),
    "hyperband": lambda: FromOptuna(HyperbandPruner(reduction_factor=FACTOR)),
    "successive-halving": lambda: FromOptuna(SuccessiveHalvingPruner(reduction_factor=FACTOR)),
}
"""By name; Optuna's at their defaults, but for the share that goes on."""


def pruner_of(pruner: str | BasePruner | Pruner) -> Pruner:
    """The pruner of a name, one of Optuna's, or one of ours.

    Raises:
        InputError: There is no such pruner (with the nearest names).
    """
    if isinstance(pruner, str):
        if pruner not in PRUNERS:
            raise unknown_name("pruner", pruner, PRUNERS)
        return PRUNERS[pruner]()
    if isinstance(pruner, BasePruner):
        return FromOptuna(pruner)
    if isinstance(pruner, Pruner):
        return pruner
    raise unexpected(
        "pruner", pruner, f"one of {', '.join(PRUNERS)}, a pruner of Optuna's, or None"
    )
