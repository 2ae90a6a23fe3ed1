"""`NAOSampler` against Optuna's own samplers on small functions, seeds alike.

    python -m benchmarks.optuna_sampler

Five objectives as users write them, 60 trials each: conditional parameters, six floats some of them
on a log scale, integers, categorical choices that interact, and two objectives at once. What counts
is the best value found (lower is better), for the two objectives the hypervolume (higher is
better). Every sampler has its defaults. NAOSampler's kernel, noise, targets and acquisition were
chosen on these functions with seeds 0 to 9; here are seeds 100 and up.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import torch
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.study import StudyDirection

from benchmarks.record import write
from naokit.optuna_sampler import NAOSampler

SEEDS, TRIALS = range(100, 110), 60

SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "random": lambda seed: RandomSampler(seed=seed),
    "tpe": lambda seed: TPESampler(seed=seed),
    "gp": lambda seed: GPSampler(seed=seed, warn_independent_sampling=False),
    "nao": lambda seed: NAOSampler(seed=seed, warn_independent_sampling=False),
}

_TABLE = np.random.default_rng(0).standard_normal((6, 6, 4, 4))
"""The cost of every pair of choices."""


def conditional(trial: optuna.Trial) -> float:
    """A choice of three learners, each with parameters of its own; the best value is 0."""
    learner = trial.suggest_categorical("learner", ["linear", "forest", "network"])
    loss = 0.3 * (math.log10(trial.suggest_float("fraction", 0.01, 1, log=True)) + 0.5) ** 2
    if learner == "linear":
        return loss + 0.5 + 0.1 * abs(math.log10(trial.suggest_float("ridge", 1e-6, 10, log=True)))
    if learner == "forest":
        depth, trees = (
            trial.suggest_int("depth", 1, 20),
            trial.suggest_int("trees", 10, 500, log=True),
        )
        return loss + 0.2 + abs(depth - 12) / 20 + 0.1 * math.log(500 / trees)
    rate = trial.suggest_float("rate", 1e-5, 1, log=True)
    layers = trial.suggest_int("layers", 1, 3)
    widths = [trial.suggest_int(f"width_{layer}", 16, 256, step=16) for layer in range(layers)]
    narrow = statistics.fmean(abs(width - 128) / 256 for width in widths)
    return loss + 0.2 * (math.log10(rate) + 3) ** 2 + 0.2 * abs(layers - 2) + narrow


def floats(trial: optuna.Trial) -> float:
    """Six floats of unequal weight, three on a log scale, in one valley; the best value is 0."""
    logs = [math.log10(trial.suggest_float(f"log_{i}", 1e-6, 1, log=True)) / 6 for i in range(3)]
    a, b, c = logs
    x, y, z = (trial.suggest_float(f"linear_{i}", -1, 1) for i in range(3))
    bowl = 4 * (a + 0.3) ** 2 + 2 * (b + 0.7) ** 2 + (c + 0.5) ** 2
    return bowl + 3 * (y - x * x) ** 2 + (x - 0.5) ** 2 + 0.5 * (1 - math.cos(3 * z)) * (1 + z * z)


def integers(trial: optuna.Trial) -> float:
    """Five integers, two with a step, whose product counts as well; the best value is 0."""
    a, b, c = (trial.suggest_int(name, 1, 30) for name in "abc")
    d, e = trial.suggest_int("d", 0, 100, step=5), trial.suggest_int("e", -40, 40, step=4)
    product = abs(math.log(a * b / 120))
    return product + abs(a - 8) / 10 + abs(c - 21) / 10 + (d - 35) ** 2 / 2000 + abs(e - 12) / 30


def categories(trial: optuna.Trial) -> float:
    """Six choices of four, every pair of which interacts: 4,096 assignments."""
    chosen = [trial.suggest_categorical(f"choice_{i}", ["a", "b", "c", "d"]) for i in range(6)]
    return _cost(["abcd".index(str(choice)) for choice in chosen])


def _cost(places: list[int] | tuple[int, ...]) -> float:
    pairs = itertools.combinations(range(6), 2)
    return float(sum(_TABLE[i, j, places[i], places[j]] for i, j in pairs))


def two_objectives(trial: optuna.Trial) -> tuple[float, float]:
    """ZDT1 with four floats and a choice of the curve; both objectives are minimised."""
    first = trial.suggest_float("first", 0, 1)
    others = [trial.suggest_float(f"other_{i}", 0, 1) for i in range(3)]
    power = {"convex": 0.5, "straight": 1.0, "concave": 2.0}[
        str(trial.suggest_categorical("curve", ["concave", "convex", "straight"]))
    ]
    far = 1 + 3 * statistics.fmean(others)
    return first, far * (1 - (first / far) ** power)


FUNCTIONS: dict[str, Callable[[optuna.Trial], Any]] = {
    "conditional": conditional,
    "floats": floats,
    "integers": integers,
    "categories": categories,
    "two objectives": two_objectives,
}


def reached(study: optuna.Study) -> float:
    """The best value; for two objectives the area that their front covers up to (1, 4)."""
    if len(study.directions) == 1:
        return study.best_value
    area, height = 0.0, 4.0
    for first, second in sorted(tuple(trial.values) for trial in study.best_trials):
        area += max(0.0, 1 - first) * max(0.0, height - second)
        height = min(height, second)
    return area


def run(name: str, sampler: BaseSampler, trials: int = TRIALS) -> float:
    """The result of one study."""
    directions = [StudyDirection.MINIMIZE] * (2 if name == "two objectives" else 1)
    study = optuna.create_study(sampler=sampler, directions=directions)
    study.optimize(FUNCTIONS[name], n_trials=trials)
    return reached(study)


def main() -> None:
    """Runs every function, sampler and seed."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    results: dict[str, Any] = {}
    for name in FUNCTIONS:
        for label, make in SAMPLERS.items():
            began = time.process_time()
            values = [run(name, make(seed)) for seed in SEEDS]
            seconds = time.process_time() - began
            results.setdefault(name, {})[label] = {
                **spread(values),
                "values": values,
                "cpu_seconds_per_trial": seconds / (len(SEEDS) * TRIALS),
            }
            print(name, label, spread(values), flush=True)
    best = min(_cost(places) for places in itertools.product(range(4), repeat=6))
    write(
        "optuna_sampler",
        {"seeds": list(SEEDS), "trials": TRIALS, "best of categories": best, "functions": results},
    )


def spread(values: list[float]) -> dict[str, float]:
    """The mean, the median and half a 95 % interval of the mean."""
    deviation = statistics.stdev(values)
    return {
        "mean": statistics.fmean(values),
        "median": statistics.median(values),
        "interval_95": 2.262 * deviation / len(values) ** 0.5,  # Student's t, 9 degrees of freedom
    }


if __name__ == "__main__":
    main()
