"""Rounds: several architectures are proposed before the first of them is evaluated.

An evaluator that learns between evaluations asks for them (`Evaluator.round_size`). Some of the
best of a round may stay in the next one and are evaluated again there (`Evaluator.kept`).

The round of a trial stands in the study, so that an interrupted round goes on as it was: a method
is shown what ended before the round as the history, the rest of the round as pending, and what was
interrupted is taken up again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from naokit.doors import Evaluator, Proposal
from naokit.space import Architecture
from naokit.study.goals import Goals
from naokit.study.ledger import Reading, round_of
from naokit.study.origins import AGAIN, REPEAT, RESCORED, TOLD


class Round:
    """A round of a study.

    Attributes:
        number: The number of the round, from 0.

    Args:
        reading: What the study holds.
        evaluator: What scores the architectures, whose rounds these are.
        goals: What is better, where the best stay.
        number: The number of the round. If None, it is the first that is not complete.
    """

    def __init__(
        self, reading: Reading, evaluator: Evaluator, goals: Goals, number: int | None = None
    ) -> None:
        self._reading, self._evaluator, self._goals = reading, evaluator, goals
        self._rounds = _rounds(reading)
        self.number = max(self._rounds.values(), default=0) if number is None else number
        if number is None and self.missing <= 0 and not self.again():
            self.number += 1

    @property
    def missing(self) -> int:
        """How many new architectures the round lacks."""
        new = list(self._rounds.values()).count(self.number)
        stay = self._evaluator.kept if self.number else 0
        return self._evaluator.round_size - stay - new

    def before(self) -> Reading:
        """What the study held when the round began, and what is pending since."""
        ended, pending = [], dict(self._reading.pending)
        for trial in self._reading.ended:
            if trial.round < self.number or trial.origin in (TOLD, REPEAT):
                ended.append(trial)
            elif trial.origin != RESCORED:
                pending[trial.number] = trial.architecture
        return dataclasses.replace(
            self._reading, ended=tuple(ended), pending=dict(sorted(pending.items()))
        )

    def interrupted(self) -> Proposal | None:
        """An architecture of this round whose evaluation was interrupted."""
        running = self._reading.pending.values()
        taken = {trial.architecture.key for trial in self._reading.ended}
        taken |= {architecture.key for architecture in running}
        for trial in self._reading.interrupted:
            if trial.round == self.number and trial.architecture.key not in taken:
                return Proposal(trial.architecture, trial.origin, trial.model)
        return None

    def pool(self) -> list[Architecture]:
        """The architectures that stay from the last round, then the new ones by their spelling."""
        found = {trial.number: trial.architecture for trial in self._reading.ended}
        found |= self._reading.pending
        new = [found[place] for place, number in self._rounds.items() if number == self.number]
        return [*self._stay(), *sorted(new, key=str)]

    def again(self) -> list[Architecture]:
        """Those that stay and are not evaluated in this round yet; none before any is new."""
        if self.number not in self._rounds.values():
            return []
        scored = {
            trial.architecture.choices
            for trial in self._reading.ended
            if trial.origin == RESCORED and trial.round == self.number
        }
        return [one for one in self._stay() if one.choices not in scored]

    def _stay(self) -> list[Architecture]:
        """The best of the last round; equal ones by their spelling, whatever their numbers."""
        last = [
            (not self._goals.hold(trial), -self._goals.objectives[0].sign * trial.value, trial)
            for trial in self._reading.ended
            if trial.round == self.number - 1 and trial.value is not None
            if trial.origin not in (TOLD, REPEAT)
        ]
        best = sorted(last, key=lambda one: (*one[:2], str(one[2].architecture)))
        return [trial.architecture for *_, trial in best[: self._evaluator.kept]]


def _rounds(reading: Reading) -> Mapping[int, int]:
    """The rounds of first evaluations by number; what was told belongs to none."""
    ended = {t.number: t.round for t in reading.ended if t.origin not in (TOLD, *AGAIN)}
    return ended | {number: round_of(reading.running[number]) for number in reading.pending}
