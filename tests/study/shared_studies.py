"""Small studies in a folder, as several processes share them."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import Study, create_study, liveness

SPACE = ConvCells.small(nodes=1)


def score(architecture: Architecture) -> float:
    return int(architecture.key[:6], 16) / 16**6


def study_in(folder: Path, space: Any = SPACE, **settings: Any) -> Study:
    settings = {"method": "evolution", "seed": 1, **settings}
    return create_study(space, storage=f"sqlite:///{folder}/s.db", name="s", **settings)


def study_of(folder: Path, name: str = "s", **settings: Any) -> Study:
    """A study of this name in a folder that is made with it."""
    settings = {"method": "evolution", "seed": 1, **settings}
    return create_study(SPACE, storage=f"sqlite:///{folder}/new/s.db", name=name, **settings)


def architectures(study: Study) -> list[Architecture]:
    return [trial.architecture for trial in study.trials]


def found(study: Study) -> list[tuple[str, float | None, str]]:
    return [(str(t.architecture), t.value, t.reason) for t in study.trials]


def states(study: Study) -> Counter[str]:
    return Counter(trial.state.name for trial in study.optuna.get_trials(deepcopy=False))


def as_another_process(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """What is asked for from now on seems asked by a process that has ended, or so."""
    worker = liveness._worker.__wrapped__(liveness.os.getpid()) | changes
    monkeypatch.setattr(liveness, "_worker", lambda process: worker)
