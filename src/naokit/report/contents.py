"""What a run found, as values; `to_json` is what `report.json` holds."""

from __future__ import annotations

import dataclasses
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from naokit.base import Direction, Json
from naokit.study.goals import mean
from naokit.study.origins import REPEAT, RESCORED
from naokit.study.standings import NoBest, Standing
from naokit.study.trust import Trust, trust_in

if TYPE_CHECKING:
    from naokit.export import Check
    from naokit.export.results import Results
    from naokit.study import Study


@dataclass(frozen=True)
class Comparison:
    """The best of a study: its value, the mean of `values`.

    Where there are repeats these are they: the value that chose it for them, `chosen_by`, is lucky
    more often than not and is left out.
    """

    architecture: str
    value: float
    values: tuple[float, ...]
    chosen_by: float | None = None

    @classmethod
    def of(cls, standing: Standing) -> Comparison:
        """The comparison of a standing."""
        first, *repeats = standing.values
        values = tuple(repeats) or (first,)
        chosen_by = first if repeats else None
        return cls(str(standing.architecture), mean(values), values, chosen_by)


def noise(studies: Sequence[Study]) -> float | None:
    """Standard deviation between evaluations of one architecture; None without repeats."""
    deviations = [
        (_deviation(standing.values), len(standing.values) - 1)
        for study in studies
        for standing in study.standings()
        if len(standing.values) > 1
    ]
    freedom = sum(weight for _, weight in deviations)
    return math.hypot(*(d * math.sqrt(w / freedom) for d, w in deviations)) if freedom else None


def _deviation(values: Sequence[float]) -> float:
    """The standard deviation, of values at both ends of the numbers as large as a number can be."""
    try:
        return statistics.stdev(values)
    except OverflowError:
        return sys.float_info.max


def verdict(
    found: Comparison,
    baseline: Comparison,
    spread: float | None,
    direction: Direction = "maximize",
) -> str:
    """What two means, each of a few evaluations, allow to say."""
    difference = found.value - baseline.value
    better = (difference > 0) == (direction == "maximize")
    said = f"{abs(difference):.3g} {'better' if better else 'worse'} than random search"
    if not difference:
        said = "as good as random search"
    if spread is None:
        return f"{said}; without repeats nothing more can be said"
    if not spread:
        return f"{said}; repeats were equal: evaluations are exact, or too coarse to tell"
    error = spread * math.sqrt(1 / len(found.values) + 1 / len(baseline.values))
    told_apart = abs(difference) > 2 * error
    meaning = "more than chance explains" if told_apart else "too little to tell them apart"
    return f"{said}, give or take {2 * error:.3g}: {meaning}"


@dataclass(frozen=True)
class Beside(Comparison):
    """The best of random search, and how many evaluations it took."""

    evaluations: int = 0


@dataclass(frozen=True)
class Point:
    """An architecture of a Pareto front.

    Attributes:
        architecture: Its genotype.
        trial: The number of its first evaluation.
        values: What it reached, by objective.
    """

    architecture: str
    trial: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class OwnTrainings:
    """The best few of a search, trained by themselves, or longer than in the search.

    Attributes:
        metric: What the value of such a training is.
        architectures: The genotypes that were trained, best first.
        shared: Their scores by shared weights, or in the search. None where the latest one failed.
        trust: How far such scores can be trusted.
        alone: Whether the search trained each network by itself, so that these trainings are longer
            ones and the scores are its values.
    """

    metric: str
    architectures: tuple[str, ...]
    shared: tuple[float | None, ...]
    trust: Trust
    alone: bool = False


@dataclass(frozen=True)
class Findings:
    """What a study holds, and what random search found with as many evaluations.

    Attributes:
        metric: What the value of an evaluation is.
        direction: Which way it is better.
        best: The best architecture.
        evaluations: How many ended, failed ones included.
        repeats: How many were evaluations again.
        failed: How many gave no value.
        noise: The standard deviation between evaluations of one architecture. If None, there are
            no repeats.
        objectives: What was optimised. If empty, the value alone.
        front: The Pareto front, best in the first objective first.
        own: What told the best few apart where weights are shared. If None, nothing did.
        random: What random search found. If None, nothing, or there was none.
        verdict: How both compare. If None, there was no random search.
        sure: How likely the best is truly the best of all that were evaluated. If None, nothing was
            evaluated again.
        stopped: How many of the evaluations were stopped early.
        epochs: How many epochs were reported of all evaluations together; 0 where none were.
    """

    metric: str
    direction: Direction
    best: Comparison
    evaluations: int
    repeats: int
    failed: int
    noise: float | None
    objectives: tuple[str, ...] = ()
    front: tuple[Point, ...] = ()
    own: OwnTrainings | None = None
    random: Beside | None = None
    verdict: str | None = None
    sure: float | None = None
    stopped: int = 0
    epochs: int = 0

    def to_json(self) -> dict[str, Json]:
        """One object, without what the run had not."""
        left_out = set() if self.objectives else {"objectives", "front"}
        left_out |= set() if self.verdict is not None else {"random", "verdict"}
        left_out |= set() if self.own is not None else {"own"}
        left_out |= set() if self.sure is not None else {"sure"}
        left_out |= set() if self.epochs else {"stopped", "epochs"}
        fields = dataclasses.asdict(self)
        return {name: value for name, value in fields.items() if name not in left_out}


@dataclass(frozen=True)
class Exported:
    """The winner trained to the end, and its files.

    Attributes:
        results: How the training went.
        parameters: How many the network has.
        checks: The files, and how they compare with the network.
        left_out: Why a format was not written, by its name.
    """

    results: Results
    parameters: int
    checks: tuple[Check, ...]
    left_out: Mapping[str, str]

    def to_json(self) -> dict[str, Json]:
        """What `report.json` says of it."""
        return {
            "final": self.results.to_json() | {"parameters": self.parameters},
            "exports": checks_json(self.checks),
            "left_out": dict(self.left_out),
        }


@dataclass(frozen=True)
class Report:
    """What a run found, and where it lies.

    Attributes:
        method: The name of the method that proposed.
        space: The name of the space that was searched.
        read_as: How its genotypes are read, by name, where that is not plain.
        findings: What the studies hold.
        folder: The folder of the run.
        storage: Where the studies lie.
        exported: The winner trained and exported. If None, it was not.
        unfinished: The steps that the same call again continues.
    """

    method: str
    space: str
    read_as: Mapping[str, str]
    findings: Findings
    folder: str
    storage: str
    exported: Exported | None = None
    unfinished: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """One object."""
        return {
            "method": self.method,
            "space": self.space,
            **self.read_as,
            **self.findings.to_json(),
            "folder": self.folder,
            "storage": self.storage,
            **({} if self.exported is None else self.exported.to_json()),
            "unfinished": list(self.unfinished),
        }


@dataclass(frozen=True)
class Saved:
    """A network that was trained by itself, and where it lies.

    Attributes:
        architecture: Its genotype.
        read_as: How that is read, by name, where it is not plain.
        folder: The folder of the network.
        parameters: How many it has.
        left_out: What of the data was not used; see `Subject.left_out`.
        results: How the training went.
    """

    architecture: str
    read_as: Mapping[str, str]
    folder: str
    parameters: int
    left_out: Mapping[str, Json]
    results: Results

    def to_json(self) -> dict[str, Json]:
        """One object."""
        return {
            "architecture": self.architecture,
            **self.read_as,
            "folder": self.folder,
            "parameters": self.parameters,
            **self.left_out,
            **self.results.to_json(),
        }


def findings(
    study: Study,
    metric: str,
    baseline: Study | None = None,
    own: tuple[Study, str] | None = None,
) -> Findings:
    """What a study holds, and what random search found with as many evaluations.

    Args:
        study: The study.
        metric: What its values are.
        baseline: The study of random search.
        own: The study of the best few trained by themselves, and what its values are.
    """
    best, apart = (Comparison.of(study.best), None) if own is None else _told_apart(study, *own)
    spread = noise([study] if baseline is None else [study, baseline])
    direction = study.goals.objectives[0].direction
    random, said = (None, None)
    if baseline is not None:
        random, said = _beside(best, baseline, spread, direction)
    several = len(study.goals.objectives) > 1
    return Findings(
        metric,
        direction,
        best,
        study.evaluations,
        sum(trial.origin in (REPEAT, RESCORED) for trial in study.trials),
        study.failed,
        spread,
        tuple(map(str, study.goals.objectives)) if several else (),
        front(study) if several else (),
        apart,
        random,
        said,
        study.sure() if own is None else None,
        study.stopped,
        study.epochs,
    )


def is_shared(study: Study) -> bool:
    """Whether a study scored architectures with the weights of a shared network."""
    evaluator = study.settings["evaluator"] or {}
    return bool(evaluator.get("evaluator") == "supernet")


def shared_scores(study: Study, trained: Sequence[Standing]) -> tuple[float | None, ...]:
    """The scores in the search of those that were trained by themselves, or longer."""
    scores = {standing.architecture.choices: standing.mean for standing in study.standings()}
    return tuple(scores.get(standing.architecture.choices) for standing in trained)


def _told_apart(study: Study, own: Study, metric: str) -> tuple[Comparison, OwnTrainings | None]:
    """The best, and what told it from the others."""
    leaders = own.standings()
    if not leaders:
        return Comparison.of(study.best), None
    shared, first = shared_scores(study, leaders), leaders[0]
    best = Comparison(str(first.architecture), first.mean, first.values, chosen_by=shared[0])
    names = tuple(str(standing.architecture) for standing in leaders)
    trust = trust_in(study.trials, leaders)
    assert trust is not None  # some are trained
    return best, OwnTrainings(metric, names, shared, trust, not is_shared(study))


def _beside(
    best: Comparison, baseline: Study, spread: float | None, direction: Direction
) -> tuple[Beside | None, str]:
    """What random search found, and how the best compares; None and why where it has none."""
    try:
        found = Comparison.of(baseline.best)
    except NoBest as why:
        return None, str(why)
    beside = Beside(**vars(found), evaluations=baseline.evaluations)
    return beside, verdict(best, found, spread, direction)


def front(study: Study) -> tuple[Point, ...]:
    """The Pareto front, best in the first objective first."""
    objectives = study.goals.objectives
    points = [
        Point(
            str(trial.architecture),
            trial.number,
            {o.name: v for o, v in zip(objectives, trial.values, strict=True)},
        )
        for trial in study.front()
    ]
    first = objectives[0]
    return tuple(sorted(points, key=lambda point: -first.sign * point.values[first.name]))


def checks_json(checks: Sequence[Check]) -> list[Json]:
    """The exported files and how they compare with the network."""
    return [dataclasses.asdict(check) | {"file": str(check.file)} for check in checks]
