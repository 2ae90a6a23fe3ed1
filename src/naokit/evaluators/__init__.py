"""Architecture -> score: `Train` from scratch, `Tabular` from known results."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from naokit.evaluators.tabular import Tabular
    from naokit.evaluators.train import Train

__all__ = ["Tabular", "Train"]


def __getattr__(name: str) -> Any:
    """Loaded when first used: a look-up needs no torch."""
    if name in __all__:
        return getattr(importlib.import_module(f"naokit.evaluators.{name.lower()}"), name)
    raise AttributeError(f"module 'naokit.evaluators' has no attribute {name!r}")
