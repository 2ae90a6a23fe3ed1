"""Architecture -> score: `Train` and `TrainText` from scratch, `Tabular` from known results."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from naokit.base import InputError, Json
from naokit.doors import Evaluator

if TYPE_CHECKING:
    from naokit.evaluators.supernet import Supernet
    from naokit.evaluators.tabular import Tabular
    from naokit.evaluators.train import Train, Training, TrainText

_HOMES = {
    "Tabular": "tabular",
    "Train": "train",
    "TrainText": "train",
    "Training": "train",
    "Supernet": "supernet",
}

_MADE_OF = {"supernet": "Supernet", "tabular": "Tabular", "train": "Training"}
"""The class of what `settings()` call the evaluator."""

__all__ = ["Supernet", "Tabular", "Train", "TrainText", "Training", "from_settings"]


def __getattr__(name: str) -> Any:
    """Loads names when they are first used, because a look-up in a table needs no torch."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"naokit.evaluators.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'naokit.evaluators' has no attribute {name!r}")


def from_settings(settings: Mapping[str, Json]) -> Evaluator:
    """The evaluator that `evaluator.settings()` describe; its data are read from their source.

    Raises:
        InputError: The settings name no source, or what is there now is not what it was.
    """
    name = settings.get("evaluator")
    if name not in _MADE_OF or not settings.get("source"):
        raise InputError(
            f"the evaluator {name} cannot be made again: its settings do not say where its data "
            "come from; make it as it was made at first"
        )
    found: Evaluator = __getattr__(_MADE_OF[name]).from_settings(settings)
    for key, value in settings.items():
        if key != "source" and found.settings().get(key) != value:
            raise InputError(
                f"the evaluator {name} is not what it was: {key} was {value}, now it is "
                f"{found.settings().get(key)}; restore {settings['source']}"
            )
    return found
