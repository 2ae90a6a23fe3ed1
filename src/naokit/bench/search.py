"""One search of a benchmark: a method on a table of known results, with one seed.

Protocol: a query is one evaluation of a distinct architecture, the initial ones included; asking
again for a known one, or for one that the table does not have, is free. Methods see the metric
alone; `test` is the value of another column for the best architecture so far.

A method that is named with a pruner (`nao+asha`) is shown learning curves and stops early. The
epochs of one whole evaluation then count as a query, and an architecture counts once all of its
epochs were paid for.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import optuna

from naokit import spaces
from naokit.base import Direction, InputError, SpaceExhausted, Weights
from naokit.doors import Trial
from naokit.evaluators import Tabular
from naokit.evaluators.tabular import columns_space, read_tables
from naokit.space import Space
from naokit.study import Asked, Study, check_method, create_study
from naokit.study.pruning import pruner_of

STUCK = 1000
"""How often in a row a method may ask for known or absent architectures before its run ends."""


@dataclass(frozen=True)
class TableTask:
    """A table and the column that is optimised.

    Attributes:
        space: The name of the space; `choices` and `graphs` make one of the architecture's columns.
        tables: CSV files, joined on the architecture.
        architecture_column: One column, or several with commas between.
        metric: The column that methods see.
        test_metric: A column that is only reported.
        class_column: A column of names that equal architectures share.
        direction: Whether the metric and the test metric are maximised or minimised.
        also: Further columns, for objectives and limits.
        prior: What is believed beforehand, as the JSON of `naokit.base.Weights`; "" is nothing.
        curve_columns: The columns of the learning curve; see `Tabular`.
    """

    space: str
    tables: tuple[str, ...]
    architecture_column: str
    metric: str
    test_metric: str | None = None
    class_column: str | None = None
    direction: Direction = "maximize"
    also: tuple[str, ...] = ()
    prior: str = ""
    curve_columns: tuple[str, ...] = ()

    @property
    def weights(self) -> Weights | None:
        """What is believed beforehand."""
        weights: Weights | None = json.loads(self.prior) if self.prior else None
        return weights

    @property
    def name(self) -> str:
        """The name that results are filed under."""
        return f"{self.space} {self.metric}"

    def load(self) -> Tabular:
        """The table as an evaluator; raises InputError."""
        return Tabular(
            self._space(),
            self.tables,
            architecture_column=self.architecture_column,
            metric=self.metric,
            also=[*self.also, *([self.test_metric] if self.test_metric else [])],
            class_column=self.class_column,
            direction=self.direction,
            curve_columns=self.curve_columns,
        )

    def _space(self) -> Space:
        """The space that reads the architecture's columns, or is made of them."""
        if self.space == "choices":
            columns, rows = read_tables(self.tables, self.architecture_column)
            return columns_space("choices", columns, rows)
        if self.space == "graphs" and self.tables:
            return spaces.Graphs.of_table(self.tables[0], self.architecture_column)
        return spaces.load(self.space)


@dataclass(frozen=True)
class Search:
    """One search.

    Attributes:
        task: The name of the task, which is that of the table and its column.
        method: The name of the method.
        seed: The seed of the search.
        evaluations: The budget of the search.
        batch: How many architectures were asked for before the first was told.
        values: The metric of each query, in order; None where the table has none.
        test: The test metric of each query; empty if the task has none.
        seconds: The processor time spent on proposals.
        table: The fingerprint of the table; "" in runs that were kept before there was one.
    """

    task: str
    method: str
    seed: int
    evaluations: int
    batch: int
    values: list[float | None]
    test: list[float | None]
    seconds: float
    table: str = ""

    @property
    def name(self) -> tuple[str, str, int, int, int]:
        """The values that distinguish runs."""
        return (self.task, self.method, self.seed, self.evaluations, self.batch)


def run(task: TableTask, method: str, seed: int, evaluations: int, batch: int = 1) -> Search:
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
    best = best_value(table)
    known: dict[str, float | None] = {}
    order: list[str] = []
    seconds, free = 0.0, 0
    while len(order) < evaluations and free < STUCK and best not in known.values():
        began = time.process_time()
        asked = _batch(study, min(batch, evaluations - len(order)))
        seconds += time.process_time() - began
        if not asked:
            break
        for one in asked:
            key = one.architecture.key
            value = table.values.get(key)
            finite = value is not None and math.isfinite(value)
            study.tell(one.number, value if finite else None, "" if finite else "no value")
            free += 1
            if value is not None and key not in known:
                free = 0
                known[key] = value if finite else None
                order.append(key)
    test = [table.metrics[key][task.test_metric] for key in order] if task.test_metric else []
    return Search(
        task.name,
        method,
        seed,
        evaluations,
        batch,
        [known[key] for key in order],
        [value if math.isfinite(value) else None for value in test],
        seconds,
        fingerprint(task),
    )


def _in_epochs(task: TableTask, study: Study, method: str, evaluations: int) -> Search:
    """A search that stops early, in as many epochs as so many whole evaluations have."""
    table, began = table_of(task), time.process_time()
    values: list[float | None] = [None] * evaluations
    tests: list[float | None] = [None] * evaluations
    sign = 1 if table.direction == "maximize" else -1

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


def check_name(method: str, task: TableTask, batch: int) -> None:
    """Raises InputError for a method or a pruner that is not known or cannot be run so."""
    name, plus, pruner = method.partition("+")
    check_method(name)
    if plus:
        pruner_of(pruner)
        if not task.curve_columns:
            raise InputError(f"{method}: a pruner needs `curve_columns`")
        if batch > 1:
            raise InputError(
                f"{method}: a search that stops early asks for one at a time: give a batch of 1"
            )


def _batch(study: Study, size: int) -> list[Asked]:
    """This many architectures, or as many as there are left."""
    asked: list[Asked] = []
    with suppress(SpaceExhausted):
        while len(asked) < size:
            asked.append(study.ask())
    return asked


def best_value(table: Tabular) -> float:
    """The best value of a table."""
    finite = [value for value in table.values.values() if math.isfinite(value)]
    if not finite:
        raise InputError(f"the column {table.metric} of the table has no value at all")
    return max(finite) if table.direction == "maximize" else min(finite)


@lru_cache(maxsize=2)
def table_of(task: TableTask) -> Tabular:
    """The table, read once in each process."""
    return task.load()


@lru_cache(maxsize=2)
def fingerprint(task: TableTask) -> str:
    """A name that changes with everything in the table or the task that affects runs or results."""
    table = table_of(task)
    content = [
        spaces.without_folder(table.space.settings()),
        [[*choices, name] for choices, name in table.space.classes.items()],
        table.values,
        [found[task.test_metric] for found in table.metrics.values()] if task.test_metric else [],
        [task.test_metric, task.direction, task.architecture_column, task.class_column],
        *filter(None, [task.prior, task.curve_columns and table.curves]),
    ]
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()
