"""A run: one folder that holds a study, its winner trained, and the exported files.

    OUT/study.db         the evaluations: the study `search`; `random` or `own` beside it
    OUT/settings.json    what was asked for, names resolved
    OUT/run.yaml         the options as they were given, for `naokit search --config`
    OUT/supernet/        the shared network, where evaluations share weights
    OUT/inherited/       the winner with the shared weights, where its final training begins so
    OUT/training/        checkpoints of the final training
    OUT/network/         the trained winner: safetensors + config, ONNX, network.py
    OUT/report.json      what was found
    OUT/report.html      the same as a page
    OUT/drawings/        the architectures as optuna-dashboard shows them, where that was asked for

Every step continues where it was interrupted.
"""

from __future__ import annotations

import os
from pathlib import Path

SETTINGS = "settings.json"
REPORT = "report.json"
TRAINING = "training"
NETWORK = "network"
DRAWINGS = "drawings"
STUDY = "search"
BASELINE = "random"
OWN = "own"
"""The study of the best few of a search by weight sharing, trained by themselves."""
INHERITED = "inherited"
LOCK = "lock"
"""The file that whoever trains the winner holds locked."""
PLAN = "plan"
"""The study's attribute that holds the plan."""


def is_run(folder: Path) -> bool:
    """Whether a run was begun in a folder."""
    return os.path.exists(folder / SETTINGS)  # noqa: PTH110 - no error for what can be no path
