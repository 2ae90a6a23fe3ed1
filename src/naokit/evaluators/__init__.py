"""Architecture -> score: `Train` and `TrainText` from scratch, `Tabular` from known results."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from naokit.evaluators.tabular import Tabular
    from naokit.evaluators.train import Train, Training, TrainText

_HOMES = {"Tabular": "tabular", "Train": "train", "TrainText": "train", "Training": "train"}

__all__ = ["Tabular", "Train", "TrainText", "Training"]


def __getattr__(name: str) -> Any:
    """Loaded when first used: a look-up needs no torch."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"naokit.evaluators.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'naokit.evaluators' has no attribute {name!r}")
