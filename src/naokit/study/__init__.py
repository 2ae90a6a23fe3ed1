"""A study: architectures, their evaluations and who proposes them, kept by Optuna.

    study.py       ask, evaluate, tell; corridor.py: as much at once as there are workers
    asking.py      what is evaluated next
    opening.py     a study made, or opened
    proposing.py   who proposes; optuna_method.py: one of Optuna's samplers as a method
    pruning.py     who stops early; stopping.py: what evaluations report, and their checkpoints
    rounds.py      several architectures before the first of them is evaluated
    ledger.py      what trials say, each read once
    claims.py      which process evaluates what
    abandoned.py   whose process is gone: liveness.py looks at it, heartbeat.py at signs of life
    evaluation.py  one evaluation of somebody's own code
    goals.py       objectives and limits; limits.py: the space within them
    standings.py   who leads
    course.py      what was best so far; course_figure.py: the same as a figure
    settings.py    what a study was made with; validation.py: whether all of it is whole
    storage.py     where studies lie; patience.py: a storage that is away for a while

Names are loaded when first used: goals and standings need no Optuna.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from naokit.study.corridor import Asked
    from naokit.study.opening import create_study, open_study
    from naokit.study.proposing import check_method, checked_prior
    from naokit.study.pruning import Pruner
    from naokit.study.study import Study

_HOMES = {
    "Asked": "corridor",
    "Pruner": "pruning",
    "Study": "study",
    "check_method": "proposing",
    "checked_prior": "proposing",
    "create_study": "opening",
    "open_study": "opening",
}

__all__ = [
    "Asked",
    "Pruner",
    "Study",
    "check_method",
    "checked_prior",
    "create_study",
    "open_study",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"naokit.study.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'naokit.study' has no attribute {name!r}")
