"""`naokit show`: a run, or an architecture and a drawing of its cells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.grouped import grouped
from naokit.cli.options import AsJson, GenotypeOptions
from naokit.cli.output import exit_codes, print_json, say
from naokit.cli.reading import without_garbage

if TYPE_CHECKING:
    from naokit.report.overview import Shown


@grouped
def show(
    *,
    what: Annotated[str, typer.Argument(help="A run's folder, a network's, or a genotype.")],
    genotype: GenotypeOptions,
    top: Annotated[
        int, typer.Option(min=1, help="How many of a run's architectures are shown.")
    ] = 10,
    svg: Annotated[Path | None, typer.Option(help="Write a drawing of the cells here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the drawing.")] = False,
    json: AsJson = False,
) -> None:
    """Show a run's standings, or an architecture as text; draw it with --svg."""
    with exit_codes(), without_garbage():
        from naokit.base import InputError
        from naokit.cli.show_tables import print_shown
        from naokit.cli.target import architecture_of
        from naokit.report.overview import shown
        from naokit.study.standings import NoBest

        if svg is not None and svg.exists() and not force:
            raise InputError(f"{svg} exists already; name another file, or give --force")
        try:
            target = architecture_of(what, genotype)
        except NoBest as why:
            if svg is not None:
                raise
            found = _without_best(what, genotype, str(why), top)
            print_json(found.to_json()) if json else print_shown(found)
            return
        architecture, run = target.architecture, target.run
        if svg is not None:
            from naokit.files import write_whole

            write_whole(svg, architecture._repr_svg_())
        study, own = (None, None) if run is None else (run.study, run.own)
        found = shown(architecture, study, top, own)
        if json:
            print_json(found.to_json())
            return
        print_shown(found)
        say(*architecture.space.describe(architecture.choices).split("\n"))
        if svg is not None:
            say(f"drawn in {svg}")


def _without_best(what: str, genotype: GenotypeOptions, why: str, top: int) -> Shown:
    """A run that has no best."""
    from naokit.report.overview import shown_without_best
    from naokit.runs.run import Run

    return shown_without_best(Run.at(what, genotype.storage).study, why, top)
