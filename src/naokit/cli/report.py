"""`naokit report`: a run as one page; several runs, or methods on a table, beside each other."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import AsJson, RunStorage
from naokit.cli.output import exit_codes, print_json, say
from naokit.cli.reading import without_garbage

if TYPE_CHECKING:
    from naokit.kind import Examples
    from naokit.report.beside import Compared

COMPARISON = Path("comparison.html")


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="The folder of a run, finished or not; several are compared, and so are the "
            "methods in a folder of `naokit bench`.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The page; default: RUN/report.html, of a comparison comparison.html."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many of the best are shown.")] = 10,
    examples: Annotated[
        bool,
        typer.Option(
            "--examples",
            help="Also run the trained network: confusions and the images that it gets wrong, or "
            "a text that it writes. This needs the data.",
        ),
    ] = False,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Show the page on this machine until Ctrl-C; writes no file."),
    ] = False,
    dashboard: Annotated[
        bool,
        typer.Option(
            "--dashboard",
            help="Draw each trial's architecture where optuna-dashboard shows it, in RUN/drawings "
            "and a note of the trial; writes no page.",
        ),
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of --serve.")] = 8610,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    storage: RunStorage = None,
    json: AsJson = False,
) -> None:
    """Write a run as one HTML page, which loads nothing; with --json print its numbers instead."""
    with exit_codes(), without_garbage():
        from naokit.base import InputError
        from naokit.bench.compared import is_bench
        from naokit.runs.reporting import run_report, write_page
        from naokit.runs.run import Run

        several = len(runs) > 1 or is_bench(runs[0])
        alone = {"--examples": examples, "--serve": serve, "--dashboard": dashboard}
        for name, asked in alone.items():
            if several and asked:
                raise InputError(f"{name} is for one run: leave it out, or give one")
        if serve:
            _serve(runs[0], storage, top, port)
            return
        if dashboard:
            _draw(runs[0], storage)
            return
        named = COMPARISON if several and out is None else out
        if not json and named is not None and named.exists() and not force:
            raise InputError(f"{named} exists already; name another file, or give --force")
        if several:
            _write(_compared(runs, storage), named or COMPARISON, as_json=json)
            return
        run = Run.at(runs[0], storage)
        made = run_report(run, top, _examples(runs[0]) if examples else None)
        if json:
            print_json(made.to_json())
            return
        say(f"written: {write_page(run, made, out)}")


def _serve(folder: Path, storage: str | None, top: int, port: int) -> None:
    """The page of a run on this machine, as it is whenever it is looked at."""
    from naokit.base import InputError
    from naokit.cli.report_serve import FRESH, server_of
    from naokit.report.page import page
    from naokit.runs.reporting import run_report
    from naokit.runs.run import Run

    def made() -> str:
        run = Run.at(folder, storage)
        return page(run_report(run, top), run.space, refresh=round(FRESH))

    made()  # what is wrong with the run is said at once
    try:
        server = server_of(made, port)
    except OSError as error:
        raise InputError(f"--port {port}: {error.strerror}; give another, or 0 for any") from error
    with server:
        say(f"http://localhost:{server.server_address[1]}/ shows {folder}; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def _draw(folder: Path, storage: str | None) -> None:
    """The architectures of a run where optuna-dashboard shows them."""
    from naokit.runs.folder import DRAWINGS, STUDY
    from naokit.runs.run import Run
    from naokit.runs.settings import storage_of
    from naokit.study.dashboard import command, draw_trials
    from naokit.wording import counted

    run, pictures = Run.at(folder, storage), folder / DRAWINGS
    address = storage_of(folder, storage)
    drawn = draw_trials(address, STUDY, run.study.trials, pictures)
    say(f"drawn: {counted(drawn, 'trial')} in {pictures}")
    say(f"Next: {command(address, pictures)}")


def _compared(folders: list[Path], storage: str | None) -> Compared:
    """Several runs, or the methods of benchmarks, beside each other."""
    from naokit.base import InputError
    from naokit.bench.compared import compared_methods, is_bench
    from naokit.report.compared import compared
    from naokit.runs.reporting import run_report
    from naokit.runs.run import Run

    tables = [folder for folder in folders if is_bench(folder)]
    if not tables:
        return compared([run_report(Run.at(folder, storage)) for folder in folders])
    if len(tables) < len(folders):
        other = next(folder for folder in folders if folder not in tables)
        raise InputError(
            f"{tables[0]} is of `naokit bench` and {other} is not: name runs, or folders of "
            "`naokit bench`"
        )
    return compared_methods(tables)


def _write(found: Compared, path: Path, *, as_json: bool) -> None:
    """Writes a comparison as a page, or prints its numbers."""
    from naokit.files import write_whole
    from naokit.report.page.compare import comparison_page

    if as_json:
        print_json(found.to_json())
        return
    write_whole(path, comparison_page(found))
    say(f"written: {path}")


def _examples(run: Path) -> Examples:
    """What the trained network of a run does with its data."""
    from naokit.cli.by_kind import shown
    from naokit.kinds import reads_at

    return shown(reads_at(run)).examples(run)
