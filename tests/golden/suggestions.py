"""The first suggestions of `NAOSampler` on three studies of Optuna, under fixed results.

mixed        conditional parameters of every kind; some trials fail, some are pruned
constrained  a constraint that holds the optimum, and three trials that run at a time
finite       two objectives on few enough assignments that each of them is scored
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import optuna
import scipy
from optuna.trial import FrozenTrial
from tests.golden.processor import processor

from naokit import NAOSampler

RECORDED = Path(__file__).with_name("suggestions.json")
SUGGESTIONS = 40


def machine() -> str:
    """What rounding may depend on."""
    return f"numpy {np.__version__}, scipy {scipy.__version__}, {processor()}"


def mixed() -> optuna.Study:
    """Floats, ints and choices, of which one decides what else is asked for."""

    def objective(trial: optuna.Trial) -> float:
        kind = trial.suggest_categorical("kind", [None, True, 3])
        loss = (math.log10(trial.suggest_float("rate", 1e-5, 1, log=True)) + 3) ** 2 / 4
        trial.report(loss, 1)
        if trial.number % 9 == 4:
            raise optuna.TrialPruned
        if kind is None:
            loss += 1 + trial.suggest_float("share", 0, 1)
        elif kind is True:
            loss += (trial.suggest_int("depth", 1, 21, step=2) - 7) ** 2 / 50
        else:
            loss += 0.5 + abs(trial.suggest_float("other", -1, 1, step=0.25))
        if trial.number % 7 == 6:
            raise ValueError
        return loss

    study = optuna.create_study(sampler=_sampler())
    study.optimize(objective, SUGGESTIONS, catch=ValueError)
    return study


def constrained() -> optuna.Study:
    """Three trials are asked for before the first of them is told."""
    study = optuna.create_study(sampler=_sampler(_constraints))
    asked: list[optuna.Trial] = []
    while len(study.trials) < SUGGESTIONS:
        trial = study.ask()
        x, y = trial.suggest_float("x", -1, 1), trial.suggest_float("y", -1, 1)
        steps = trial.suggest_int("steps", 1, 100, log=True)
        shift = trial.suggest_categorical("shift", ["none", "half"]) == "half"
        trial.set_user_attr("constraints", [x * x + y * y - 0.3, x - y - 0.5])
        trial.set_user_attr("value", x + y + shift / 2 + abs(math.log(steps / 10)))
        asked.append(trial)
        if len(asked) == 3:
            oldest = asked.pop(0)
            study.tell(oldest, oldest.user_attrs["value"])
    return study


def finite() -> optuna.Study:
    """Sixteen times nine assignments; the objectives are at odds."""

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        depth, width = trial.suggest_int("depth", 1, 16), trial.suggest_int("width", 8, 24, step=8)
        kind = ["a", "b", "c"].index(trial.suggest_categorical("kind", ["a", "b", "c"]))
        return (depth - 9) ** 2 + 3 * kind, depth * width / 8 - 5 * kind

    study = optuna.create_study(sampler=_sampler(), directions=["minimize", "minimize"])
    study.optimize(objective, SUGGESTIONS)
    return study


STUDIES: dict[str, Callable[[], optuna.Study]] = {
    "mixed": mixed,
    "constrained": constrained,
    "finite": finite,
}


def suggestions(name: str) -> list[str]:
    """What the sampler suggests in one of the studies, first to last, each as a short digest."""
    return [_digest(trial.params) for trial in STUDIES[name]().trials]


def _sampler(
    constraints: Callable[[FrozenTrial], Sequence[float]] | None = None,
) -> NAOSampler:
    return NAOSampler(seed=0, constraints_func=constraints, warn_independent_sampling=False)


def _constraints(trial: FrozenTrial) -> Sequence[float]:
    found: Sequence[float] = trial.user_attrs["constraints"]
    return found


def _digest(parameters: object) -> str:
    return hashlib.sha256(repr(parameters).encode()).hexdigest()[:8]
