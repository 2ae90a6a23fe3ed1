"""Trials a second of one study by 1, 8 and 64 processes, by the storage that they share.

    OMP_NUM_THREADS=1 python -m benchmarks.storages

Processes ask for random cells of conv-small with two nodes and tell a made-up value at once, until
the study holds 320 or 45 seconds are over: what is measured is the storage.
`results/storages.json` has trials a second of all together, CPU milliseconds of the processes for a
trial (`all_cpu_ms`: with those of a server, and of their beginning), the longest that a process had
to wait for one, how often a storage did not answer and was asked again, errors that ended a
process, trials without an outcome, and architectures that were evaluated twice.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import resource
import sys
import time
from collections import Counter
from multiprocessing.synchronize import Barrier
from queue import Queue
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.places import naokits, place
from benchmarks.record import keep
from naokit.base import InputError
from naokit.doors import Trial
from naokit.spaces import ConvCells

SPACE = ConvCells.small(nodes=2)
PLACES, PROCESSES = ("sqlite", "sqlite wal", "journal", "postgresql"), (1, 8, 64)
TRIALS, SECONDS = 320, 45.0

Figures = dict[str, Any]


def main() -> None:
    """Every storage and number of processes; what is found is written at once."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    assert "torch" not in sys.modules, "64 processes would not fit"
    found: dict[str, dict[str, Figures]] = {kind: {} for kind in PLACES}
    for processes in PROCESSES:
        for kind in PLACES:
            with place(kind) as address:
                before = _seconds_of_children()
                figures = together(address, processes)
            cpu = 1000 * (_seconds_of_children() - before) / max(1, figures["trials"])
            found[kind][str(processes)] = figures | {"all_cpu_ms": round(cpu, 1)}
            keep("storages", {"trials": TRIALS, "seconds": SECONDS, "processes": found})
            print(kind, processes, json.dumps(found[kind][str(processes)]), flush=True)


def _seconds_of_children() -> float:
    """The CPU time of all processes that have ended, the server among them."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def together(address: str, processes: int) -> Figures:
    """What so many processes did."""
    context = multiprocessing.get_context("fork")  # they share what is imported
    _in_another(context, address)  # the tables and the study, before anybody is timed
    ready, told = context.Barrier(processes + 1), context.Queue()
    workers = [context.Process(target=_work, args=(address, ready, told)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    ready.wait(300)
    began = time.perf_counter()
    reports = [told.get(timeout=10 * SECONDS) for _ in workers]
    seconds = max(report["ended"] for report in reports) - began
    for worker in workers:
        worker.join()
    return _figures(reports, _read(context, address), seconds)


def _in_another(context: Any, address: str) -> None:
    """Makes the study in a process of its own: connections must not be shared by a fork."""
    maker = context.Process(target=naokits, args=(address, SPACE, "random"))
    maker.start()
    maker.join()


def _work(address: str, ready: Barrier, told: Queue[Figures]) -> None:
    """One process: asks and tells, and reports."""
    waiting = _Counted()
    logging.getLogger("optuna.naokit").addHandler(waiting)
    optuna.logging.disable_default_handler()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    report: Figures = {"error": "", "trials": 0, "longest": 0.0}
    last, cpu = 0.0, 0.0

    def noted(trial: Trial) -> None:
        nonlocal last
        now = time.perf_counter()
        report["trials"] += 1
        report["longest"] = max(report["longest"], now - last)
        last = now

    try:
        study = naokits(address, SPACE, "random")
        ready.wait(300)
        last, cpu = time.perf_counter(), time.process_time()
        study.optimize(lambda one: one.choices[0], TRIALS, seconds=SECONDS, on_trial=noted)
    except (InputError, OptunaError, SQLAlchemyError, OSError, RuntimeError) as error:
        report["error"] = f"{type(error).__name__}: {error}"[:200]
    report |= {"cpu": time.process_time() - cpu, "waited": waiting.times}
    told.put(report | {"ended": time.perf_counter()})


class _Counted(logging.Handler):
    """Counts how often a storage did not answer."""

    times = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Counts one."""
        self.times += "does not answer" in record.getMessage()


def _read(context: Any, address: str) -> list[tuple[str, str]]:
    """State and architecture of each trial, read by a process of its own."""
    told = context.Queue()
    reader = context.Process(target=_read_all, args=(address, told))
    reader.start()
    found: list[tuple[str, str]] = told.get(timeout=300)
    reader.join()
    return found


def _read_all(address: str, told: Queue[list[tuple[str, str]]]) -> None:
    trials = naokits(address, SPACE, "random").optuna.trials
    told.put(
        [
            (trial.state.name, SPACE.architecture(trial.user_attrs["architecture"]["choices"]).key)
            for trial in trials
        ]
    )


def _figures(reports: list[Figures], trials: list[tuple[str, str]], seconds: float) -> Figures:
    """What the processes reported and what the study holds."""
    done = Counter(key for state, key in trials if state == "COMPLETE")
    return {
        "trials": done.total(),
        "a_second": round(done.total() / seconds, 2),
        "cpu_ms": round(1000 * sum(one["cpu"] for one in reports) / max(1, done.total()), 1),
        "longest_wait_s": round(max(one["longest"] for one in reports), 2),
        "asked_again": sum(one["waited"] for one in reports),
        "errors": sorted({one["error"] for one in reports if one["error"]}),
        "ended_by_errors": sum(bool(one["error"]) for one in reports),
        "without_outcome": sum(state != "COMPLETE" for state, _ in trials),
        "evaluated_twice": done.total() - len(done),
    }


if __name__ == "__main__":
    main()
