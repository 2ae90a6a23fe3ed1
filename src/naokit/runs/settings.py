"""What a run was asked for, in `settings.json` and in its study: written, read and checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from naokit.base import InputError, Json
from naokit.files import read_json, write_json
from naokit.runs.folder import PLAN, SETTINGS, is_run
from naokit.runs.plan import FinalTraining, Plan
from naokit.space import Space
from naokit.spaces import from_settings
from naokit.study import Study
from naokit.study.storage import check_own, file_of, moved, same_place, shown


class _Space(BaseModel):
    space: str
    nodes: int | None = Field(None, ge=1, le=1000)
    source: str | None = None


class _Preset(BaseModel):
    final_recipe: str
    final_channels: int | None = None
    final_cells: int | None = None
    final_hidden: int | None = None


class _Final(BaseModel):
    recipe: str
    size: dict[str, int]
    epochs: int | None = None


class _Settings(BaseModel):
    """What is read of a run's settings."""

    storage: str
    space: _Space
    final: _Final | None = None
    data: str | None = None
    image_size: int | None = None
    skip_bad: bool = False
    tokens: str | None = None
    preset: _Preset | None = None


def record_plan(plan: Plan, out: Path, study: Study, storage: str) -> None:
    """Keeps a plan in the run's folder and in its study.

    Of a run that goes on that is the newest one, as it may ask for more evaluations; what may not
    differ was refused already. Where data lie stays as it was when the run began.
    """
    found = plan.to_json()
    if _without_source(study.optuna.user_attrs.get(PLAN, {})) != _without_source(found):
        study.optuna.set_user_attr(PLAN, found)
    recorded = read_json(out / SETTINGS) if is_run(out) else {}
    if _without_source({name: recorded.get(name) for name in found}) != _without_source(found):
        source = dict(plan.evaluator.get("source") or {})
        data = {"data": source.pop("source"), **source} if "reads" in source else {}
        write_json(
            out / SETTINGS, {"command": "search", **data, "storage": shown(storage), **found}
        )


def _without_source(plan: Mapping[str, Json]) -> dict[str, Json]:
    """A plan as JSON without the place of its data, which may move."""
    return {**plan, "evaluator": {**(plan.get("evaluator") or {}), "source": None}}


def recorded_final(settings: Mapping[str, Json]) -> FinalTraining | None:
    """The final training of a run; an earlier naokit recorded the preset instead of a plan."""
    if settings.get("final") is not None:
        return FinalTraining(**settings["final"])
    if not (preset := settings.get("preset")):
        return None
    final = {n.removeprefix("final_"): v for n, v in preset.items() if n.startswith("final_")}
    return FinalTraining(final.pop("recipe"), epochs=final.pop("epochs", None), size=final)


def read_settings(out: Path) -> dict[str, Json]:
    """What a run was asked for; raises InputError where there is no run."""
    if not is_run(out):
        raise InputError(f"{out} is not a run: it has no {SETTINGS}; `naokit search` makes one")
    settings: dict[str, Json] = read_json(out / SETTINGS)
    try:
        _Settings.model_validate(settings, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "what it holds"
        raise InputError(
            f"{out / SETTINGS} is damaged: {where}: {first['msg']}; restore a copy of the file"
        ) from error
    return settings


def space_of(out: Path, settings: Mapping[str, Json]) -> Space:
    """The space of a run; that of a table needs no table to be read."""
    try:
        return from_settings(settings["space"])
    except InputError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"{out / SETTINGS} is damaged: space: {error}; restore a copy of the file"
        ) from error


def storage_of(out: Path, given: str | None = None) -> str:
    """The address of a run's study, for reading: a file in its folder, or what the reader gave.

    Raises:
        InputError: Its settings name another place, which is opened only where the reader gives it:
            a stranger's settings may name any.
    """
    if given is not None:
        return given
    recorded = read_settings(out)["storage"]
    own = _own_file(out, recorded)
    if own is None:
        raise InputError(
            f"the study of {out} is not in that folder, and another place that {SETTINGS} names is "
            f"opened only where you name it: give `storage={shown(recorded)}`, as show, train, "
            "transfer and profile take it"
        )
    check_own(own)
    return moved(recorded, own)


def check_storage(out: Path, storage: str) -> None:
    """Raises InputError where the run in this folder, if there is one, has its study elsewhere."""
    file = file_of(storage)
    if file is not None and file.parent == out:
        check_own(file)
    if not is_run(out):
        return
    recorded = read_settings(out)["storage"]
    own = _own_file(out, recorded)
    there = recorded if own is None else moved(recorded, own)
    if not same_place(there, storage) and not same_place(recorded, storage):
        raise InputError(
            f"{out} is a run whose study lies in {shown(there)}, not in {shown(storage)}: give "
            f"`storage={shown(there)}` to continue it, or another `out`"
        )


def _own_file(out: Path, recorded: str) -> Path | None:
    """The file of a run's study in its folder, wherever that was when the study was begun."""
    file = file_of(recorded)
    own = None if file is None else out / file.name
    return own if own is not None and os.path.lexists(own) else None
