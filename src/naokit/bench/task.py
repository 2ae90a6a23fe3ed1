"""A table of known results and what is searched in it."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import lru_cache

from naokit import spaces
from naokit.base import Direction, InputError, Weights
from naokit.evaluators import Tabular
from naokit.evaluators.tabular import columns_space, read_tables
from naokit.space import Space


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
        cost_column: How long each evaluation takes, above 0; "": all take 1.
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
    cost_column: str = ""

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
        table = Tabular(
            self._space(),
            self.tables,
            architecture_column=self.architecture_column,
            metric=self.metric,
            also=[*self.also, *filter(None, [self.test_metric, self.cost_column])],
            class_column=self.class_column,
            direction=self.direction,
            curve_columns=self.curve_columns,
        )
        if self.cost_column:
            self._check_costs(table)
        return table

    def costs(self, table: Tabular) -> dict[str, float]:
        """How long the evaluation of each key takes."""
        if not self.cost_column:
            return dict.fromkeys(table.metrics, 1.0)
        return {key: found[self.cost_column] for key, found in table.metrics.items()}

    def _check_costs(self, table: Tabular) -> None:
        """Raises InputError for a cost that is missing, infinite or not above 0."""
        costs = self.costs(table)
        for choices, key in table.space.classes.items():
            if not costs[key] > 0:  # a missing or infinite number is read as NaN
                said = "no finite number" if math.isnan(costs[key]) else f"{costs[key]:g}"
                raise InputError(
                    f"the cost column {self.cost_column} has {said} for "
                    f"{table.space.architecture(choices)}; expected how long each evaluation "
                    "takes, above 0: name another column, or take the row out"
                )

    def _space(self) -> Space:
        """The space that reads the architecture's columns, or is made of them."""
        if self.space == "choices":
            columns, rows = read_tables(self.tables, self.architecture_column)
            return columns_space("choices", columns, rows)
        if self.space == "graphs" and self.tables:
            return spaces.Graphs.of_table(self.tables[0], self.architecture_column)
        return spaces.load(self.space)


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
        *filter(None, [task.cost_column and task.costs(table)]),
    ]
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()
