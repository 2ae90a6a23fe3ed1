"""`naokit bench`: methods against each other on a table of known results."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import AsJson
from naokit.cli.output import exit_codes, print_json, progress, say

if TYPE_CHECKING:
    from naokit.bench import Search


def bench(
    table: Annotated[list[Path], typer.Option(help="CSV of known results; several are joined.")],
    metric: Annotated[str, typer.Option(help="The column that methods see.")],
    space: Annotated[
        str,
        typer.Option(
            help="The space of the table; choices: each architecture column is a choice; graphs: "
            "the column holds graphs."
        ),
    ] = "nas-bench-201",
    architecture_column: Annotated[
        str, typer.Option(help="Column that names the architecture; several with commas.")
    ] = "arch",
    test_metric: Annotated[
        str | None, typer.Option(help="A column that is only reported, for the best so far.")
    ] = None,
    class_column: Annotated[
        str | None, typer.Option(help="Column whose equal values mean one architecture.")
    ] = None,
    direction: Annotated[
        str, typer.Option(help="Which way --metric is better: maximize or minimize.")
    ] = "maximize",
    prior: Annotated[
        Path | None,
        typer.Option(help="A YAML file of weights on choices that methods begin with."),
    ] = None,
    curve_columns: Annotated[
        str | None,
        typer.Option(
            help="Columns of the value after each epoch: epoch_1..epoch_25, or names with commas."
        ),
    ] = None,
    methods: Annotated[
        str,
        typer.Option(
            help="Names of methods with commas between them; with --curve-columns also nao+asha: "
            "trainings stop early."
        ),
    ] = "nao,random",
    seeds: Annotated[int, typer.Option(min=1, help="How many searches each method makes.")] = 10,
    evaluations: Annotated[int, typer.Option(min=1, help="How many each search makes.")] = 300,
    workers: Annotated[
        int, typer.Option(min=1, help="How many evaluations run side by side, in virtual time.")
    ] = 1,
    cost_column: Annotated[
        str | None,
        typer.Option(
            help="Column of how long an evaluation takes, such as seconds; by default all take as "
            "long. Adds the time to the best, beside one worker's."
        ),
    ] = None,
    synchronous: Annotated[
        bool,
        typer.Option(
            "--synchronous", help="Workers begin again once all are free, not each by itself."
        ),
    ] = False,
    processes: Annotated[int, typer.Option(min=1, help="How many searches run side by side.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of results, default: runs/bench-TABLE; the same again continues."
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Compare methods on known results: queries to the best, curves, seconds a suggestion.

    With --cost-column also how long so many --workers take to find it, in virtual time.

    Writes runs.jsonl, and for the table a summary as JSON, as markdown and as a page.
    """
    with exit_codes():
        from naokit import bench as benchmark
        from naokit.bench.compared import compared_methods
        from naokit.bench.task import table_of
        from naokit.cli.curve_columns import columns_of
        from naokit.cli.prior_file import read_prior
        from naokit.files import write_whole
        from naokit.report.page.compare import comparison_page
        from naokit.study.goals import direction_named

        task = benchmark.TableTask(
            space,
            tuple(str(path) for path in table),
            architecture_column,
            metric,
            test_metric,
            class_column,
            direction_named(direction),
            prior="" if prior is None else dumps(read_prior(prior)),
            curve_columns=columns_of(curve_columns or ""),
            cost_column=cost_column or "",
        )
        for note in table_of(task).understood:
            say(note, err=True)
        names = list(dict.fromkeys(name.strip() for name in methods.split(",") if name.strip()))
        folder = out or Path("runs") / f"bench-{table[0].name.partition('.')[0]}"
        with progress() as bar:
            line = bar.add_task("bench", total=len(names) * seeds, note="")

            def told(run: Search) -> None:
                found = len(run.values)
                bar.update(line, advance=1, note=f"{run.method} seed {run.seed}: {found} queries")

            summary = benchmark.bench(
                task,
                names,
                seeds=seeds,
                evaluations=evaluations,
                workers=workers,
                synchronous=synchronous,
                processes=processes,
                out=folder,
                on_start=lambda there, all_: bar.update(line, completed=there, total=all_),
                on_search=told,
            )
        summary_file = folder / f"{summary['name']}.json"
        page = summary_file.with_suffix(".html")
        write_whole(page, comparison_page(compared_methods([summary_file])))
        if json:
            print_json(summary["methods"])
        else:
            typer.echo(f"{benchmark.markdown(summary)}\nFiles: {folder}\nNext: open {page}")
