"""An empty study in memory, on which a sampler or a pruner of Optuna's is shown a history."""

from __future__ import annotations

import copy
import logging
from functools import cache

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.study import StudyDirection

NAME = "replayed"


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
