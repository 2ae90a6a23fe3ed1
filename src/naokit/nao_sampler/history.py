"""A study's trials as rows of a space.

Shapes: n trials with results, N rows, P parameters, c constraints.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from naokit.nao_sampler.parameters import SAME, ParameterSpace
from naokit.nao_sampler.results import slacks

VALUED = (TrialState.COMPLETE, TrialState.PRUNED)
"""The states of trials with results."""

RELATIVE = "naokit:relative"
"""The attribute of a running trial that holds the numbers of what it will ask for: others plan
around it."""


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
        self.known = space.encode([trial.params for trial in self.valued])
        self.slack = slacks(self.valued)
        self.failed = self._others(trials, TrialState.FAIL)
        self.running = self._others(trials, TrialState.RUNNING)
        self._tried = np.concatenate([self.known, self.failed, self.running])

    def is_new(self, row: np.ndarray) -> bool:
        """Whether no trial had these values in all that it asked for.

        A trial that did would be the same again, whatever stands in the rest of the row.
        """
        same = np.isnan(self._tried) | (np.abs(self._tried - row) < SAME)
        return not bool(same.all(axis=1).any())

    def complete(self) -> np.ndarray:
        """Rows of complete trials: only these asked for all there is to ask for."""
        rows: np.ndarray = self.known[[trial.state == TrialState.COMPLETE for trial in self.valued]]
        return rows

    def _others(self, trials: Sequence[FrozenTrial], state: TrialState) -> np.ndarray:
        """Rows of the trials of this state that asked, or will ask, for anything."""
        chosen = [trial for trial in trials if trial.state == state]
        rows = self.space.encode([trial.params for trial in chosen])
        if state == TrialState.RUNNING:
            rows = np.where(np.isnan(rows), self._planned(chosen), rows)
        return np.delete(rows, np.flatnonzero(np.isnan(rows).all(axis=1)), axis=0)

    def _planned(self, trials: Sequence[FrozenTrial]) -> np.ndarray:
        plans = [json.loads(trial.system_attrs.get(RELATIVE, "{}")) for trial in trials]
        numbers = [[plan.get(name, np.nan) for name in self.space.names] for plan in plans]
        return np.array(numbers).reshape(-1, len(self.space.names))
