"""Checks all that a study stores when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import optuna
from optuna.trial import TrialState
from pydantic import BaseModel, TypeAdapter

from naokit.base import InputError, Json
from naokit.space import Space
from naokit.study.goals import Goals
from naokit.study.ledger import ARCHITECTURE, OUTCOME, WORKER, described_in, stopped
from naokit.study.settings import START
from naokit.study.stored import SETTINGS


class _Goals(BaseModel):
    objectives: list[str]
    limits: list[str]


class _StudySettings(BaseModel):
    format: int
    space: dict[str, Any]
    method: str
    seed: int
    direction: Literal["maximize", "minimize"]
    goals: _Goals | None = None
    prior: dict[str, dict[str, float]] | None = None
    pruner: str | None = None
    evaluations: int | None
    evaluator: dict[str, Any] | None


class _Worker(BaseModel):
    host: str
    process: int
    started: float
    ticks: int = 0
    boot: str = ""
    namespace: str = ""


class _Described(BaseModel):
    choices: list[int]
    values: dict[str, float]


class _Architecture(BaseModel):
    text: str
    choices: list[int]
    origin: str
    worker: _Worker
    model: dict[str, float] = {}
    proposing: float = 0.0
    round: int = 0
    described: list[_Described] = []


class _Outcome(BaseModel):
    values: list[float] = []
    reason: str = ""
    metrics: dict[str, float] = {}
    seconds: float = 0.0
    stopped: int = 0


_STUDY: Mapping[str, TypeAdapter[Any]] = {
    SETTINGS: TypeAdapter(_StudySettings),
    START: TypeAdapter(list[str]),
    "environments": TypeAdapter(list[dict[str, Any]]),
}
_TRIAL: Mapping[str, TypeAdapter[Any]] = {
    ARCHITECTURE: TypeAdapter(_Architecture),
    OUTCOME: TypeAdapter(_Outcome),
    WORKER: TypeAdapter(_Worker),
}
"""The types of the attributes of a study and of its trials."""
_VALUES = TypeAdapter(list[float])


def check_intact(study: optuna.Study, space: Space) -> None:
    """Checks every attribute and every architecture of a study.

    Raises:
        ValueError: A value is not what it should be; the message says which.
    """
    attributes = study.user_attrs
    _check(_STUDY, attributes)
    recorded = attributes[SETTINGS]
    texts = recorded.get("goals") or {"objectives": (), "limits": ()}
    try:
        Goals.of(recorded["direction"], texts["objectives"], texts["limits"])
        for trial in study.get_trials(deepcopy=False):
            _check(_TRIAL, trial.user_attrs)
            if ARCHITECTURE in trial.user_attrs:
                for row in (trial.user_attrs[ARCHITECTURE], *described_in(trial)):
                    space.architecture(row["choices"])
            if trial.state == TrialState.COMPLETE:
                _VALUES.validate_python(trial.values, strict=True)
                if len(trial.values) != len(study.directions):
                    raise ValueError(f"trial {trial.number} has {len(trial.values)} values")
            if stopped(trial) and stopped(trial) not in trial.intermediate_values:
                raise ValueError(f"trial {trial.number} reported nothing where it was stopped")
    except InputError as error:  # its line would not say where
        raise ValueError(str(error)) from error


def _check(kinds: Mapping[str, TypeAdapter[Any]], attributes: Mapping[str, Json]) -> None:
    for name, kind in kinds.items():
        if name in attributes:
            kind.validate_python(attributes[name], strict=True)
