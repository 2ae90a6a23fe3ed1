"""`naokit search`: from a space and data to a trained, exported network."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import (
    Activations,
    AsJson,
    DeviceName,
    ImageSize,
    PrecisionName,
    SkipBad,
    Tokens,
    Workers,
)
from naokit.cli.output import exit_codes, print_json, progress
from naokit.cli.subject import check_networks, recipe_for, say_what_is_held_out, subject_of
from naokit.cli.target import how_read, say_what_is_left_out, starting_points
from naokit.presets import EMBEDDED

if TYPE_CHECKING:
    from naokit.base import Architecture, Evaluator, Json, Space, Trial
    from naokit.bench import Task
    from naokit.evaluators.train import Training
    from naokit.goals import Goals
    from naokit.presets import Preset
    from naokit.study import Study
    from naokit.training.device import Device, Precision


@dataclass(frozen=True)
class _Options:
    """What the command line asked for, as the steps need it."""

    space_text: str
    method: str
    seed: int
    evaluations: int
    out: Path
    storage: str
    ends: float | None
    device: Device
    precision: Precision
    objectives: tuple[str, ...]
    limits: tuple[str, ...]
    start_from: Path | None
    image_size: int | None
    skip_bad: bool
    workers: int
    tokens: str | None

    @property
    def recorded(self) -> dict[str, Json]:
        """What settings.json keeps of these."""
        from naokit.storage import shown

        return {
            "storage": shown(self.storage),
            "method": self.method,
            "seed": self.seed,
            "objectives": list(self.objectives),
            "limits": list(self.limits),
        }

    @property
    def seconds(self) -> float | None:
        """What is left of --hours, below 0 where they are over; None: no limit."""
        return None if self.ends is None else self.ends - time.monotonic()

    @property
    def out_of_time(self) -> bool:
        """Whether --hours are over."""
        return self.seconds is not None and self.seconds <= 0


OF_DATA = (
    "preset",
    "nodes",
    "activations",
    "baseline",
    "final",
    "image_size",
    "skip_bad",
    "workers",
    "tokens",
    "device",
    "precision",
)
"""Options of a search that trains; a table has the results already."""
OF_TABLE = ("architecture_column", "metric", "class_column", "direction")
"""Options that say how a table is read."""


def search(
    context: typer.Context,
    space: Annotated[
        str, typer.Option(help="A name, file.py:NAME or package.module:NAME.")
    ] = "conv-small",
    data: Annotated[
        str | None,
        typer.Option(
            help="Images: digits, a folder of class folders, .parquet, .npz or a hub name. Text: "
            "pydoc, a folder with train, valid and test text, a file or a hub name."
        ),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="How the search is run: quick, small, paper.")
    ] = "quick",
    method: Annotated[
        str, typer.Option(help="Who proposes: nao, nao-2018, evolution, random, tpe, ...")
    ] = "nao",
    evaluations: Annotated[
        int | None, typer.Option(min=1, help="How many in all; more than before go on.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    nodes: Annotated[int | None, typer.Option(min=1, help="Nodes a cell (the paper's B).")] = None,
    activations: Activations = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; default: runs/SPACE-DATA-METHOD.")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="Database URL instead of OUT/study.db.")
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(
            min=0, help="Of the whole command: the final training gets what the search leaves."
        ),
    ] = None,
    baseline: Annotated[
        bool | None,
        typer.Option(help="Random search with as many evaluations; default: the preset's."),
    ] = None,
    final: Annotated[bool, typer.Option(help="Train, export and check the best network.")] = True,
    image_size: ImageSize = None,
    skip_bad: SkipBad = False,
    workers: Workers = 0,
    tokens: Tokens = None,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    table: Annotated[
        list[Path] | None, typer.Option(help="CSV of known results instead of data; may repeat.")
    ] = None,
    architecture_column: Annotated[
        str, typer.Option(help="Column of the table that names the architecture.")
    ] = "arch",
    metric: Annotated[str | None, typer.Option(help="Column of the table to optimise.")] = None,
    class_column: Annotated[
        str | None, typer.Option(help="Column whose equal values are one architecture.")
    ] = None,
    direction: Annotated[
        str, typer.Option(help="Of the table's metric: maximize or minimize.")
    ] = "maximize",
    objective: Annotated[
        list[str] | None,
        typer.Option(
            help="May repeat: accuracy or perplexity, then parameters, macs, latency or a column."
        ),
    ] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help='Bound, may repeat: "parameters<=3e6".')
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(help="A run, or a file with a genotype a line: evaluate these first."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Search for an architecture; on data, train and export the best one too.

    The same command again continues where it stopped.
    """
    began = time.monotonic()
    with exit_codes():
        from naokit import presets, runs, spaces
        from naokit.base import InputError
        from naokit.bench import Task
        from naokit.cli.table_goals import table_goals
        from naokit.goals import direction_named
        from naokit.report import closing_lines
        from naokit.storage import address_of
        from naokit.study import check_method
        from naokit.training.device import device_named, precision_named

        if table and data:
            raise InputError(
                "give --data to train networks or --table to look results up, not both"
            )
        _check_asked(context, table=bool(table))
        check_method(method)  # a wrong name fails before anything is written
        searched = None if table else spaces.load(space, nodes=nodes, activations=activations)
        reads = searched.reads if searched else "images"
        towards = direction_named(direction)
        chosen = presets.preset(preset, reads)
        source = table[0].name.partition(".")[0] if table else Path(data or EMBEDDED[reads]).name
        name = searched.name if searched else spaces.name_of(space)
        folder = out or Path("runs") / f"{name}-{source}-{method}"
        options = _Options(
            space,
            method,
            seed,
            evaluations or chosen.evaluations,
            folder,
            storage or address_of(folder / "study.db"),
            None if hours is None else began + 3600 * hours,
            device_named(device),
            precision_named(precision),
            tuple(objective or ()),
            tuple(limit or ()),
            start_from,
            image_size,
            skip_bad,
            workers,
            tokens,
        )
        runs.check_storage(folder, options.storage)
        if table:
            if metric is None:
                raise InputError("--table needs --metric, the column to optimise")
            goals = table_goals(towards, options.objectives, options.limits)
            paths = tuple(str(path.resolve()) for path in table)
            task = Task(
                space,
                paths,
                architecture_column,
                metric,
                class_column=class_column,
                direction=goals.objectives[0].direction,
                also=goals.figures,
            )
            found = _on_table(options, task, goals)
        else:
            assert searched is not None
            if not searched.has_networks:  # before anything is written
                raise searched.no_network()
            wants_baseline = chosen.baseline if baseline is None else baseline
            found = _on_data(options, searched, data, chosen, wants_baseline, final)
        if json:
            print_json(found)
        else:
            typer.echo("\n".join(closing_lines(found)))


def _check_asked(context: typer.Context, *, table: bool) -> None:
    """Raises InputError for an option of the other kind of search that was given."""
    from naokit.base import InputError

    for name in OF_DATA if table else OF_TABLE:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            wanted = "trains networks" if table else "looks results up in a --table"
            raise InputError(
                f"--{name.replace('_', '-')} is for a search that {wanted}: leave it out"
            )


def _on_table(options: _Options, task: Task, goals: Goals) -> dict[str, Json]:
    """A search on known results."""
    from naokit import runs
    from naokit.cli.table_goals import check_columns
    from naokit.files import write_json

    evaluator = task.load()
    for note in evaluator.understood:
        typer.echo(note, err=True)
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
    study = _search(options, evaluator.space, evaluator, runs.STUDY, 0, 1, settings, start)
    found = _summary(options, study, evaluator)
    found["unfinished"] = ["search"] if _was_cut(options, study, 0) else []
    write_json(options.out / runs.REPORT, found)
    return found


def _on_data(
    options: _Options,
    space: Space,
    data: str | None,
    preset: Preset,
    baseline: bool,
    final: bool,
) -> dict[str, Json]:
    """A search that trains, the baseline, the final training and the export."""
    from naokit import runs
    from naokit.evaluators import Training
    from naokit.files import write_json

    given = {
        "image_size": options.image_size,
        "skip_bad": options.skip_bad,
        "workers": options.workers,
        "tokens": options.tokens,
    }
    evaluator = Training(
        subject_of(space.reads, data, given | preset.size()),
        recipe_for(space.reads, preset.recipe),
        device=options.device,
        precision=options.precision,
        latency="latency" in " ".join((*options.objectives, *options.limits)),
    )
    _check_names(options, evaluator)
    trainings: list[tuple[str, dict[str, Json]]] = [(preset.recipe, {})]
    if final:
        trainings.append((preset.final_recipe, preset.final_size()))
    for name, size in trainings:  # before anything is written
        subject, recipe = evaluator.subject.again(size), recipe_for(space.reads, name)
        subject.check_data(recipe)
        check_networks(space, subject, recipe)
    _check_limits(options, space, evaluator)
    start = starting_points(options.start_from, space)  # likewise
    say_what_is_left_out(start, space, evaluator, options.limits)
    say_what_is_held_out(evaluator.subject)
    for name, table in how_read(space).items():
        typer.echo(f"{name}: {table}", err=True)
    source = data or EMBEDDED[space.reads]
    settings = {
        "command": "search",
        "space": dict(space.settings()),
        "data": str(Path(source).resolve()) if Path(source).exists() else source,
        "image_size": options.image_size,
        "skip_bad": options.skip_bad,
        "tokens": options.tokens,
        **options.recorded,
        "preset": runs.as_json(preset),
        "evaluator": dict(evaluator.settings()),
    }
    times = preset.times
    repeats = preset.repeat * (times - 1)
    study = _search(options, space, evaluator, runs.STUDY, preset.repeat, times, settings, start)
    unfinished = ["search"] if _was_cut(options, study, repeats) else []
    beside = None
    if baseline:
        beside = _search(options, space, evaluator, runs.BASELINE, preset.repeat, times)
        if _was_cut(options, beside, repeats):
            unfinished.append("random search")
            beside = None  # fewer evaluations are no comparison
    found = _summary(options, study, evaluator, beside)
    if final:
        trained = {} if options.out_of_time else _finish(options, study, evaluator, preset)
        if not trained or not trained["final"]["complete"]:
            unfinished.append("final training")
        found |= trained
    found["unfinished"] = unfinished
    write_json(options.out / runs.REPORT, found)
    return found


def _check_names(options: _Options, evaluator: Training) -> None:
    """Raises InputError for an objective or a limit that no evaluation will have a figure for."""
    from naokit.base import InputError
    from naokit.goals import Goals

    goals = Goals.of(evaluator.direction, options.objectives, options.limits)
    score = evaluator.subject.score
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


def _check_limits(options: _Options, space: Space, evaluator: Evaluator) -> None:
    """Raises InputError where nothing is within them, before anything is written."""
    from naokit.goals import Limit
    from naokit.spaces.bounded import check_limits

    check_limits(space, evaluator, [Limit.of(text) for text in options.limits])


def _was_cut(options: _Options, study: Study, repeats: int) -> bool:
    """Whether --hours ended before the study did; a study of a small space ends by itself."""
    return options.out_of_time and len(study.trials) < options.evaluations + repeats


def _summary(
    options: _Options, study: Study, evaluator: Evaluator, baseline: Study | None = None
) -> dict[str, Json]:
    """What was found, and where it lies."""
    from naokit import report
    from naokit.base import InputError
    from naokit.storage import shown

    if options.out_of_time and not study.trials:
        raise InputError("--hours ended before the first evaluation did; give more")
    return {
        "method": options.method,
        "space": options.space_text,
        **how_read(study.space),
        **report.summary(study, evaluator, baseline),
        "folder": str(options.out),
        "storage": shown(options.storage),
    }


def _search(
    options: _Options,
    space: Space,
    evaluator: Evaluator,
    name: str,
    repeat: int,
    times: int,
    settings: dict[str, Json] | None = None,
    start: Sequence[Architecture] = (),
) -> Study:
    """One study under a progress bar, from `start`; `settings` are recorded once it is open."""
    import optuna

    from naokit import runs
    from naokit.report import figure

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # the bar says it once already
    method = "random" if name == runs.BASELINE else options.method
    with progress() as bar:
        total = options.evaluations + repeat * (times - 1)
        task = bar.add_task(f"{method:12}", total=total, note="")

        best = max if evaluator.direction == "maximize" else min
        seen: list[Trial] = []

        def told(study: Study, trial: Trial) -> None:
            seen.extend([trial] if seen else study.trials)
            valued = [t for t in seen if t.value is not None]
            values = [t.value for t in valued if t.value is not None and study.goals.hold(t)]
            metric = evaluator.metric
            last = trial.reason if trial.value is None else figure(trial.value, metric)
            shown = "none within the limits yet, " if valued else ""
            shown = f"best {figure(best(values), metric)}, " if values else shown
            done = len(seen)  # more than the total where an earlier best was repeated as well
            note = f"{shown}last {last} ({trial.origin})"
            bar.update(task, completed=done, total=max(done, total), note=note)

        study = runs.search(
            space,
            evaluator,
            storage=options.storage,
            method=method,
            # Another seed: with the same one the two would share their random start.
            seed=options.seed + 1 if name == runs.BASELINE else options.seed,
            evaluations=options.evaluations,
            name=name,
            repeat=repeat,
            times=times,
            objectives=options.objectives,
            limits=options.limits,
            start=start,
            seconds=options.seconds,
            on_begin=lambda: runs.record_settings(options.out, settings) if settings else None,
            on_trial=told,
        )
        done = len(study.trials)
        # Also where nothing new had to be done, or the space or the best few are fewer.
        total = max(done, total) if options.out_of_time else done
        bar.update(task, completed=done, total=total)
    return study


def _finish(
    options: _Options, study: Study, evaluator: Training, preset: Preset
) -> dict[str, Json]:
    """The best architecture trained and exported; empty where time ran out."""
    from naokit.cli.winner import trained_and_exported
    from naokit.final import Job

    job = Job(
        evaluator.subject.again(preset.final_size()),
        recipe_for(study.space.reads, preset.final_recipe),
        options.out / "training",
        seed=options.seed,
        device=options.device,
        precision=options.precision,
        seconds=options.seconds,
    )
    return trained_and_exported(study.best_architecture, job, options.out)
