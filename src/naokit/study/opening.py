"""Creates a study, opens one to continue it, or opens one to read it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import cast

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.pruners import BasePruner
from optuna.storages import BaseStorage

from naokit.base import Direction, InputError, Json, Weights, unexpected, whole_number
from naokit.space import Space
from naokit.study.goals import Goals
from naokit.study.patience import Patient
from naokit.study.proposing import AnyMethod, checked_prior, factory_of, name_of
from naokit.study.pruning import Pruner, pruner_of
from naokit.study.settings import (
    FORMAT,
    await_settings,
    check_settings,
    name_objectives,
)
from naokit.study.storage import (
    damage,
    file_of,
    open_for_reading,
    open_storage,
    shown,
    storage_errors,
)
from naokit.study.stored import SETTINGS, Stored
from naokit.study.study import Study
from naokit.study.validation import check_intact

LOOK = 2.0
"""Seconds between two looks for a study that is waited for."""


def create_study(
    space: Space,
    *,
    storage: str | None = None,
    name: str = "naokit",
    method: AnyMethod = "nao",
    seed: int = 0,
    evaluations: int | None = None,
    direction: Direction = "maximize",
    objectives: Sequence[str] = (),
    limits: Sequence[str] = (),
    prior: Weights | None = None,
    pruner: str | BasePruner | Pruner | None = None,
) -> Study:
    """Creates a study, or continues the one of this name in the storage.

    Args:
        space: The space that is searched.
        storage: The URL of a database as Optuna takes it (`sqlite:///cells.db`). If None, memory.
        name: The name of the study in the storage.
        method: Who proposes: a name (see docs/methods.md), a `Method`, a function `(space, seed,
            evaluations)` that makes one, or a sampler of Optuna's.
        seed: The seed of proposals and evaluations.
        evaluations: The budget that the method plans for. If None, the budget of the first call to
            `optimize`.
        direction: Whether the value is maximised or minimised.
        objectives: If there are several: a name for the value, then names of metrics, with
            `:minimize` or `:maximize` (`["accuracy", "latency:minimize"]`); see `Study.front`.
        limits: Bounds on metrics of a result or of an architecture (`["parameters<=3e6"]`).
        prior: What you believe is good, as weights on choices (`{"width": {"64": 3}}`). What is not
            named weighs 1. `nao` counts it less with every result.
        pruner: Who stops unpromising evaluations early, of evaluators that report their epochs:
            "asha" (asynchronous successive halving, the only one that lets stopped ones go on
            later), "median", "hyperband", "successive-halving", a pruner of Optuna's, or a
            `naokit.study.Pruner`. If None, none is stopped and no epoch is kept.

    Raises:
        InputError: The stored study has another space or setting, or cannot be opened; or the prior
            is none for this space or method.
    """
    if not isinstance(space, Space):
        raise unexpected("space", space, "a naokit.Space, such as naokit.spaces.load('conv-small')")
    seed = whole_number("seed", seed)
    if evaluations is not None:
        evaluations = whole_number("evaluations", evaluations, least=0)
    goals = Goals.of(direction, objectives, limits)
    if pruner is not None and len(goals.objectives) > 1:
        raise InputError(
            "`pruner` stops evaluations by one value: leave it out where there are several "
            "objectives"
        )
    chosen = None if pruner is None else pruner_of(pruner)
    wanted = {
        "format": FORMAT,
        "space": dict(space.settings()),
        "method": name_of(method),
        "seed": seed,
        "direction": direction,
        "goals": goals.to_json() if objectives or limits else None,
        "prior": None if prior is None else checked_prior(space, method, prior),
        "pruner": None if pruner is None else name_of(pruner),
    }
    factory_of(method)  # a wrong name fails before anything is written
    place = storage and shown(storage)
    with storage_errors(place), damage(place):
        database = cast(BaseStorage, Patient(open_storage(storage)))
        try:
            directions = [objective.direction for objective in goals.objectives]
            study = optuna.create_study(storage=database, study_name=name, directions=directions)
            study.set_user_attr(SETTINGS, wanted | {"evaluations": evaluations, "evaluator": None})
            name_objectives(
                Stored(study, database), [objective.name for objective in goals.objectives]
            )
        except DuplicatedStudyError:
            study = optuna.load_study(storage=database, study_name=name)
            await_settings(study)
            check_settings(study, wanted)
            check_intact(study, space)
        return Study(space, Stored(study, database), method, pruner=chosen)


def open_study(space: Space, storage: str, name: str) -> Study:
    """Opens a stored study for reading: nothing is made, compared or released.

    Raises:
        InputError: There is no study of this name.
    """
    with storage_errors(shown(storage)), damage(shown(storage)):
        try:
            database = open_for_reading(storage)
            study = optuna.load_study(storage=database, study_name=name)
        except KeyError:
            raise InputError(f"{shown(storage)} holds no study named {name}") from None
        if SETTINGS not in study.user_attrs:
            raise InputError(f"the study {name} in {shown(storage)} was not made by naokit")
        check_intact(study, space)
        return Study(
            space, Stored(study, database), study.user_attrs[SETTINGS]["method"], reading=True
        )


def awaited(
    storage: str, name: str, attribute: str, *, seconds: float, on_wait: Callable[[], None]
) -> dict[str, Json] | None:
    """The attributes of a stored study, once one of this name is there; None if none comes.

    Args:
        storage: The address of the storage.
        name: The name of the study.
        attribute: The attribute that is waited for.
        seconds: How long it is waited for.
        on_wait: Called once, where it is not there yet.

    Raises:
        InputError: The storage cannot be opened; a file that is not there is not made.
    """
    file = file_of(storage)
    if file is not None and not file.exists():
        raise InputError(f"there is no study at {file}")
    with storage_errors(shown(storage)), damage(shown(storage)):
        database = cast(BaseStorage, Patient(open_storage(storage)))
        ends, waits = time.monotonic() + seconds, False
        while True:
            with suppress(KeyError):
                found = optuna.load_study(storage=database, study_name=name).user_attrs
                if attribute in found:
                    return dict(found)
            if time.monotonic() > ends:
                return None
            if not waits:
                on_wait()
            waits = True
            time.sleep(LOOK)
