"""`naokit report`: a run as one page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import AsJson, RunStorage
from naokit.cli.output import exit_codes, print_json, say
from naokit.cli.reading import without_garbage

if TYPE_CHECKING:
    from naokit.images.examples import ImageExamples
    from naokit.text.examples import TextExamples


def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run, finished or not.")],
    out: Annotated[Path | None, typer.Option(help="The page; default: RUN/report.html.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many of the best are shown.")] = 10,
    examples: Annotated[
        bool,
        typer.Option(
            "--examples",
            help="Also run the trained network: confusions and the images that it gets wrong, or "
            "a text that it writes. This needs the data.",
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
    storage: RunStorage = None,
    json: AsJson = False,
) -> None:
    """Write a run as one HTML page, which loads nothing; with --json print its numbers instead."""
    with exit_codes(), without_garbage():
        from naokit.base import InputError
        from naokit.runs.reporting import run_report, write_page
        from naokit.runs.run import Run

        if out is not None and out.exists() and not force:
            raise InputError(f"{out} exists already; name another file, or give --force")
        found = Run.at(run, storage)
        made = run_report(found, top, _examples(run) if examples else None)
        if json:
            print_json(made.to_json())
            return
        say(f"written: {write_page(found, made, out)}")


def _examples(run: Path) -> ImageExamples | TextExamples:
    """What the trained network of a run does with its data."""
    from naokit.cli.by_kind import shown
    from naokit.kinds import reads_at

    return shown(reads_at(run)).examples(run)
