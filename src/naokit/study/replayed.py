"""Studies in memory, on which a sampler or a pruner of Optuna's is shown a history."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from functools import cache
from typing import Generic, TypeVar

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

NAME = "replayed"

T = TypeVar("T")


class Replay(Generic[T]):
    """A history that one study after another is shown; what was shown before is copied.

    Args:
        tell: Tells a study one part of the history.
    """

    def __init__(self, tell: Callable[[optuna.Study, T], None]) -> None:
        self._tell = tell
        self._shown: list[T] = []
        self._trials: list[FrozenTrial] = []  # of these, with what sampler and pruner noted

    def show(self, study: optuna.Study, history: Sequence[T]) -> optuna.Study:
        """The study, which had no trials, with the history."""
        if self._shown != list(history[: len(self._shown)]):
            self._shown, self._trials = [], []
        study.add_trials(self._trials)
        for one in history[len(self._shown) :]:
            self._tell(study, one)
        self._shown, self._trials = list(history), study.get_trials(deepcopy=False)
        return study


def empty_study(
    objectives: int = 1, *, sampler: BaseSampler | None = None, pruner: BasePruner | None = None
) -> optuna.Study:
    """A study without trials that nobody else has, all of its objectives to maximise."""
    storage = copy.deepcopy(_empty_storage(objectives))
    return optuna.load_study(study_name=NAME, storage=storage, sampler=sampler, pruner=pruner)


@cache
def _empty_storage(objectives: int) -> BaseStorage:
    """Made once, so that not every proposal writes a line into Optuna's log."""
    logger = logging.getLogger("optuna.storages")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        storage = InMemoryStorage()
        storage.create_new_study([StudyDirection.MAXIMIZE] * objectives, NAME)
    finally:
        logger.setLevel(before)
    return storage
