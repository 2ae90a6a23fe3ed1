"""The steps of a search: the studies, the winner's final training, what is reported."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.cli.output import say
from naokit.cli.subject import check_networks, recipe_for, say_what_was_read, subject_of
from naokit.cli.target import how_read, say_what_is_left_out, starting_points
from naokit.kinds import kind_of
from naokit.study.progress import TrialsBar

if TYPE_CHECKING:
    from naokit.base import Architecture, Evaluator, Json, Space
    from naokit.bench import Task
    from naokit.cli.search_options import Options
    from naokit.evaluators.train import Training
    from naokit.presets import Preset
    from naokit.study import Study
    from naokit.study.goals import Goals
    from naokit.subject import Subject
    from naokit.training.recipe import Recipe


@dataclass(frozen=True)
class Plan:
    """What one study of a search is of.

    Attributes:
        space: what is searched.
        evaluator: who scores.
        repeat: how many of the best are evaluated again.
        times: how often each of these is evaluated in all.
        settings: what is recorded once the study is open; None: nothing.
        start: evaluated first.
    """

    space: Space
    evaluator: Evaluator
    repeat: int = 0
    times: int = 1
    settings: Mapping[str, Json] | None = None
    start: Sequence[Architecture] = ()

    def repeats(self, evaluations: int) -> int:
        """How many evaluations again there are at most."""
        return min(self.repeat, evaluations) * (self.times - 1)

    def alone(self) -> Plan:
        """The same for a study beside the search: it records nothing and starts from nothing."""
        return replace(self, settings=None, start=())


def on_table(options: Options, task: Task, goals: Goals) -> dict[str, Json]:
    """A search on known results."""
    from naokit.cli.table_goals import check_columns
    from naokit.runs.folder import STUDY

    evaluator = task.load()
    for note in evaluator.understood:
        say(note, err=True)
    check_columns(goals, evaluator)
    _check_limits(options, evaluator.space, evaluator)
    start = starting_points(options.start_from, evaluator.space)  # before anything is written
    say_what_is_left_out(start, evaluator.space, evaluator, options.limits)
    settings = {
        "command": "search",
        "space": dict(evaluator.space.space.settings()),
        "tables": list(task.tables),
        "metric": task.metric,
        **options.recorded,
    }
    plan = Plan(evaluator.space, evaluator, settings=settings, start=start)
    study = _search(options, plan, STUDY)
    found = _summary(options, study, evaluator)
    return _reported(options, found, ["search"] if _was_cut(options, study, plan) else [])


def on_data(
    options: Options, space: Space, data: str | None, preset: Preset, *, baseline: bool, final: bool
) -> dict[str, Json]:
    """A search that trains, the baseline, the final training and the export."""
    from naokit.runs.folder import BASELINE, STUDY

    evaluator = _evaluator(options, space, data, preset)
    _check(options, space, evaluator, preset, final=final)  # before anything is written
    start = starting_points(options.start_from, space)  # likewise
    say_what_is_left_out(start, space, evaluator, options.limits)
    say_what_was_read(evaluator.subject.data)
    options.hours.say()
    for name, table in how_read(space).items():
        say(f"{name}: {table}", err=True)
    settings = _settings(options, space, data, preset, evaluator)
    plan = Plan(space, evaluator, preset.repeat, preset.times, settings, start)
    study = _search(options, plan, STUDY)
    unfinished = ["search"] if _was_cut(options, study, plan) else []
    beside = None
    if baseline:
        beside = _search(options, plan.alone(), BASELINE)
        if _was_cut(options, beside, plan):
            unfinished.append("random search")
            beside = None  # fewer evaluations are no comparison
    found = _summary(options, study, evaluator, beside)
    if final:
        found |= _finish(options, study, evaluator, preset)
        unfinished += [] if found["final"]["complete"] else ["final training"]
    return _reported(options, found, unfinished)


def _evaluator(options: Options, space: Space, data: str | None, preset: Preset) -> Training:
    """Who trains each network."""
    from naokit.evaluators import Training

    given = {
        "image_size": options.image_size,
        "skip_bad": options.skip_bad,
        "image_column": options.image_column,
        "label_column": options.label_column,
        "workers": options.workers,
        "tokens": options.tokens,
    }
    return Training(
        subject_of(space.reads, data, given | preset.size()),
        recipe_for(space.reads, preset.recipe),
        device=options.device,
        precision=options.precision,
        latency="latency" in " ".join((*options.objectives, *options.limits)),
    )


def _settings(
    options: Options, space: Space, data: str | None, preset: Preset, evaluator: Training
) -> dict[str, Json]:
    """What settings.json keeps of a search that trains."""
    source = data or kind_of(space.reads).embedded
    return {
        "command": "search",
        "space": dict(space.settings()),
        "data": str(Path(source).resolve()) if Path(source).exists() else source,
        "image_size": options.image_size,
        "skip_bad": options.skip_bad,
        "image_column": options.image_column,
        "label_column": options.label_column,
        "tokens": options.tokens,
        **options.recorded,
        "preset": dataclasses.asdict(preset),
        "evaluator": dict(evaluator.settings()),
    }


def _reported(options: Options, found: dict[str, Json], unfinished: list[str]) -> dict[str, Json]:
    """What was found, with the steps that are not done, written into the run's folder."""
    from naokit.files import write_json
    from naokit.runs.folder import REPORT

    found["unfinished"] = unfinished
    write_json(options.out / REPORT, found)
    return found


def _check(
    options: Options, space: Space, evaluator: Training, preset: Preset, *, final: bool
) -> None:
    """Raises InputError where an evaluation or the final training could not be made as asked."""
    _check_names(options, evaluator)
    trainings = [(evaluator.subject, evaluator.recipe)]
    if final:
        trainings.append(_final(space, evaluator, preset))
    for subject, recipe in trainings:
        subject.check_data(recipe)
        check_networks(space, subject, recipe)
    _check_limits(options, space, evaluator)
    _check_same_final(options, preset)


def _check_same_final(options: Options, preset: Preset) -> None:
    """Raises InputError where the run in this folder is to end in another final training."""
    from naokit.base import InputError
    from naokit.runs.folder import SETTINGS, read_settings

    if not (options.out / SETTINGS).exists():
        return
    recorded, wanted = read_settings(options.out).get("preset") or {}, dataclasses.asdict(preset)
    for name, value in wanted.items():
        if name.startswith("final_") and name in recorded and recorded[name] != value:
            option = f"--{name.replace('_', '-')}"
            raise InputError(
                f"the run in {options.out} was begun with {name.replace('_', ' ')} "
                f"{recorded[name]}, not {value}: give {option} {recorded[name]} to continue it, "
                f"another --out to start a new one, or train its winner with naokit train"
            )


def _final(space: Space, evaluator: Training, preset: Preset) -> tuple[Subject, Recipe]:
    """What the final training is of."""
    recipe = recipe_for(space.reads, preset.final_recipe, preset.final_epochs)
    return evaluator.subject.again(preset.final_size()), recipe


def _check_names(options: Options, evaluator: Training) -> None:
    """Raises InputError for an objective or a limit that no evaluation will have a figure for."""
    from naokit.base import InputError
    from naokit.study.goals import Goals

    goals = Goals.of(evaluator.direction, options.objectives, options.limits)
    score = evaluator.subject.metric.name
    first = goals.objectives[0].name if options.objectives else score
    if first not in (score, "value"):
        raise InputError(
            f"networks are compared by their {score} first, not by {first}: give --objective "
            f"{score}, then others"
        )
    if unknown := [name for name in goals.figures if name not in evaluator.metrics]:
        raise InputError(
            f"{unknown[0]!r} is no figure to limit, or to optimise besides {score}; those of an "
            f"evaluation are {', '.join(evaluator.metrics)}"
        )


def _check_limits(options: Options, space: Space, evaluator: Evaluator) -> None:
    """Raises InputError where nothing is within them, before anything is written."""
    from naokit.study.goals import Limit
    from naokit.study.limits import check_limits

    check_limits(space, evaluator, [Limit.of(text) for text in options.limits])


def _was_cut(options: Options, study: Study, plan: Plan) -> bool:
    """Whether --hours ended before the study did; a study of a small space ends by itself."""
    wanted = options.evaluations + plan.repeats(options.evaluations)
    return options.hours.search_is_over and len(study.trials) < wanted


def _summary(
    options: Options, study: Study, evaluator: Evaluator, baseline: Study | None = None
) -> dict[str, Json]:
    """What was found, and where it lies."""
    from naokit import report
    from naokit.base import InputError
    from naokit.study.storage import shown

    if options.hours.search_is_over and not study.trials:
        raise InputError("--hours ended before the first evaluation did; give more")
    return {
        "method": options.method,
        "space": options.space_text,
        **how_read(study.space),
        **report.summary(study, evaluator, baseline),
        "folder": str(options.out),
        "storage": shown(options.storage),
    }


def _search(options: Options, plan: Plan, name: str) -> Study:
    """One study under a progress bar."""
    import optuna

    from naokit.runs.folder import BASELINE
    from naokit.runs.studies import search_study

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # the bar says it once already
    beside, settings = name == BASELINE, plan.settings
    method = "random" if beside else options.method
    evaluations, metric = options.evaluations, plan.evaluator.metric
    with TrialsBar(method, metric, evaluations, plan.repeats(evaluations)) as bar:
        study = search_study(
            plan.space,
            plan.evaluator,
            storage=options.storage,
            method=method,
            # Another seed: with the same one the two would share their random start.
            seed=options.seed + 1 if beside else options.seed,
            evaluations=evaluations,
            name=name,
            repeat=plan.repeat,
            times=plan.times,
            objectives=options.objectives,
            limits=options.limits,
            start=plan.start,
            release=options.release,
            seconds=options.hours.for_search,
            on_begin=(lambda: _record(options, settings)) if settings else None,
            on_trial=bar.told,
        )
        bar.ended(study, cut=_was_cut(options, study, plan))
    return study


def _record(options: Options, settings: Mapping[str, Json]) -> None:
    """Writes what was asked for, once the study is known to be the one that is asked for."""
    from naokit.runs.folder import record_settings

    record_settings(options.out, settings)
    options.given.write(options.out)


def _finish(options: Options, study: Study, evaluator: Training, preset: Preset) -> dict[str, Json]:
    """The best architecture trained and exported."""
    from naokit.cli.winner import trained_and_exported
    from naokit.runs.final import Job

    job = Job(
        *_final(study.space, evaluator, preset),
        options.out / "training",
        seed=options.seed,
        device=options.device,
        precision=options.precision,
        seconds=options.hours.for_final,
    )
    return trained_and_exported(study.best_architecture, job, options.out)
