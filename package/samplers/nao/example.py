"""Thirty trials of an objective whose parameters depend on each other."""

import optuna
import optunahub


def objective(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("rate", 1e-5, 1, log=True)
    model = trial.suggest_categorical("model", ["linear", "forest"])
    if model == "forest":
        return (rate - 0.01) ** 2 + 1 / trial.suggest_int("depth", 1, 12)
    return (rate - 0.001) ** 2 + 0.2


if __name__ == "__main__":
    sampler = optunahub.load_module("samplers/nao").NAOSampler(seed=0)
    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=30)
    print(study.best_params, study.best_value)
