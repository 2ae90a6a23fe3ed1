"""The cost of asking in a study of many trials, and of reading all of them.

    python -m benchmarks.asking

Studies of conv-small by `random`, whose own work is next to nothing, in memory and in SQLite;
beside Optuna's own `ask` with its random sampler in the same study. Processor milliseconds, medians
of nine asks, each told before the next; the first ask of a process reads what is there.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime

import numpy as np
import optuna
from optuna.trial import TrialState, create_trial

from benchmarks.record import write
from naokit.spaces import ConvCells
from naokit.study import Study, create_study, open_study
from naokit.study.ledger import ARCHITECTURE, OUTCOME, record_of

SPACE = ConvCells.small()
SIZES, ASKS = (500, 2300, 10_000), 9


def main() -> None:
    """Every size, in memory and in SQLite."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found = {}
    for size in SIZES:
        for place in ("memory", "sqlite"):
            with tempfile.TemporaryDirectory() as folder:
                storage = None if place == "memory" else f"sqlite:///{folder}/s.db"
                found[f"{size:,} trials, {place}"] = costs(size, storage)
    write("asking", found)


def costs(size: int, storage: str | None) -> dict[str, float]:
    """The milliseconds of each operation on a study with this many trials."""
    study = create_study(SPACE, storage=storage, method="random")
    fill(study, size)
    first = milliseconds(lambda: tell(study))
    asks = statistics.median(milliseconds(lambda: tell(study)) for _ in range(ASKS))
    study.optuna.sampler = optuna.samplers.RandomSampler()
    plain = statistics.median(milliseconds(lambda: plainly(study.optuna)) for _ in range(ASKS))
    found = {"first_ask": first, "ask_and_tell": asks, "optunas_ask_and_tell": plain}
    if storage is not None:
        reader = open_study(SPACE, storage, "naokit")
        found["read_and_best"] = milliseconds(lambda: reader.best)
        found["again"] = milliseconds(lambda: (reader.best, reader.evaluations, reader.failed))
    return found


def milliseconds(what: Callable[[], object]) -> float:
    """The processor time in milliseconds."""
    began = time.process_time()
    what()
    return 1000 * (time.process_time() - began)


def tell(study: Study) -> None:
    """One ask and tell of naokit."""
    study.tell(study.ask().number, 1.0)


def plainly(study: optuna.Study) -> None:
    """One ask and tell of Optuna."""
    study.tell(study.ask(), 1.0)


def fill(study: Study, size: int) -> None:
    """Adds random architectures with made-up values; SQLite gets all at once, unlike by Optuna."""
    generator = np.random.default_rng(0)
    outcome = {"metrics": {}, "seconds": 1.0}
    attributes = [
        {ARCHITECTURE: record_of(SPACE.sample(generator), "random"), OUTCOME: outcome}
        for _ in range(size)
    ]
    backend = getattr(study.optuna._storage, "_backend", None)
    if backend is None:
        for number, both in enumerate(attributes):
            values = [float(number % 97)]
            trial = create_trial(state=TrialState.COMPLETE, values=values, user_attrs=both)
            study.optuna.add_trial(trial)
        return
    now = str(datetime.now())
    with backend.engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into trials (trial_id, number, study_id, state, datetime_start,"
            " datetime_complete) values (?, ?, ?, 'COMPLETE', ?, ?)",
            [(n + 1, n, study.optuna._study_id, now, now) for n in range(size)],
        )
        connection.exec_driver_sql(
            "insert into trial_values (trial_id, objective, value, value_type)"
            " values (?, 0, ?, 'FINITE')",
            [(n + 1, float(n % 97)) for n in range(size)],
        )
        connection.exec_driver_sql(
            "insert into trial_user_attributes (trial_id, key, value_json) values (?, ?, ?)",
            [
                (n + 1, k, json.dumps(v))
                for n, both in enumerate(attributes)
                for k, v in both.items()
            ],
        )


if __name__ == "__main__":
    main()
