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
"""The states of trials that have results."""

RELATIVE = "naokit:relative"
"""The attribute of a trial that holds the numbers it was given. Other trials plan around one that
is running, and one that ended before it had asked for all parameters still tells about the rest."""


class History:
    """The other trials of a study. Their rows have NaN for parameters that were not asked for.

    Args:
        space: The space of the parameters.
        trials: The other trials, in order.

    Attributes:
        valued: The trials with results.
        known: The rows of the trials with results, (n, P).
        slack: How far these trials are within each constraint, (n, c).
        failed: The rows of the trials without results.
        running: The rows of the trials that are being evaluated.
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
        """Whether no trial had the same values in all parameters that will be asked for.

        A trial that ended before it had asked for all of them does not count as the same.
        """
        unasked = np.isnan(self.presence(row[None]))
        same = np.where(np.isnan(self._tried), unasked, np.abs(self._tried - row) < SAME)
        return not bool(same.all(axis=1).any())

    @cached_property
    def presence(self) -> Presence:
        """What will be asked for, learnt from complete trials: only these asked for everything."""
        complete = [
            trial.state == TrialState.COMPLETE and not self._lost(trial, row)
            for trial, row in zip(self.valued, self.known, strict=True)
        ]
        return Presence(self.space, self.known[complete])

    def _lost(self, trial: FrozenTrial, row: np.ndarray) -> bool:
        """Whether the trial asked for a parameter whose value is no longer possible."""
        numbers = zip(self.space.names, row, strict=True)
        return any(np.isnan(number) and name in trial.params for name, number in numbers)

    def _others(self, trials: Sequence[FrozenTrial], state: TrialState) -> np.ndarray:
        """The rows of the trials of this state, without those that ask for nothing."""
        rows = self._rows([trial for trial in trials if trial.state == state])
        return np.delete(rows, np.flatnonzero(np.isnan(rows).all(axis=1)), axis=0)

    def _rows(self, trials: Sequence[FrozenTrial]) -> np.ndarray:
        """What the trials asked for, and in those not complete what they were given besides."""
        rows = self.space.encode([trial.params for trial in trials])
        for row, trial in zip(rows, trials, strict=True):
            if trial.state != TrialState.COMPLETE:
                plan = json.loads(trial.system_attrs.get(RELATIVE, "{}"))
                planned = np.array([plan.get(name, np.nan) for name in self.space.names])
                row[:] = np.where(np.isnan(row), planned, row)
        return rows
