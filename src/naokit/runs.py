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
import difflib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from naokit.base import Architecture, Evaluator, InputError, Json, Space, Trial
from naokit.files import read_json, write_json
from naokit.study import Study, create_study

SETTINGS = "settings.json"
REPORT = "report.json"
STUDY = "search"
BASELINE = "random"


@dataclass(frozen=True)
class Preset:
    """How a search is run; `recipe` says how each network is trained.

    Attributes:
        name: of the preset.
        evaluations: how many architectures are trained.
        recipe: of each evaluation.
        channels: F of each evaluation.
        cells: N of each evaluation.
        repeat: how many of the best are evaluated again before one is called best.
        times: how often each of these is evaluated in all.
        baseline: whether random search gets as many evaluations on the same data.
        final_recipe: of the winner.
        final_channels: F of the winner.
        final_cells: N of the winner.
    """

    name: str
    evaluations: int
    recipe: str
    channels: int
    cells: int
    repeat: int
    times: int
    baseline: bool
    final_recipe: str
    final_channels: int
    final_cells: int


_PRESETS = (
    Preset("quick", 20, "quick", 8, 1, 3, 3, True, "quick-final", 16, 1),
    Preset("small", 20, "small", 8, 1, 3, 2, False, "small-final", 16, 1),
    # Section 2: 1,000 evaluations at N=3, F=32, 25 epochs; section 4: the winner at N=6, F=128.
    Preset("paper", 1000, "search-2018", 32, 3, 1, 1, False, "cifar10-2018", 128, 6),
)
PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _PRESETS}


def preset(name: str) -> Preset:
    """The preset of a name; raises InputError with the nearest names."""
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=3, cutoff=0.4) or list(PRESETS)
        raise InputError(f"there is no preset {name!r}; did you mean {' or '.join(near)}?")
    return PRESETS[name]


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
    on_trial: Callable[[Study, Trial], None] | None = None,
) -> Study:
    """Searches, then evaluates the best few again; continues what the storage holds.

    No evaluation is started after `seconds`.
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


def as_json(value: object) -> Json:
    """A dataclass as a JSON object."""
    assert dataclasses.is_dataclass(value)
    assert not isinstance(value, type)
    return dataclasses.asdict(value)
