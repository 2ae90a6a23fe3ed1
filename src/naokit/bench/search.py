"""One search of a benchmark: a method on a table of known results, with one seed.

Protocol: a query is one evaluation of a distinct architecture, the initial ones included; asking
again for a known one, or for one that the table does not have, is free. Methods see the metric
alone; `test` is the value of another column for the best architecture so far.

Evaluations run side by side on workers of a virtual clock (`clock.py`). Each takes as long as the
table's cost column says, or all take as long as each other; proposals take no time.

A method that is named with a pruner (`nao+asha`) is shown learning curves and stops early. The
epochs of one whole evaluation then count as a query, and an architecture counts once all of its
epochs were paid for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import optuna

from naokit.base import InputError, Json, SpaceExhausted, sign_of
from naokit.bench.clock import Clock
from naokit.bench.task import TableTask, best_value, fingerprint, table_of
from naokit.doors import Trial
from naokit.evaluators import Tabular
from naokit.study import Asked, Study, check_method, create_study
from naokit.study.pruning import pruner_of

STUCK = 1000
"""How often in a row a method may ask for what the table does not have before its run ends."""


class Name(NamedTuple):
    """What distinguishes the searches on one table."""

    task: str
    method: str
    seed: int
    evaluations: int
    workers: int
    synchronous: bool


@dataclass(frozen=True)
class Search:
    """One search.

    Attributes:
        task: The name of the task, which is that of the table and its column.
        method: The name of the method.
        seed: The seed of the search.
        evaluations: The budget of the search.
        workers: How many evaluations ran side by side.
        values: The metric of each query, in the order in which they ended; None where the table has
            none.
        test: The test metric of each query; empty if the task has none.
        seconds: The processor time spent on proposals.
        table: The fingerprint of the table; "" in runs that were kept before there was one.
        synchronous: Whether workers waited for each other before they began again.
        ended: The virtual time at which each query ended; empty if the task has no costs.
        idle: The share of their time that synchronous workers waited for the slowest one.
    """

    task: str
    method: str
    seed: int
    evaluations: int
    workers: int
    values: list[float | None]
    test: list[float | None]
    seconds: float
    table: str = ""
    synchronous: bool = False
    ended: list[float] = field(default_factory=list)
    idle: float = 0.0

    @property
    def way(self) -> tuple[int, bool]:
        """How many workers there were, and whether they waited for each other."""
        return self.workers, self.synchronous

    @property
    def name(self) -> Name:
        """The values that distinguish runs."""
        return Name(self.task, self.method, self.seed, self.evaluations, *self.way)

    @classmethod
    def from_json(cls, found: dict[str, Json]) -> Search:
        """A kept search; earlier ones name their workers, whose costs were equal, a batch."""
        found = dict(found)
        if "batch" in found:
            found["workers"] = found.pop("batch")
        return cls(**found)


def run(
    task: TableTask,
    method: str,
    seed: int,
    evaluations: int,
    workers: int = 1,
    synchronous: bool = False,
) -> Search:
    """One search on the table, ended early where it has found the best."""
    table = table_of(task)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    name, _, pruner = method.partition("+")
    study = create_study(
        table.space,
        method=name,
        seed=seed,
        evaluations=evaluations,
        direction=table.direction,
        prior=task.weights,
        pruner=pruner or None,
    )
    if pruner:
        return _in_epochs(task, study, method, evaluations)
    clock = Clock(workers, synchronous)
    order, seconds = _walk(task, study, clock, evaluations)
    tests = [table.metrics[k][task.test_metric] for k, _ in order] if task.test_metric else []
    return Search(
        task.name,
        method,
        seed,
        evaluations,
        workers,
        [_finite(table.values[key]) for key, _ in order],
        [_finite(value) for value in tests],
        seconds,
        fingerprint(task),
        synchronous,
        [end for _, end in order] if task.cost_column else [],
        clock.idle_share,
    )


def _walk(
    task: TableTask, study: Study, clock: Clock, evaluations: int
) -> tuple[list[tuple[str, float]], float]:
    """The key of each query and when it ended, in that order; the processor time of proposals."""
    table = table_of(task)
    best, costs = best_value(table), task.costs(table)
    running: dict[int, str] = {}
    order: list[tuple[str, float]] = []
    seconds, found = 0.0, False
    while not found:
        began = time.process_time()
        for asked in _new(study, table, min(clock.free, evaluations - len(order) - len(running))):
            running[asked.number] = asked.architecture.key
            clock.begin(asked.number, costs[asked.architecture.key])
        seconds += time.process_time() - began
        if not running:
            break
        for number, end in clock.wait():
            key = running.pop(number)
            _tell(study, number, table.values[key])
            order.append((key, end))
            found = found or table.values[key] == best
    return order, seconds


def _new(study: Study, table: Tabular, amount: int) -> Iterator[Asked]:
    """This many architectures of the table, or as many as there are left; others are told."""
    absent = 0
    with suppress(SpaceExhausted):
        while amount and absent < STUCK:
            asked = study.ask()
            if asked.architecture.key in table.values:
                amount, absent = amount - 1, 0
                yield asked
            else:
                absent += 1
                _tell(study, asked.number, math.nan)


def _tell(study: Study, number: int, value: float) -> None:
    """Tells a value of the table; a missing one is a failed evaluation."""
    finite = math.isfinite(value)
    study.tell(number, value if finite else None, "" if finite else "no value")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _in_epochs(task: TableTask, study: Study, method: str, evaluations: int) -> Search:
    """A search that stops early, in as many epochs as so many whole evaluations have."""
    table, began = table_of(task), time.process_time()
    values: list[float | None] = [None] * evaluations
    tests: list[float | None] = [None] * evaluations
    sign = sign_of(table.direction)

    def told(trial: Trial) -> None:
        query = min(evaluations, math.ceil(study.epochs / table.epochs)) - 1
        best = values[query]
        if trial.value is not None and (best is None or sign * trial.value > sign * best):
            values[query] = trial.value
            tests[query] = trial.metrics[task.test_metric] if task.test_metric else None

    study.optimize(table, len(table.values), epochs=evaluations * table.epochs, on_trial=told)
    return Search(
        task.name,
        method,
        study.seed,
        evaluations,
        1,
        values,
        tests if task.test_metric else [],
        time.process_time() - began,
        fingerprint(task),
    )


def check_name(method: str, task: TableTask, workers: int) -> None:
    """Raises InputError for a method or a pruner that is not known or cannot be run so."""
    name, plus, pruner = method.partition("+")
    check_method(name)
    if plus:
        pruner_of(pruner)
        if not task.curve_columns:
            raise InputError(f"{method}: a pruner needs `curve_columns`")
        if workers > 1 or task.cost_column:
            raise InputError(
                f"{method}: a search that stops early is counted in epochs: give one worker and "
                "no cost column"
            )
