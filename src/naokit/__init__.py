"""naokit: Neural Architecture Optimization, from a search space to a verified network.

Names are loaded when first used, so that importing naokit loads neither torch nor optuna.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from naokit.version import __version__ as __version__

if TYPE_CHECKING:
    from naokit import evaluators, export, spaces, workers
    from naokit.base import EvaluationFailed, InputError
    from naokit.doors import Evaluator, Method, Observation, Reporter, Result, Trial
    from naokit.images.pretrained import Pretrained
    from naokit.kinds import build, load
    from naokit.optuna_sampler import NAOSampler
    from naokit.settings import ImageSettings
    from naokit.space import Architecture, Space
    from naokit.study import Study, create_study

_HOMES = {
    "Architecture": "naokit.space",
    "EvaluationFailed": "naokit.base",
    "Evaluator": "naokit.doors",
    "ImageSettings": "naokit.settings",
    "InputError": "naokit.base",
    "Method": "naokit.doors",
    "Observation": "naokit.doors",
    "Reporter": "naokit.doors",
    "Result": "naokit.doors",
    "Space": "naokit.space",
    "Trial": "naokit.doors",
    "build": "naokit.kinds",
    "load": "naokit.kinds",
    "NAOSampler": "naokit.optuna_sampler",
    "Pretrained": "naokit.images.pretrained",
    "Study": "naokit.study",
    "create_study": "naokit.study",
}
_ROOMS = ("evaluators", "export", "spaces", "workers")

__all__ = [
    "Architecture",
    "EvaluationFailed",
    "Evaluator",
    "ImageSettings",
    "InputError",
    "Method",
    "NAOSampler",
    "Observation",
    "Pretrained",
    "Reporter",
    "Result",
    "Space",
    "Study",
    "Trial",
    "build",
    "create_study",
    "evaluators",
    "export",
    "load",
    "spaces",
    "workers",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"naokit.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'naokit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
