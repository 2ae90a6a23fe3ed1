"""One study of a run: searched, then the best few evaluated again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from naokit.base import Weights
from naokit.doors import Evaluator, Trial, Workers
from naokit.runs.folder import OWN, STUDY
from naokit.space import Architecture, Space
from naokit.study import Asked, Study, create_study
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
    prior: Weights | None = None,
    pruner: str | None = None,
    epochs: int | None = None,
    start: Sequence[Architecture] = (),
    release: bool = False,
    workers: Workers | None = None,
    on_open: Callable[[Study], None] | None = None,
    on_begin: Callable[[Asked], None] | None = None,
    on_trial: Callable[[Study, Trial], None] | None = None,
    on_stage: Callable[[str], None] | None = None,
) -> Study:
    """Searches, then evaluates again what may be best; continues what the storage holds.

    An evaluator may keep a state in `folder`. No evaluation is started after `seconds`. `on_open`
    is called once the study is open and is known to be the one that is asked for. For `release` see
    `Study.release`, for `workers`, `on_begin` and `on_stage` `Study.optimize`.

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
        prior=prior,
        pruner=pruner,
    )
    with storage_errors(name):
        check_start(study.optuna, [str(architecture) for architecture in start])
    if on_open is not None:
        on_open(study)
    if release:
        study.release()
    study.enqueue(start)

    def told(trial: Trial) -> None:
        if on_trial is not None:
            on_trial(study, trial)

    study.optimize(
        evaluator,
        evaluations,
        seconds=seconds,
        on_begin=on_begin,
        on_trial=told,
        on_stage=on_stage,
        workers=workers,
        folder=folder,
        epochs=epochs,
    )
    left = None if seconds is None else seconds - (time.monotonic() - began)
    repeats = min(repeat, study.evaluations) * (times - 1)
    if repeats and (left is None or left > 0):
        study.decide(
            evaluator,
            repeats,
            seconds=left,
            on_begin=on_begin,
            on_trial=told,
            workers=workers,
            folder=folder,
        )
    return study


def train_best(
    study: Study,
    trainer: Evaluator,
    *,
    storage: str,
    best: int,
    times: int,
    objectives: Sequence[str] = (),
    limits: Sequence[str] = (),
    seconds: float | None = None,
    workers: Workers | None = None,
    on_begin: Callable[[Asked], None] | None = None,
    on_trial: Callable[[Study, Trial], None] | None = None,
) -> Study:
    """A study of the best few of a study, each trained by itself; what it holds is not made again.

    Args:
        study: The study whose best are meant.
        trainer: Trains an architecture by itself.
        storage: The address of the database.
        best: How many.
        times: How often each is trained.
        objectives: What is optimised; see `create_study`.
        limits: The bounds that must hold; see `create_study`.
        seconds: The time after which no training is begun.
        workers: Where trainings run. If None, in this process.
        on_begin: Is told of each training before it begins.
        on_trial: Is told of each training that ended.
    """
    began = time.monotonic()
    own = create_study(
        study.space,
        storage=storage,
        name=OWN,
        method="random",
        seed=study.seed,
        direction=trainer.direction,
        objectives=objectives,
        limits=limits,
    )
    known = {trial.architecture.key for trial in own.trials}
    leaders = [standing.architecture for standing in study.standings()[:best]]
    missing = [one for one in leaders if one.key not in known]

    def told(trial: Trial) -> None:
        if on_trial is not None:
            on_trial(own, trial)

    own.enqueue(missing)
    wanted = own.evaluations + len(missing)
    own.optimize(
        trainer, wanted, seconds=seconds, on_begin=on_begin, on_trial=told, workers=workers
    )
    if times > 1 and (seconds is None or time.monotonic() - began < seconds):
        own.repeat(
            trainer, best=best, times=times, on_begin=on_begin, on_trial=told, workers=workers
        )
    return own
