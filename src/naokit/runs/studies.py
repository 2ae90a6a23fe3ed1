"""One study of a run: searched, then the best few evaluated again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

from naokit.base import Architecture, Evaluator, Space, Trial
from naokit.runs.folder import STUDY
from naokit.study import Study, create_study
from naokit.study.settings import check_start
from naokit.study.storage import storage_errors


def search_study(
    space: Space,
    evaluator: Evaluator,
    *,
    storage: str,
    method: str,
    seed: int,
    evaluations: int,
    name: str = STUDY,
    folder: Path | None = None,
    repeat: int = 0,
    times: int = 1,
    seconds: float | None = None,
    objectives: Sequence[str] = (),
    limits: Sequence[str] = (),
    start: Sequence[Architecture] = (),
    release: bool = False,
    on_begin: Callable[[Study], None] | None = None,
    on_trial: Callable[[Study, Trial], None] | None = None,
) -> Study:
    """Searches, then evaluates the best few again; continues what the storage holds.

    An evaluator may keep a state in `folder`. No evaluation is started after `seconds`. `on_begin`
    is called once the study is open and is known to be the one that is asked for. For `release` see
    `Study.release`.

    Raises:
        InputError: The study was begun with other settings, or from other architectures.
    """
    began = time.monotonic()
    study = create_study(
        space,
        storage=storage,
        name=name,
        method=method,
        seed=seed,
        direction=evaluator.direction,
        objectives=objectives,
        limits=limits,
    )
    with storage_errors(name):
        check_start(study.optuna, [str(architecture) for architecture in start])
    if on_begin is not None:
        on_begin(study)
    if release:
        study.release()
    study.enqueue(start)

    def told(trial: Trial) -> None:
        if on_trial is not None:
            on_trial(study, trial)

    study.optimize(evaluator, evaluations, seconds=seconds, on_trial=told, folder=folder)
    for best, evaluated in product(range(1, repeat + 1), range(2, times + 1)):
        if seconds is not None and time.monotonic() - began > seconds:
            break
        study.repeat(evaluator, best=best, times=evaluated, on_trial=told, folder=folder)
    return study
