"""`naokit search`: from a space and data to a trained, exported network."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.base import InputError
from naokit.cli import config_file
from naokit.cli.durations import spoken
from naokit.cli.grouped import grouped
from naokit.cli.options import Activations, AsJson, FinalSize
from naokit.cli.output import exit_codes, print_json, say
from naokit.cli.search_options import (
    OF_DATA,
    OF_TABLE,
    Evaluation,
    Fidelity,
    KnownResults,
    Wanted,
    check_asked,
)
from naokit.cli.worker_options import WorkerOptions

if TYPE_CHECKING:
    from naokit.evaluators import Tabular
    from naokit.evaluators.learning import Learning
    from naokit.runs.hours import Hours


@grouped
def search(
    *,
    context: typer.Context,
    space: Annotated[
        str,
        typer.Option(
            help="The space: a name, file.py:NAME or package.module:NAME; for a table also choices "
            "or graphs."
        ),
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
        int | None,
        typer.Option(
            min=1, help="How many evaluations in all; more than before continue the search."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is random.")] = 0,
    nodes: Annotated[
        int | None, typer.Option(min=1, help="Nodes in each cell (the paper's B).")
    ] = None,
    activations: Activations = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; default: runs/SPACE-DATA-METHOD.")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="URL of the study's database; default: OUT/study.db.")
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Hours for the whole command; a fifth of them is kept for the final training.",
        ),
    ] = None,
    baseline: Annotated[
        bool | None,
        typer.Option(
            help="Also search at random, with as many evaluations; default: the preset's."
        ),
    ] = None,
    final: Annotated[bool, typer.Option(help="Train, export and check the best network.")] = True,
    final_size: FinalSize,
    evaluation: Evaluation,
    where: WorkerOptions,
    known: KnownResults,
    wanted: Wanted,
    fidelity: Fidelity,
    start_from: Annotated[
        Path | None,
        typer.Option(
            help="A run, a file with a genotype on each line, or published, all published cells of "
            "the space: these are evaluated first."
        ),
    ] = None,
    release_abandoned: Annotated[
        bool,
        typer.Option(
            "--release-abandoned",
            help="Evaluate again what other machines were evaluating that give no sign of life.",
        ),
    ] = False,
    page: Annotated[
        bool,
        typer.Option("--page", help="Write OUT/report.html every few seconds while it runs, too."),
    ] = False,
    config: config_file.Config = None,
    json: AsJson = False,
) -> None:
    """Search for an architecture; on data, train and export the best one too.

    The same command again continues where it stopped.
    """
    began = time.monotonic()
    del config  # its options are in the others' places already
    with exit_codes():
        from naokit import spaces
        from naokit.cli.prior_file import read_prior
        from naokit.cli.search_bars import Bars
        from naokit.cli.search_plan import (
            evaluator_of,
            half_final,
            preset_of,
            recipe_begun,
            table_of,
            with_final,
            with_shared_epochs,
        )
        from naokit.cli.start import starting_points
        from naokit.kinds import kind_of
        from naokit.report.words import closing_lines
        from naokit.runs.hours import Hours
        from naokit.runs.live_page import LivePage
        from naokit.runs.plan import FinalTraining, OwnTraining, Plan
        from naokit.runs.search import search as carry_out
        from naokit.runs.settings import check_storage
        from naokit.study import check_method
        from naokit.study.storage import address_of

        table = known.table
        if table and data:
            raise InputError(
                "give --data to train networks or --table to look results up, not both"
            )
        check_asked(context, table=bool(table))
        check_method(method)  # a wrong name fails before anything is written
        prior = None if wanted.prior is None else read_prior(wanted.prior)
        searched = None if table else spaces.load(space, nodes=nodes, activations=activations)
        kind = kind_of(searched.reads if searched else "images")
        shared = evaluation.shared
        source = table[0].name.partition(".")[0] if table else Path(data or kind.embedded).name
        name = searched.name if searched else spaces.name_of(space)
        way = "-supernet" if shared else ""
        folder = out or Path("runs") / f"{name}-{source}-{method}{way}"
        begun = recipe_begun(folder)
        usual = preset_of(kind, preset, begun, shared=shared)
        longer = with_shared_epochs(usual, fidelity.epochs_in_all)
        chosen = with_final(longer, kind.reads, asdict(final_size))
        address = storage or address_of(folder / "study.db")
        check_storage(folder, address)
        goals = tuple(wanted.objective or ()), tuple(wanted.limit or ())
        evaluator: Tabular | Learning
        if searched is None:
            evaluator = table_of(space, known, *goals)
            searched, named = evaluator.space, evaluator.space.space
        else:
            figures = sum(goals, ())
            evaluator = evaluator_of(searched, data, chosen, evaluation, figures, seed, begun)
            named = searched
        alone = not table and not shared and len(goals[0]) < 2
        pruner = fidelity.chosen(chosen if alone else None)
        epochs = None if shared else fidelity.epochs_in_all  # the shared network has them all
        if pruner and alone and not evaluations:
            epochs = epochs or chosen.evaluations * evaluator.epochs
        again = (0, 1) if table else (chosen.repeat, chosen.times)
        own = OwnTraining(chosen.recipe, chosen.size()) if shared else None
        beside = chosen.baseline and fidelity.finalists is None
        if fidelity.finalists is not None:
            again, own = (fidelity.finalists, 1), half_final(chosen, kind.reads, shared=shared)
        plan = Plan(
            dict(named.settings()),
            dict(evaluator.settings()),
            method,
            seed,
            evaluations or epochs or chosen.evaluations,
            *again,
            baseline=not table and (beside if baseline is None else baseline),
            objectives=goals[0],
            limits=goals[1],
            start=tuple(map(str, starting_points(start_from, searched))),
            final=None if table else FinalTraining.of(chosen),
            own=own,
            warm_start=evaluation.warm_start,
            prior=prior,
            pruner=pruner,
            epochs=epochs,
        )
        time_there_is = Hours.of(hours, began, final=final and not table)
        say_shared(time_there_is)
        asked = config_file.given(context, OF_DATA if table else OF_TABLE, out=folder.absolute())
        live = LivePage(folder, storage).told if page else None
        with Bars(lambda: asked.write(folder), live) as bars, where.opened(bars.remark) as workers:
            found = carry_out(
                plan,
                folder,
                space=searched,
                evaluator=evaluator,
                storage=address,
                workers=workers,
                hours=time_there_is,
                final=final,
                release=release_abandoned,
                watcher=bars,
            )
        print_json(found.to_json()) if json else say(*closing_lines(found))


def say_shared(hours: Hours) -> None:
    """Says on stderr how the hours are shared out."""
    if hours.share:
        search, final = map(spoken, (hours.for_search_in_all, hours.share))
        say(
            f"--hours: the search gets {search}, {final} are kept for the final training",
            err=True,
        )
