"""Which parameters an objective asks for."""

from collections.abc import Callable

import numpy as np
import optuna
from optuna.samplers import RandomSampler

from naokit.optuna_sampler.parameters import ParameterSpace, union
from naokit.optuna_sampler.presence import Presence


def trials_of(objective: Callable[[optuna.Trial], float], amount: int) -> list:
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    study.optimize(objective, n_trials=amount)
    return study.trials


def test_what_will_be_asked_for_is_learnt() -> None:
    def nested(trial: optuna.Trial) -> float:
        loss = 0.0
        for layer in range(trial.suggest_int("layers", 1, 3)):
            if trial.suggest_categorical(f"kind_{layer}", ["dense", "drop"]) == "drop":
                loss += trial.suggest_float(f"share_{layer}", 0, 1)
        return loss

    trials = trials_of(nested, 40)
    space = ParameterSpace(union(trials))
    presence = Presence(space, space.encode([trial.params for trial in trials]))
    asked = {}

    def told(trial: optuna.trial.FixedTrial) -> set[str]:
        nested(trial)
        return set(trial.params)

    for row in space.draw(np.random.default_rng(1), 60):
        (settled,) = presence(row[None])
        foretold = {
            name for name, number in zip(space.names, settled, strict=True) if number == number
        }
        asked[row.tobytes()] = foretold == told(optuna.trial.FixedTrial(space.decode(row)))
    assert all(asked.values())
