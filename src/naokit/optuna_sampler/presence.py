"""Which parameters an objective asks for. This is learnt from the trials, because nothing says so.

    kind = "tree"  ──>  depth is asked for, momentum is not

For each parameter, in the order in which they are asked for, a decision tree on the parameters
before it predicts whether it is. Without this, candidates would have values where no trial has any.

Shapes: N rows, P parameters, n trials.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from naokit.optuna_sampler.parameters import Category, ParameterSpace

ADDED = 5
"""A parameter counts as added to the objective if at least this many complete trials lacked it and
all since, at least as many, had it. The trials before say nothing about when it is asked for. A
conditional parameter that is mistaken for an added one costs one trial, which lacks it."""

OUTSIDE = -1.0
"""The number that a tree sees in place of a missing one."""


class Presence:
    """Predicts which parameters will be asked for.

    Args:
        space: The space of the parameters, in the order in which they are asked for.
        known: The rows of complete trials in order, with NaN for what was not asked for, (n, P).

    Attributes:
        conditional: The places of the parameters that some trials asked for and some did not.
    """

    def __init__(self, space: ParameterSpace, known: np.ndarray) -> None:
        self.space = space
        asked = ~np.isnan(known)
        self.conditional = [
            place
            for place, column in enumerate(asked.T)
            if column.any() and not column.all() and not _was_added(column)
        ]
        self._rules = {
            place: self._rule(known[:, :place], asked[:, place])
            for place in self.conditional
            if place > 0
        }

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The rows (N, P) with NaN for what will not be asked for."""
        settled = rows.copy()
        for place, rule in self._rules.items():
            settled[~rule(self._described(settled[:, :place])), place] = np.nan
        return settled

    def _rule(self, before: np.ndarray, asked: np.ndarray) -> _Rule:
        """The rule that predicts whether a parameter is asked for.

        A continuous value easily separates a few trials by chance. So these columns are used only
        where the others do not suffice.
        """
        described, discrete = self._described(before), self._discrete(before.shape[1])
        if discrete.any():
            rule = _Rule(np.flatnonzero(discrete), described, asked)
            if np.array_equal(rule(described), asked):
                return rule
        return _Rule(np.arange(len(discrete)), described, asked)

    def _described(self, rows: np.ndarray) -> np.ndarray:
        """One column for each choice, and one for each ordered parameter."""
        columns = []
        for column, parameter in zip(rows.T, self.space.parameters, strict=False):
            if isinstance(parameter, Category):
                columns.append(column[:, None] == parameter.everything())
            else:
                columns.append(np.nan_to_num(column, nan=OUTSIDE)[:, None])
        return np.concatenate(columns, axis=1)

    def _discrete(self, places: int) -> np.ndarray:
        """Which columns of the description come from finite parameters."""
        widths = [
            [parameter.levels is not None]
            * (parameter.levels if isinstance(parameter, Category) else 1)
            for parameter in self.space.parameters[:places]
        ]
        return np.concatenate(widths)


class _Rule:
    """A decision tree on some columns of a description.

    Args:
        columns: The columns that it uses.
        described: The descriptions of the trials it learns from, (n, columns).
        asked: Whether these trials asked for the parameter, (n,).
    """

    def __init__(self, columns: np.ndarray, described: np.ndarray, asked: np.ndarray) -> None:
        from sklearn.tree import DecisionTreeClassifier  # a second: only where it is needed

        self.columns = columns
        fitted = DecisionTreeClassifier(random_state=0).fit(described[:, columns], asked)
        self.tree: Any = fitted.tree_
        # Trials with equal descriptions may differ: one ended early, or the objective has changed.
        self.answers = self.tree.value[:, 0, 1] > 0

    def __call__(self, described: np.ndarray) -> np.ndarray:
        """Whether the parameter is asked for, (N,).

        `predict` would check its input, which takes ten times as long.
        """
        leaves = self.tree.apply(described[:, self.columns].astype(np.float32))
        answers: np.ndarray = self.answers[leaves]
        return answers


def _was_added(asked: np.ndarray) -> bool:
    """Whether a parameter was added later, given which complete trials asked for it, (n,)."""
    before = int(asked.argmax())
    return ADDED <= before <= len(asked) - ADDED and bool(asked[before:].all())
