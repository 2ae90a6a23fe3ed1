"""The driver's own cost: asking and telling in a study that holds many trials.

    OMP_NUM_THREADS=1 python -m benchmarks.driver

Studies of conv-small with two nodes (16 choices), in memory, SQLite, a journal file and PostgreSQL,
that hold 100 to 10,000 random architectures with made-up values. `results/driver.json` has CPU
milliseconds of this process, wall milliseconds and trials a second of one ask and tell, medians of
nine, each told before the next; and the first ask of a process, which reads what is there. Beside
it, on the same kind of storage in the same run, Optuna's own ask and tell by its random sampler and
by TPE, with a parameter for each choice. `growth` is the CPU time at the largest number of trials
over that at the smallest, and `profile` where that of a trial by `random` goes at the largest.
`nao` is fitted to 1,000 results at most: the matrices of 10,000 need more memory than there is.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import distribution_to_json
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial
from sqlalchemy import Connection, text

from benchmarks.places import naokits, place
from benchmarks.record import keep
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import Study
from naokit.study.ledger import ARCHITECTURE, OUTCOME, record_of
from naokit.study.storage import open_storage

SPACE = ConvCells.small(nodes=2)
SIZES, ASKS, PLACES = (100, 1000, 10_000), 9, ("memory", "sqlite", "journal", "postgresql")
LARGEST = {"random": SIZES[-1], "nao": 1000}
"""The largest study that a method is measured in."""
SAMPLERS: dict[str, Callable[[], BaseSampler]] = {
    "optuna random": lambda: RandomSampler(0),
    "optuna tpe": lambda: TPESampler(seed=0),
}
LINES = 8
"""How many functions a profile names."""

Figures = dict[str, Any]


def main() -> None:
    """Every place and size; what is found is written at once."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    found: dict[str, dict[str, Figures]] = {kind: {} for kind in PLACES}
    for size in SIZES:
        for kind in PLACES:
            found[kind][str(size)] = at_size(kind, size)
            grown = {name: growth(sizes) for name, sizes in found.items()}
            keep("driver", {"asks": ASKS, "trials": found, "growth": grown})
            print(kind, size, found[kind][str(size)], flush=True)


def at_size(kind: str, size: int) -> Figures:
    """The costs in a study of this many trials."""
    found: Figures = {}
    for method, largest in LARGEST.items():
        if size <= largest:
            with place(kind) as address:
                study = naokits(address, SPACE, method)
                fill(study.optuna, size, _named)
                profiled = size == SIZES[-1]
                found[method] = costs(partial(_ask_and_tell, study), profiled)
    with place(kind) as address:
        plain = optuna.create_study(storage=open_storage(address or None), direction="maximize")
        fill(plain, size, _parameters)
        for name, sampler in SAMPLERS.items():
            plain.sampler = sampler()
            found[name] = costs(partial(_plainly, plain), profiled=False)
    return found


def costs(trial: Callable[[], object], profiled: bool) -> Figures:
    """The milliseconds of a trial: of the first one, and of those after it."""
    first = _milliseconds(trial)
    times = [_milliseconds(trial) for _ in range(ASKS)]
    cpu, wall = (statistics.median(column) for column in zip(*times, strict=True))
    found = {"first_cpu_ms": first[0], "cpu_ms": cpu, "wall_ms": wall, "a_second": 1000 / wall}
    rounded = {name: float(f"{value:.4g}") for name, value in found.items()}
    return rounded | ({"profile": profile(trial)} if profiled else {})


def _milliseconds(what: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall time."""
    cpu, wall = time.process_time(), time.perf_counter()
    what()
    return 1000 * (time.process_time() - cpu), 1000 * (time.perf_counter() - wall)


def profile(trial: Callable[[], object]) -> dict[str, list[float]]:
    """The functions that take most: milliseconds and calls of each in a trial."""
    profiler = cProfile.Profile(time.process_time)
    with profiler:
        for _ in range(ASKS):
            trial()
    rows = pstats.Stats(profiler).get_stats_profile().func_profiles
    most = sorted(rows.items(), key=lambda row: -row[1].tottime)[:LINES]
    return {
        f"{Path(row.file_name).name}:{name}": [
            round(1000 * row.tottime / ASKS, 2),
            round(int(row.ncalls.partition("/")[0]) / ASKS, 1),
        ]
        for name, row in most
    }


def growth(sizes: dict[str, Figures]) -> dict[str, float]:
    """By method, the cost at the largest size over that at the smallest."""
    found: dict[str, list[float]] = {}
    for size in sizes.values():
        for name, figures in size.items():
            found.setdefault(name, []).append(figures["cpu_ms"])
    return {name: round(costs[-1] / costs[0], 2) for name, costs in found.items()}


def _ask_and_tell(study: Study) -> None:
    """One trial of naokit."""
    study.tell(study.ask().number, 1.0)


def _plainly(study: optuna.Study) -> None:
    """One trial of Optuna."""
    trial = study.ask()
    SPACE.suggest(trial)
    study.tell(trial, 1.0)


Content = Callable[[Architecture], dict[str, Any]]
"""What a trial of an architecture holds besides its value, as arguments of `create_trial`."""


def _named(architecture: Architecture) -> dict[str, Any]:
    """What naokit keeps."""
    outcome = {"metrics": {}, "seconds": 1.0}
    return {"user_attrs": {ARCHITECTURE: record_of(architecture, "random"), OUTCOME: outcome}}


def _parameters(architecture: Architecture) -> dict[str, Any]:
    """A parameter for each choice."""
    names = SPACE.grammar.names
    fixed = FixedTrial(dict(zip(names, architecture.choices, strict=True)))
    SPACE.suggest(fixed)
    return {"params": fixed.params, "distributions": fixed.distributions}


def fill(study: optuna.Study, size: int, content: Content) -> None:
    """Adds random architectures; a database gets all at once, unlike by Optuna."""
    generator = np.random.default_rng(0)
    trials = [
        create_trial(
            state=TrialState.COMPLETE,
            values=[float(number % 97)],
            **content(SPACE.sample(generator)),
        )
        for number in range(size)
    ]
    engine = getattr(getattr(study._storage, "_backend", None), "engine", None)
    if engine is None:
        study.add_trials(trials)
        return
    with engine.begin() as connection:
        _insert(connection, study._study_id, trials)


def _insert(connection: Connection, study_id: int, trials: list[FrozenTrial]) -> None:
    """Writes the rows that Optuna would write; the database numbers its trials from 1."""
    numbered = list(enumerate(trials))
    rows: dict[str, Iterator[dict[str, Any]]] = {
        "trials (number, study_id, state, datetime_start, datetime_complete)": (
            {"a": n, "b": study_id, "c": "COMPLETE", "d": datetime.now(), "e": datetime.now()}
            for n, _ in numbered
        ),
        "trial_values (trial_id, objective, value, value_type)": (
            {"a": n + 1, "b": 0, "c": trial.value, "d": "FINITE"} for n, trial in numbered
        ),
        "trial_user_attributes (trial_id, key, value_json)": (
            {"a": n + 1, "b": key, "c": json.dumps(value)}
            for n, trial in numbered
            for key, value in trial.user_attrs.items()
        ),
        "trial_params (trial_id, param_name, param_value, distribution_json)": (
            {
                "a": n + 1,
                "b": name,
                "c": kind.to_internal_repr(trial.params[name]),
                "d": distribution_to_json(kind),
            }
            for n, trial in numbered
            for name, kind in trial.distributions.items()
        ),
    }
    for columns, values in rows.items():
        if found := list(values):
            places = ", ".join(f":{name}" for name in found[0])
            connection.execute(text(f"insert into {columns} values ({places})"), found)


if __name__ == "__main__":
    main()
