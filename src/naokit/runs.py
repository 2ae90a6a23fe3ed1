"""A run: one folder that holds a study, its winner trained, and the exported files.

    OUT/study.db         the evaluations: the study `search`, and `random` beside it
    OUT/settings.json    what was asked for, names resolved
    OUT/training/        checkpoints of the final training
    OUT/network/         the trained winner: safetensors + config, ONNX, network.py
    OUT/report.json      what was found

Every step continues where it was interrupted.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path

from naokit.base import Architecture, Evaluator, InputError, Json, Space, Trial
from naokit.files import read_json, write_json
from naokit.record import check_start
from naokit.storage import storage_errors
from naokit.study import Study, create_study

SETTINGS = "settings.json"
REPORT = "report.json"
STUDY = "search"
BASELINE = "random"


def search(
    space: Space,
    evaluator: Evaluator,
    *,
    storage: str,
    method: str,
    seed: int,
    evaluations: int,
    name: str = STUDY,
    repeat: int = 0,
    times: int = 1,
    seconds: float | None = None,
    objectives: Sequence[str] = (),
    limits: Sequence[str] = (),
    start: Sequence[Architecture] = (),
    on_begin: Callable[[], None] | None = None,
    on_trial: Callable[[Study, Trial], None] | None = None,
) -> Study:
    """Searches, then evaluates the best few again; continues what the storage holds.

    No evaluation is started after `seconds`. `on_begin` is called once the study is open and is
    known to be the one that is asked for.

    Raises:
        InputError: the study was begun with other settings, or from other architectures.
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
        on_begin()
    study.enqueue(start)

    def told(trial: Trial) -> None:
        if on_trial is not None:
            on_trial(study, trial)

    study.optimize(evaluator, evaluations, seconds=seconds, on_trial=told)
    for best, evaluated in product(range(1, repeat + 1), range(2, times + 1)):
        if seconds is not None and time.monotonic() - began > seconds:
            break
        study.repeat(evaluator, best=best, times=evaluated, on_trial=told)
    return study


def record_settings(out: Path, settings: Mapping[str, Json]) -> None:
    """Writes what was asked for; a run that is continued keeps what it was begun with."""
    if not (out / SETTINGS).exists():
        write_json(out / SETTINGS, dict(settings))


def read_settings(out: Path) -> dict[str, Json]:
    """What a run was asked for; raises InputError where there is no run."""
    if not (out / SETTINGS).exists():
        raise InputError(f"{out} is not a run: it has no {SETTINGS}; `naokit search` makes one")
    settings: dict[str, Json] = read_json(out / SETTINGS)
    return settings


def storage_of(out: Path) -> str:
    """Where a run's study lies; a file that is not where it was, after a move: in its folder."""
    storage: str = read_settings(out)["storage"]
    file = _file(storage)
    if file is None or file.exists() or not (out / file.name).exists():
        return storage
    return f"sqlite:///{out / file.name}"


def check_storage(out: Path, storage: str) -> None:
    """Raises InputError where the run in this folder, if there is one, has its study elsewhere."""
    if not (out / SETTINGS).exists():
        return
    there = storage_of(out)
    if there != storage and (_file(there) is None or _file(there) != _file(storage)):
        raise InputError(
            f"{out} is a run whose study lies in {there}, not in {storage}: give "
            f"--storage {there} to continue it, or another --out"
        )


def _file(storage: str) -> Path | None:
    """That of a SQLite address."""
    if not storage.startswith("sqlite:///"):
        return None
    return Path(storage.removeprefix("sqlite:///")).resolve()


def as_json(value: object) -> Json:
    """A dataclass as a JSON object."""
    assert dataclasses.is_dataclass(value)
    assert not isinstance(value, type)
    return dataclasses.asdict(value)
