"""A study's trials as rows of a space.

Shapes: n trials with results, N rows, P parameters, c constraints.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from naokit.optuna_sampler.parameters import SAME, ParameterSpace
from naokit.optuna_sampler.presence import Presence
from naokit.optuna_sampler.results import slacks

VALUED = (TrialState.COMPLETE, TrialState.PRUNED)
"""The states of trials with results."""

RELATIVE = "naokit:relative"
"""The attribute of a trial that holds the numbers of what it is to ask for: others plan around one
that runs, and one that ended before it had asked for all of it says something of the rest."""


class History:
    """The other trials of a study, NaN in their rows for what was not asked for.

    Args:
        space: of the parameters.
        trials: the others, in order.

    Attributes:
        valued: the trials with results.
        known: their rows, (n, P).
        slack: how far they are within each constraint, (n, c).
        failed: rows of the trials without results.
        running: rows of those being evaluated.
    """

    def __init__(self, space: ParameterSpace, trials: Sequence[FrozenTrial]) -> None:
        self.space = space
        self.valued = [trial for trial in trials if trial.state in VALUED]
        self.known = self._rows(self.valued)
        self.slack = slacks(self.valued)
        self.failed = self._others(trials, TrialState.FAIL)
        self.running = self._others(trials, TrialState.RUNNING)
        self._tried = np.concatenate([self.known, self.failed, self.running])

    def is_new(self, row: np.ndarray) -> bool:
        """Whether no trial had these values in all that will be asked for.

        One that ended before it had asked for all of it says nothing of the rest of the row.
        """
        unasked = np.isnan(self.presence(row[None]))
        same = np.where(np.isnan(self._tried), unasked, np.abs(self._tried - row) < SAME)
        return not bool(same.all(axis=1).any())

    @cached_property
    def presence(self) -> Presence:
        """What will be asked for, as complete trials show: only they asked for all there is."""
        told = [
            trial.state == TrialState.COMPLETE and not self._lost(trial, row)
            for trial, row in zip(self.valued, self.known, strict=True)
        ]
        return Presence(self.space, self.known[told])

    def _lost(self, trial: FrozenTrial, row: np.ndarray) -> bool:
        """Whether a parameter had a value that it cannot have today: missing, but asked for."""
        numbers = zip(self.space.names, row, strict=True)
        return any(np.isnan(number) and name in trial.params for name, number in numbers)

    def _others(self, trials: Sequence[FrozenTrial], state: TrialState) -> np.ndarray:
        """Rows of the trials of this state that asked, or will ask, for anything."""
        rows = self._rows([trial for trial in trials if trial.state == state])
        return np.delete(rows, np.flatnonzero(np.isnan(rows).all(axis=1)), axis=0)

    def _rows(self, trials: Sequence[FrozenTrial]) -> np.ndarray:
        """What they asked for, and what those that are not complete would have asked for then."""
        rows = self.space.encode([trial.params for trial in trials])
        for row, trial in zip(rows, trials, strict=True):
            if trial.state != TrialState.COMPLETE:
                plan = json.loads(trial.system_attrs.get(RELATIVE, "{}"))
                planned = np.array([plan.get(name, np.nan) for name in self.space.names])
                row[:] = np.where(np.isnan(row), planned, row)
        return rows
