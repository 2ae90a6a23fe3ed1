"""Which parameters an objective asks for: learnt from the trials, because nothing says so.

    kind = "tree"  ──>  depth is asked for, momentum is not

Parameter by parameter, in the order in which they are asked for, a decision tree tells from those
before it whether it is. Without this every candidate would have values where every trial has none.

Shapes: N rows, P parameters, n trials.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from naokit.optuna_sampler.parameters import Category, ParameterSpace

ADDED = 5
"""A parameter that so many complete trials lacked and all since, as many at least, had was added to
the objective: those before say nothing of when it is asked for. A conditional one that is mistaken
for such costs one trial, which lacks it."""

OUTSIDE = -1.0
"""What a tree sees in place of a missing number."""


class Presence:
    """What will be asked for.

    Args:
        space: of the parameters, in the order in which they are asked for.
        known: rows of complete trials in order, NaN for what was not asked for, (n, P).

    Attributes:
        conditional: the places of the parameters that some trials asked for and some did not.
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
        """What tells whether a parameter is asked for.

        Few trials are easily told apart by a continuous value, by chance: these columns are looked
        at only where the others do not tell.
        """
        described, discrete = self._described(before), self._discrete(before.shape[1])
        if discrete.any():
            rule = _Rule(np.flatnonzero(discrete), described, asked)
            if np.array_equal(rule(described), asked):
                return rule
        return _Rule(np.arange(len(discrete)), described, asked)

    def _described(self, rows: np.ndarray) -> np.ndarray:
        """One column a choice, one an ordered parameter."""
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
        columns: that it looks at.
        described: what it learns from, (n, columns).
        asked: what it learns, (n,).
    """

    def __init__(self, columns: np.ndarray, described: np.ndarray, asked: np.ndarray) -> None:
        from sklearn.tree import DecisionTreeClassifier  # a second: only where it is needed

        self.columns = columns
        fitted = DecisionTreeClassifier(random_state=0).fit(described[:, columns], asked)
        self.tree: Any = fitted.tree_
        # Equal trials that differ: one of them ended early, or the objective has changed since.
        self.answers = self.tree.value[:, 0, 1] > 0

    def __call__(self, described: np.ndarray) -> np.ndarray:
        """Whether it is asked for, (N,). `predict` would check its input for ten times as long."""
        leaves = self.tree.apply(described[:, self.columns].astype(np.float32))
        answers: np.ndarray = self.answers[leaves]
        return answers


def _was_added(asked: np.ndarray) -> bool:
    """Whether the objective got a parameter that complete trials in order asked for so, (n,)."""
    before = int(asked.argmax())
    return ADDED <= before <= len(asked) - ADDED and bool(asked[before:].all())
