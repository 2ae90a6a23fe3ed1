"""`naokit show`: a run, or an architecture and a drawing of its cells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.grouped import grouped
from naokit.cli.options import AsJson, GenotypeOptions
from naokit.cli.output import exit_codes, print_json, print_table, say
from naokit.cli.reading import without_garbage
from naokit.cli.show_report import contents, report_of
from naokit.wording import counted

if TYPE_CHECKING:
    from naokit.base import Json
    from naokit.doors import Trial
    from naokit.study import Study
    from naokit.study.goals import Goals


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
        from naokit.cli.target import architecture_of
        from naokit.study.standings import NoBest

        if svg is not None and svg.exists() and not force:
            raise InputError(f"{svg} exists already; name another file, or give --force")
        try:
            target = architecture_of(what, genotype)
        except NoBest as why:
            if svg is not None:
                raise
            from naokit.runs.run import Run

            _show_without_best(Run.at(what, genotype.storage).study, str(why), top, as_json=json)
            return
        architecture = target.architecture
        study, own = (None, None) if target.run is None else (target.run.study, target.run.own)
        if svg is not None:
            from naokit.files import write_whole

            write_whole(svg, architecture._repr_svg_())
        report = contents(architecture, study, top, own)
        if json:
            print_json(report)
            return
        if study is not None:
            wish = study.goals.objectives[0].wish
            if own is not None:
                _print_own(report, wish)
            _print_standings(report, wish)
            if report["front"]:
                _print_front(report)
            say(*_trust_lines(report), *model_lines(report))
        say(*architecture.space.describe(architecture.choices).split("\n"))
        if svg is not None:
            say(f"drawn in {svg}")


def _trust_lines(report: dict[str, Json]) -> list[str]:
    """How far the scores of the search can be trusted; none where nothing is known of that."""
    from naokit.report.words import trust_lines
    from naokit.study.trust import Trust

    if "trust" not in report:
        return []
    return trust_lines(Trust(**report["trust"]), alone=report["alone"])


def _print_own(report: dict[str, Json], wish: str) -> None:
    title, scored = "The best by shared weights, trained by themselves", "shared weights"
    if report.get("alone"):
        title, scored = "The best of the search, trained longer", "in the search"
    print_table(
        f"{title}; {wish}",
        ("", "value", "trainings", scored, "architecture"),
        [
            (
                str(place),
                f"{row['mean']:.6g}",
                str(len(row["values"])),
                "" if row["shared"] is None else f"{row['shared']:.6g}",
                row["architecture"],
            )
            for place, row in enumerate(report.get("own", ()), 1)
        ],
    )


def _show_without_best(study: Study, why: str, top: int, *, as_json: bool) -> None:
    """A run that has no best: why, and its evaluations, those nearest to the limits first."""
    trials = sorted(study.trials, key=lambda t: (t.value is None, -study.goals.slack(t), t.number))
    report: dict[str, Json] = {
        "space": study.space.name,
        "settings": dict(study.space.settings()),
        "architecture": None,
        "key": None,
        **report_of(study, top),
        "no_best": why,
        "trials": [
            {
                "trial": trial.number,
                "outcome": _outcome(trial, study.goals),
                "origin": trial.origin,
                "architecture": str(trial.architecture),
            }
            for trial in trials[:top]
        ],
    }
    if as_json:
        print_json(report)
        return
    if trials:
        columns = ("trial", "outcome", "origin", "architecture")
        rows = [[str(row[name]) for name in columns] for row in report["trials"]]
        print_table(_title(report), columns, rows)
    say(f"No best: {why}.")


def _outcome(trial: Trial, goals: Goals) -> str:
    """Why an evaluation is no candidate for the best."""
    from naokit.study.goals import BEYOND

    if trial.stopped:
        return f"stopped after {counted(trial.stopped, 'epoch')}"
    return trial.reason if trial.value is None else f"{BEYOND}: {goals.limited(trial)}"


def _print_front(report: dict[str, Json]) -> None:
    from naokit.report.words import front_title

    objectives = report["study"]["goals"]["objectives"]
    names = [text.partition(":")[0] for text in objectives]
    print_table(
        f"{front_title(objectives)}: none beats these in every objective",
        (*names, "trial", "architecture"),
        [
            (*(f"{row['values'][n]:g}" for n in names), str(row["trial"]), row["architecture"])
            for row in report["front"]
        ],
    )


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
    lines += _descriptors(model, report["evaluations"])
    lines += _standing_still(model)
    if "decoded" in model:
        lines.append(
            f"Decoded {model['decoded']:.0f} latent steps, all valid by construction; "
            f"{model['decoded_new']:.0f} were new architectures."
        )
    return lines


def _descriptors(model: dict[str, Json], evaluations: int) -> list[str]:
    """What was measured on untrained networks, and what it was worth; nothing where none was."""
    if not model.get("described"):
        return []
    cost = model["described_cost"]
    return [
        f"Described before training: {counted(int(model['described']), 'network')}, for as much as "
        f"{cost:.1f} evaluations ({100 * cost / (evaluations + cost):.0f} % of all). With these "
        f"descriptors the rank correlation was {model['described_with']:.2f}, without "
        f"{model['described_without']:.2f}."
    ]


def _standing_still(model: dict[str, Json]) -> list[str]:
    """That the search explores, and why; nothing while it does not."""
    if not model.get("exploring"):
        return []
    return [
        f"The last {model['standstill']:.0f} proposals brought nothing better, so "
        f"{100 * model['exploring']:.0f} % of the next are not what the model likes most: they "
        "are neighbours of the best, and climbs from random starts."
    ]


def _print_standings(report: dict[str, Json], wish: str) -> None:
    print_table(
        f"{_title(report)}; {wish}",
        ("", "value", "evaluations", "trial", "origin", "architecture"),
        [
            (
                str(place),
                f"{row['mean']:.6g}",
                str(len(row["values"])),
                str(row["trial"]),
                row["origin"],
                row["architecture"],
            )
            for place, row in enumerate(report["standings"], 1)
        ],
    )


def _title(report: dict[str, Json]) -> str:
    """Who searched, and how long."""
    from naokit.report.words import outcomes

    settings = report["study"]
    ended = outcomes(report["failed"], report["stopped"], report["epochs"])
    return (
        f"{settings['method']}, seed {settings['seed']}: "
        f"{counted(report['evaluations'], 'evaluation')} ({ended}), {report['seconds']:.0f} s"
    )
