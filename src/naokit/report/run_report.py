"""All that is reported of a run; `to_json` is what `naokit report --json` prints."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from naokit.base import NOISE, Direction, Json
from naokit.report.choices import Choices, choices_of
from naokit.report.contents import Findings, findings
from naokit.report.model_check import ModelCheck, model_check
from naokit.report.overview import Shown, shown, shown_without_best
from naokit.report.provenance import Source, sources
from naokit.study.course import Course
from naokit.study.standings import NoBest

if TYPE_CHECKING:
    from naokit.kind import Examples
    from naokit.study import Study


@dataclass(frozen=True)
class Asked:
    """What a run was asked for.

    Attributes:
        data: Where the data are. If None, the run has none of its own.
        scored: How architectures are scored, in a few words.
        recipe: The name of the recipe that trains a network in the search. If None, none does.
        recipe_epochs: How many epochs that has.
        size: The sizes of the networks in the search, by name.
        evaluations: How many evaluations there shall be. If None, that was not recorded.
        epochs: How many epochs all of them may have together. If None, there is no limit.
        pruner: Who stops evaluations early. If None, nobody does.
    """

    data: str | None = None
    scored: str = ""
    recipe: str | None = None
    recipe_epochs: int | None = None
    size: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    evaluations: int | None = None
    epochs: int | None = None
    pruner: str | None = None


@dataclass(frozen=True)
class Epoch:
    """An epoch of the final training."""

    epoch: int
    loss: float
    validation: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class Written:
    """A file that the winner was exported to, and how far it computes something else."""

    file: str
    difference: float
    note: str


@dataclass(frozen=True)
class Final:
    """The final training of the winner.

    Attributes:
        metric: What is measured, and its unit: "accuracy, percent".
        epochs: The epochs so far.
        scores: What the network reached, by part of the data; empty while it is trained.
        parameters: How many it has. If None, it is not known yet.
        recipe: The name of the recipe. If None, it was not recorded.
        files: What was exported.
        cut: How far it was trained where time ended first: "0.16 of 6 epochs". If None, to the end.
    """

    metric: str
    epochs: tuple[Epoch, ...]
    scores: Mapping[str, float]
    parameters: int | None
    recipe: str | None
    files: tuple[Written, ...]
    cut: str | None = None


@dataclass(frozen=True)
class Part:
    """A part of a run, and how long it took."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Command:
    """A command, and what it is for."""

    purpose: str
    text: str


@dataclass(frozen=True)
class Costs:
    """What a leader costs: its metrics by name, such as parameters; see `Result.metrics`."""

    trial: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class RunReport:
    """All that is reported of a run.

    Attributes:
        name: The name of the run's folder.
        folder: The folder.
        version: The version of naokit that reports.
        metric: What the value of an evaluation is.
        direction: Which way it is better.
        asked: What the run was asked for.
        shown: What `naokit show` shows of it.
        costs: What its leaders cost.
        found: What was found, and how random search compares. If None, nothing yet.
        course: The course of the search.
        random: The course of random search beside it. If None, there was none.
        sources: Where the proposals came from, and what they gave.
        model: Whether a performance model can be trusted here. If None, there are too few results.
        choices: What the choices seem to be worth. If None, there are too few results.
        final: The final training. If None, it has not begun.
        parts: What took how long.
        commands: What to do next.
        unfinished: The steps that were not finished when the run was last reported.
        examples: What the trained network does with its data. If None, nobody asked for that.
    """

    name: str
    folder: str
    version: str
    metric: str
    direction: Direction
    asked: Asked
    shown: Shown
    costs: tuple[Costs, ...]
    found: Findings | None
    course: Course
    random: Course | None
    sources: tuple[Source, ...]
    model: ModelCheck | None
    choices: Choices | None
    final: Final | None = None
    parts: tuple[Part, ...] = ()
    commands: tuple[Command, ...] = ()
    unfinished: tuple[str, ...] = ()
    examples: Examples | None = None

    def to_json(self) -> dict[str, Json]:
        """One object."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: _plain(value) for name, value in found.items()}


def _plain(value: object) -> Json:
    """A part of a report as JSON."""
    if isinstance(value, Shown | Findings):
        return value.to_json()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


def report_of(
    study: Study,
    metric: str,
    *,
    baseline: Study | None = None,
    own: tuple[Study, str] | None = None,
    name: str = "",
    folder: str = "",
    version: str = "",
    asked: Asked | None = None,
    top: int = 10,
) -> RunReport:
    """What is reported of a study; what only a folder knows is left out.

    Args:
        study: The study.
        metric: What its values are.
        baseline: The study of random search beside it.
        own: The study of the best few trained by themselves, and what its values are.
        name: The name of the report.
        folder: The folder of the run.
        version: The version of naokit that reports.
        asked: What was asked for.
        top: How many leaders there are at most.
    """
    goals, trials = study.goals, study.trials
    course = Course.of(trials, goals)
    path = [one.trial for one in course.improvements]
    try:
        leaders = None if own is None else own[0].standings()
        best = leaders[0].architecture if leaders else study.best_architecture
        seen, found = (
            shown(best, study, top, None if own is None else own[0]),
            findings(study, metric, baseline, own),
        )
    except NoBest as why:
        seen, found = shown_without_best(study, str(why), top), None
    return RunReport(
        name or study.name,
        folder,
        version,
        metric,
        goals.objectives[0].direction,
        asked or Asked(),
        seen,
        _costs(study, seen),
        found,
        course,
        None if baseline is None else Course.of(baseline.trials, baseline.goals),
        sources(trials, course, goals.objectives[0].sign),
        model_check(study, path),
        choices_of(study),
    )


def _costs(study: Study, seen: Shown) -> tuple[Costs, ...]:
    """The metrics of the leaders, without what says how sure they are."""
    metrics = {trial.number: trial.metrics for trial in study.trials}
    leaders = () if seen.overview is None else seen.overview.standings
    return tuple(
        Costs(one.trial, {n: v for n, v in metrics[one.trial].items() if n != NOISE})
        for one in leaders
    )
