"""What a search on a table wants: its columns have no direction of their own, so it is said."""

from __future__ import annotations

from collections.abc import Sequence

from naokit.base import Direction, InputError
from naokit.evaluators import Tabular
from naokit.study.goals import COSTS, Goals, direction_named


def table_goals(towards: Direction, objectives: Sequence[str], limits: Sequence[str]) -> Goals:
    """Objectives and limits on columns.

    Raises:
        InputError: It is not clear whether a column is to be large or small.
    """
    first, *others = objectives or ("",)
    other_way = first.partition(":")[2]
    if other_way and direction_named(other_way) != towards:
        raise InputError(
            f"the first objective, {first}, is --metric, which is to {towards}: "
            f"add --direction {other_way}"
        )
    for name in others:
        if ":" not in name and name not in COSTS:
            raise InputError(
                f"nothing says whether more of {name} is better: give --objective "
                f"{name}:maximize or {name}:minimize"
            )
    return Goals.of(towards, objectives, limits)


def check_columns(goals: Goals, table: Tabular) -> None:
    """Raises InputError where an objective's name is that of another column than it stands for."""
    first, *others = (objective.name for objective in goals.objectives)
    if (first in table.columns and first != table.metric) or table.metric in others:
        raise InputError(
            f"the first objective is --metric {table.metric}, not {first}: put "
            f"--objective {table.metric} first"
        )
