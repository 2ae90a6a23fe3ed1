"""Rounds: an evaluator may want several architectures before it evaluates the first of them.

The round of a trial stands in the study, so that an interrupted round goes on as it was: a method
is shown what ended before the round as the history, the rest of the round as pending, and what was
interrupted is taken up again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from naokit.base import Architecture, Proposal
from naokit.study.ledger import REPEAT, TOLD, Reading, round_of


class Round:
    """The round of a study that is not full yet.

    Attributes:
        number: The number of the round, from 0.
        missing: How many architectures it lacks.

    Args:
        reading: What the study holds.
        size: How many architectures a round has.
    """

    def __init__(self, reading: Reading, size: int) -> None:
        self._reading = reading
        rounds = _rounds(reading)
        self.number = max(rounds.values(), default=0)
        self.missing = size - list(rounds.values()).count(self.number)
        if self.missing <= 0:
            self.number, self.missing = self.number + 1, size

    def before(self) -> Reading:
        """What the study held when the round began, and what is pending since."""
        ended, pending = [], dict(self._reading.pending)
        for trial in self._reading.ended:
            if trial.round < self.number or trial.origin in (TOLD, REPEAT):
                ended.append(trial)
            else:
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


def pool(reading: Reading) -> tuple[list[Architecture], int]:
    """Every architecture of every round, round by round, and the number of the last round."""
    rounds = _rounds(reading)
    found = {trial.number: trial.architecture for trial in reading.ended} | dict(reading.pending)
    ordered = sorted(rounds, key=lambda number: (rounds[number], str(found[number])))
    return [found[number] for number in ordered], max(rounds.values(), default=0)


def _rounds(reading: Reading) -> Mapping[int, int]:
    """The rounds of trials by number; repeats and what was told belong to none."""
    ended = {t.number: t.round for t in reading.ended if t.origin not in (TOLD, REPEAT)}
    return ended | {number: round_of(reading.running[number]) for number in reading.pending}
