"""`naokit show`: a run, or an architecture and a drawing of its cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import Activations, AsJson, GenotypeSpace
from naokit.cli.output import exit_codes, print_json

if TYPE_CHECKING:
    from naokit.base import Architecture, Json, Trial
    from naokit.study import Study


def show(
    what: Annotated[str, typer.Argument(help="A run's folder, a network's, or a genotype.")],
    space: GenotypeSpace = None,
    nodes: Annotated[int | None, typer.Option(min=1, help="Nodes a cell of a genotype.")] = None,
    activations: Activations = None,
    top: Annotated[int, typer.Option(min=1, help="How many of a run's architectures.")] = 10,
    svg: Annotated[Path | None, typer.Option(help="Write a drawing of the cells here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the drawing.")] = False,
    json: AsJson = False,
) -> None:
    """Show a run's standings, or an architecture as text; draw it with --svg."""
    with exit_codes():
        from naokit.base import InputError
        from naokit.cli.target import architecture_of, open_study
        from naokit.files import write_whole

        if svg is not None and svg.exists() and not force:
            raise InputError(f"{svg} exists already; name another file, or give --force")
        target = architecture_of(what, space, nodes, activations)
        architecture = target.architecture
        study = None if target.folder is None else open_study(target.folder)
        if svg is not None:
            write_whole(svg, architecture._repr_svg_())
        report = _report(architecture, study, top)
        if json:
            print_json(report)
            return
        if study is not None:
            _print_standings(report, study.goals.objectives[0].wish)
            if report["front"]:
                _print_front(report)
            typer.echo("\n".join(model_lines(report)))
        typer.echo(architecture.space.describe(architecture.choices))
        if svg is not None:
            typer.echo(f"drawn in {svg}")


def _report(architecture: Architecture, study: Study | None, top: int) -> dict[str, Json]:
    from naokit.report import front

    report: dict[str, Json] = {
        "space": architecture.space.name,
        "settings": dict(architecture.space.settings()),
        "architecture": str(architecture),
        "key": architecture.key,
    }
    if study is None:
        return report
    trials = study.trials
    report |= {
        "study": study.settings,
        "environments": study.optuna.user_attrs.get("environments", []),
        "evaluations": study.evaluations,
        "failed": study.failed,
        "failures": sorted({trial.reason for trial in trials if trial.value is None}),
        "seconds": sum(trial.seconds for trial in trials),
        "front": front(study) if len(study.goals.objectives) > 1 else [],
        "origins": dict(Counter(_kind(trial) for trial in trials)),
        "model": _latest_model(trials),
        "standings": [
            {
                "architecture": str(standing.architecture),
                "mean": standing.mean,
                "values": standing.values,
                "trial": standing.number,
                "origin": next(t.origin for t in trials if t.number == standing.number),
            }
            for standing in study.standings()[:top]
        ],
    }
    return report


def _print_front(report: dict[str, Json]) -> None:
    from rich.console import Console
    from rich.table import Table

    from naokit.report import front_title

    objectives = report["study"]["goals"]["objectives"]
    names = [text.partition(":")[0] for text in objectives]
    table = Table(
        title=f"{front_title(objectives)}: none beats these in every objective",
        title_justify="left",
    )
    for column in (*names, "trial", "architecture"):
        table.add_column(column, overflow="fold")
    for row in report["front"]:
        figures = (f"{row['values'][name]:g}" for name in names)
        table.add_row(*figures, str(row["trial"]), row["architecture"])
    Console().print(table)


def _kind(trial: Trial) -> str:
    """Where a proposal came from, without the length of a step."""
    return trial.origin.rstrip("0123456789. ")


def _latest_model(trials: Sequence[Trial]) -> dict[str, Json]:
    """What the method last knew of its model; empty where it has none."""
    return next((dict(trial.model) for trial in reversed(trials) if trial.model), {})


def model_lines(report: dict[str, Json]) -> list[str]:
    """Whether the model can be trusted, and where the proposals came from."""
    origins = ", ".join(f"{count} {origin}" for origin, count in report["origins"].items())
    lines = [f"Proposals: {origins or 'none yet'}."]
    model = report["model"]
    if model:
        lines.append(
            f"Model at {model['results']:.0f} results, each foretold by the others: rank "
            f"correlation {model['rank_correlation']:.2f} (1: perfect, 0: none); "
            f"{100 * model['within_90']:.0f} % lay where it was 90 % sure."
        )
    if "decoded" in model:
        lines.append(
            f"Decoded {model['decoded']:.0f} latent steps, all valid by construction; "
            f"{model['decoded_new']:.0f} were new architectures."
        )
    return lines


def _print_standings(report: dict[str, Json], wish: str) -> None:
    from rich.console import Console
    from rich.table import Table

    settings = report["study"]
    table = Table(
        title=f"{settings['method']}, seed {settings['seed']}: {report['evaluations']} evaluations "
        f"({report['failed']} failed), {report['seconds']:.0f} s; {wish}",
        title_justify="left",
    )
    for column in ("", "value", "evaluations", "trial", "origin", "architecture"):
        table.add_column(column, overflow="fold")
    for place, row in enumerate(report["standings"], 1):
        table.add_row(
            str(place),
            f"{row['mean']:.6g}",
            str(len(row["values"])),
            str(row["trial"]),
            row["origin"],
            row["architecture"],
        )
    Console().print(table)
