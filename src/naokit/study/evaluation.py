"""Turns the outcome of one evaluation of user code into a result or a reason for failure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from naokit.base import EvaluationFailed, InputError
from naokit.doors import Result, Trial
from naokit.study.goals import Goals

FEW = 5
"""A search ends if this many evaluations at its beginning all fail with one kind of error."""


class Unforeseen(EvaluationFailed):
    """An evaluation that ended with an error of another kind, which is the cause of this one."""


def evaluated(evaluation: Future[Result]) -> Result:
    """The result of an evaluation that ended, its metrics plain numbers.

    Raises:
        EvaluationFailed: There is no result; `Unforeseen` if the evaluator raised another error.
        InputError: Nothing can be evaluated.
    """
    try:
        return checked(evaluation.result())
    except (EvaluationFailed, InputError):
        raise
    except (MemoryError, ArithmeticError) as error:  # of this architecture, not of the code
        raise EvaluationFailed(_reason(error)) from error
    except Exception as error:
        raise Unforeseen(_reason(error)) from error


def checked(result: Result | float) -> Result:
    """A result whose metrics are plain numbers; raises TypeError or ValueError."""
    if not isinstance(result, Result):
        return Result(_number("the value", result))
    metrics = {name: _number(name, value) for name, value in result.metrics.items()}
    return Result(_number("the value", result.value), metrics, float(result.seconds))


def accepted(
    result: Result | float, goals: Goals, trials: Callable[[], Sequence[Trial]]
) -> tuple[Result, list[float]]:
    """A result that a study may keep, and the values of its objectives.

    Args:
        result: The result as it was told.
        goals: The objectives and limits that need its metrics.
        trials: Gives the trials before it, which are asked for only where a metric is missing.

    Raises:
        EvaluationFailed: A value is not finite, or this result lacks the metric of an objective.
        InputError: It is no number, or no evaluation so far has a metric that a goal needs.
    """
    try:
        result = checked(result)
    except (TypeError, ValueError) as error:
        raise InputError(f"this is no result: {error}") from None
    absent = [name for name in goals.metric_names if name not in result.metrics]
    if absent and not any(absent[0] in trial.metrics for trial in trials()):
        limits = [f"hold {limit}" for limit in goals.limits if limit.name == absent[0]]
        raise InputError(
            f"an evaluation gives no {absent[0]!r} to {[*limits, 'optimise'][0]}; it gives the "
            f"value and {', '.join(result.metrics) or 'no further figures'}"
        )
    if lacking := [o.name for o in goals.objectives[1:] if o.name in absent]:
        raise EvaluationFailed(f"no {lacking[0]}")
    values = goals.values(result.value, result.metrics)
    if wrong := [value for value in values if not math.isfinite(value)]:
        raise EvaluationFailed(f"value is {wrong[0]}")
    return result, values


def _number(name: str, value: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} is {value!r}, no number") from None


def _reason(error: Exception) -> str:
    """The kind of an error and the first line of its message."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__


class FirstErrors:
    """Counts unforeseen errors of one kind at the beginning of a search, until one succeeds."""

    def __init__(self) -> None:
        self._errors: list[EvaluationFailed] = []
        self._over = False

    def succeeded(self) -> None:
        """Ends the counting: an evaluation succeeded."""
        self._over = True

    def failed(self, error: EvaluationFailed) -> None:
        """Counts an error; another kind of failure ends the counting too."""
        kinds = {type(e.__cause__) for e in (*self._errors, error)}
        self._over |= not isinstance(error, Unforeseen) or len(kinds) > 1
        self._errors.append(error)

    def check(self) -> None:
        """Raises InputError, caused by the last error, where nothing but these has been seen."""
        if not self._over and len(self._errors) >= FEW:
            last = self._errors[-1]
            raise InputError(
                f"the first {len(self._errors)} evaluations all failed, at last with "
                f"{last.reason}; mend the evaluator, then go on: they stay as failed trials"
            ) from last.__cause__
