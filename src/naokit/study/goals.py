"""What a search wants: one objective or several, and limits that must hold.

Several objectives become one for each proposal, by weights drawn anew (ParEGO, Knowles 2006): every
method can search for a Pareto front. An evaluation beyond a limit counts as a failed one.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from naokit.base import NOISE, Direction, InputError, Json, derive_seed, sign_of, unexpected
from naokit.doors import Observation, Trial
from naokit.wording import exact

BEYOND = "beyond a limit"
"""The reason given for an evaluation that succeeded but violates a limit."""

SHARE = 0.05
"""Weight of the plain sum beside the worst objective (Knowles 2006)."""

_LIMIT = re.compile(
    r"\s*([A-Za-z_][\w.-]*)\s*(<=|>=)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
)


def direction_named(text: str) -> Direction:
    """The direction of this name; raises InputError if there is none."""
    if text == "maximize":
        return "maximize"
    if text == "minimize":
        return "minimize"
    raise InputError(f"the direction is {text!r}; expected maximize or minimize")


@dataclass(frozen=True)
class Objective:
    """A metric to make large or small; the first objective is the evaluator's value."""

    name: str
    direction: Direction

    @classmethod
    def of(cls, text: str) -> Objective:
        """The objective of `accuracy` or `latency:minimize`; costs are minimised by default."""
        name, _, direction = text.partition(":")
        usual = "minimize" if name in COSTS else "maximize"
        return cls(name, direction_named(direction or usual))

    @property
    def wish(self) -> str:
        """How people read it: `latency (less is better)`."""
        return f"{self.name} ({'more' if self.direction == 'maximize' else 'less'} is better)"

    @property
    def sign(self) -> float:
        """1 where more is better, -1 where less is."""
        return sign_of(self.direction)

    def __str__(self) -> str:
        return f"{self.name}:{self.direction}"


COSTS = ("parameters", "macs", "latency", "seconds", "perplexity")
"""Metrics that are minimised unless the objective says otherwise."""


@dataclass(frozen=True)
class Limit:
    """A bound on a metric: `parameters<=3e6`."""

    name: str
    at_most: bool
    bound: float

    @classmethod
    def of(cls, text: str) -> Limit:
        """The limit of a text such as `parameters<=3e6`; raises InputError."""
        found = _LIMIT.fullmatch(text)
        if found is None:
            raise InputError(f"{text!r} is no limit; expected NAME<=NUMBER or NAME>=NUMBER")
        bound = float(found[3])
        if not math.isfinite(bound):
            raise InputError(f"{text!r} is no limit: no number is as large as {found[3]}")
        return cls(found[1], found[2] == "<=", bound + 0.0)  # -0 is 0

    def holds(self, metrics: Mapping[str, float]) -> bool:
        """Whether the metric is there and within the bound."""
        return self.slack(metrics) >= 0

    def slack(self, metrics: Mapping[str, float]) -> float:
        """How far it is within the bound, as a share of that; negative beyond or if missing."""
        value = metrics.get(self.name)
        if value is None:
            return -math.inf
        away = self.bound - value if self.at_most else value - self.bound
        return away / (abs(self.bound) or 1.0)

    def __str__(self) -> str:
        return f"{self.name}{'<=' if self.at_most else '>='}{exact(self.bound)}"


def limited_metrics(limits: Sequence[Limit], metrics: Mapping[str, float]) -> str:
    """The metrics that have a limit: `latency 1.5, parameters 42,338`."""
    names = dict.fromkeys(limit.name for limit in limits)
    found = {name: metrics.get(name) for name in names}
    return ", ".join(f"{n} {'unknown' if v is None else f'{v:,.7g}'}" for n, v in found.items())


@dataclass(frozen=True)
class Goals:
    """Objectives, the first of them the evaluator's value, and limits."""

    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...] = ()

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The names of the metrics that objectives and limits need besides the value."""
        names = [o.name for o in self.objectives[1:]] + [limit.name for limit in self.limits]
        return tuple(dict.fromkeys(names))

    def values(self, value: float, metrics: Mapping[str, float]) -> list[float]:
        """The objectives' values of a result.

        Raises:
            InputError: The result lacks a metric.
        """
        others = [objective.name for objective in self.objectives[1:]]
        missing = [name for name in others if name not in metrics]
        if missing:
            raise InputError(
                f"an evaluation gives no {missing[0]!r} to optimise; it gives the value and "
                f"{', '.join(metrics) or 'no further figures'}"
            )
        return [value, *(metrics[name] for name in others)]

    def slack(self, trial: Trial) -> float:
        """How far the trial is within the limits, as a share of a bound; negative beyond one."""
        return min((limit.slack(trial.metrics) for limit in self.limits), default=math.inf)

    def hold(self, trial: Trial) -> bool:
        """Whether the trial is within every limit."""
        return self.slack(trial) >= 0

    def limited(self, trial: Trial) -> str:
        """The metrics of the trial that have a limit; see `limited_metrics`."""
        return limited_metrics(self.limits, trial.metrics)

    def observations(self, trials: Sequence[Trial], seed: int) -> list[Observation]:
        """The trials as a method shall see them: one score, higher is better.

        Args:
            trials: The trials with the values as they were told.
            seed: The seed of the weights, which are drawn anew for each number of trials.
        """
        trials = [self._as_far_as_it_came(trial) for trial in trials]
        valued = [trial for trial in trials if trial.value is not None]
        found = self._scores(valued, len(trials), seed)
        scores = {trial.number: score for trial, score in zip(valued, found, strict=True)}
        return [self._seen(trial, scores.get(trial.number)) for trial in trials]

    def _scores(self, valued: Sequence[Trial], trials: int, seed: int) -> list[float]:
        """One score for each trial that has a value."""
        if len(self.objectives) == 1 or not valued:
            return [self.objectives[0].sign * (trial.value or 0.0) for trial in valued]
        signs = np.array([objective.sign for objective in self.objectives])
        generator = np.random.default_rng(derive_seed(seed, "weights", trials))
        table = signs * np.array([trial.values for trial in valued])
        return [float(score) for score in chebyshev(table, generator)]

    def _as_far_as_it_came(self, trial: Trial) -> Trial:
        """A trial that was stopped, with the best value that it reported; any other as it is."""
        if not trial.stopped:
            return trial
        best = max(trial.curve.values(), key=lambda value: self.objectives[0].sign * value)
        return dataclasses.replace(trial, value=best, values=(best,))

    def _seen(self, trial: Trial, score: float | None) -> Observation:
        if score is None:
            return Observation(trial.architecture, None, trial.origin)
        turned = zip(self.objectives, trial.values, strict=True)
        values = tuple(objective.sign * value for objective, value in turned)
        # Of several objectives the score is a mixture, whose noise is not that of the first.
        noise = trial.metrics.get(NOISE) if len(self.objectives) == 1 else None
        seen = Observation(
            trial.architecture,
            score,
            trial.origin,
            values=values,
            noise=noise,
            stopped=trial.stopped,
        )
        if not self.limits:
            return seen
        slack = self.slack(trial)
        value = score if slack >= 0 else None
        return dataclasses.replace(seen, value=value, unlimited=score, slack=slack)

    def front(self, trials: Sequence[Trial]) -> list[Trial]:
        """The architectures within the limits that none other beats in every objective.

        Each is its first trial, with the means over its trials as values.
        """
        signs = [objective.sign for objective in self.objectives]
        found: dict[str, list[Trial]] = {}
        for trial in trials:
            if trial.value is not None and self.hold(trial):
                found.setdefault(trial.architecture.key, []).append(trial)
        good = [_mean(same) for same in found.values()]
        turned = [tuple(s * v for s, v in zip(signs, t.values, strict=True)) for t in good]
        best: list[tuple[float, ...]] = []
        for mine in sorted(set(turned), reverse=True):  # what beats another stands before it
            if not any(_beats(other, mine) for other in best):
                best.append(mine)
        unbeaten = set(best)
        return [trial for trial, mine in zip(good, turned, strict=True) if mine in unbeaten]

    @classmethod
    def of(
        cls, direction: Direction, objectives: Sequence[str] = (), limits: Sequence[str] = ()
    ) -> Goals:
        """The goals of these texts; without objectives, the value alone in this direction.

        Raises:
            InputError: A text cannot be read, an objective is given twice, or the first has another
                direction.
        """
        for name, texts in (("objectives", objectives), ("limits", limits)):
            if isinstance(texts, str):
                raise unexpected(name, texts, f"a list of texts, such as [{texts!r}]")
        direction = direction_named(direction)
        found = tuple(Objective.of(text) for text in objectives) or (Objective("value", direction),)
        if ":" not in next(iter(objectives), ":"):
            found = (Objective(found[0].name, direction), *found[1:])
        if found[0].direction != direction:
            raise InputError(
                f"the first objective, {found[0].name}, is the evaluator's value: to {direction} it"
            )
        names = [objective.name for objective in found]
        if twice := [name for name in names if names.count(name) > 1]:
            raise InputError(f"the objective {twice[0]} is given twice: leave one out")
        return cls(found, tuple(Limit.of(text) for text in limits))

    def to_json(self) -> dict[str, Json]:
        """What a study records."""
        return {
            "objectives": [str(objective) for objective in self.objectives],
            "limits": [str(limit) for limit in self.limits],
        }


def chebyshev(table: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One score a row (n,): how near it is to the best in the objective where it is worst.

    Objectives (n, k) count by rank, so that no scale is needed; the weights are uniform on the
    simplex: -(max_j w_j d_j + 0.05 sum_j w_j d_j), d the share of rows that are better.
    """
    from scipy.stats import rankdata  # not above: who reads a study needs no ranks

    away = 1 - (rankdata(table, axis=0) - 0.5) / len(table)
    weighted = generator.dirichlet(np.ones(table.shape[1])) * away
    scores: np.ndarray = -(weighted.max(axis=1) + SHARE * weighted.sum(axis=1))
    return scores


def mean(values: Sequence[float]) -> float:
    """The mean, even where the sum overflows; NaN if both infinities occur."""
    try:
        return fmean(values)
    except OverflowError:
        return math.ldexp(fmean([math.ldexp(value, -64) for value in values]), 64)
    except ValueError:
        return math.nan


def _mean(same: Sequence[Trial]) -> Trial:
    """The first of several trials of one architecture, with the means of their values."""
    values = tuple(map(mean, zip(*(trial.values for trial in same), strict=True)))
    return dataclasses.replace(same[0], value=values[0], values=values)


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether `one` is nowhere worse and somewhere better."""
    return all(a >= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)
