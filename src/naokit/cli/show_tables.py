"""The tables of `naokit show`."""

from __future__ import annotations

from naokit.cli.output import print_table, say
from naokit.report.contents import Point
from naokit.report.model_words import model_lines
from naokit.report.overview import Overview, Ranked, Shown, goals_of
from naokit.report.words import front_title, outcomes, trust_lines
from naokit.study.goals import Goals
from naokit.wording import counted


def print_shown(found: Shown) -> None:
    """What there is to say of a study; nothing where no study found the architecture."""
    overview, ranked = found.overview, found.ranked
    if overview is None:
        return
    if found.no_best is not None:
        _print_outcomes(found, overview)
        return
    goals = goals_of(overview)
    wish = goals.objectives[0].wish
    if ranked is not None and ranked.own:
        _print_own(ranked, wish)
    _print_standings(overview, wish)
    if overview.front:
        _print_front(overview.front, goals)
    trust = [] if ranked is None else trust_lines(ranked.trust, alone=ranked.alone)
    say(*trust, *model_lines(overview))


def _print_own(ranked: Ranked, wish: str) -> None:
    title, scored = "The best by shared weights, trained by themselves", "shared weights"
    if ranked.alone:
        title, scored = "The best of the search, trained longer", "in the search"
    print_table(
        f"{title}; {wish}",
        ("", "value", "trainings", scored, "architecture"),
        [
            (
                str(place),
                f"{one.mean:.6g}",
                str(len(one.values)),
                "" if one.shared is None else f"{one.shared:.6g}",
                one.architecture,
            )
            for place, one in enumerate(ranked.own, 1)
        ],
    )


def _print_outcomes(found: Shown, overview: Overview) -> None:
    """The evaluations of a run that has no best, and why it has none."""
    if found.trials:
        print_table(
            _title(overview),
            ("trial", "outcome", "origin", "architecture"),
            [(str(one.trial), one.outcome, one.origin, one.architecture) for one in found.trials],
        )
    say(f"No best: {found.no_best}.")


def _print_front(front: tuple[Point, ...], goals: Goals) -> None:
    names = [objective.name for objective in goals.objectives]
    print_table(
        f"{front_title([*map(str, goals.objectives)])}: none beats these in every objective",
        (*names, "trial", "architecture"),
        [
            (*(f"{point.values[name]:g}" for name in names), str(point.trial), point.architecture)
            for point in front
        ],
    )


def _print_standings(found: Overview, wish: str) -> None:
    print_table(
        f"{_title(found)}; {wish}",
        ("", "value", "evaluations", "trial", "origin", "architecture"),
        [
            (
                str(place),
                f"{one.mean:.6g}",
                str(len(one.values)),
                str(one.trial),
                one.origin,
                one.architecture,
            )
            for place, one in enumerate(found.standings, 1)
        ],
    )


def _title(found: Overview) -> str:
    """Who searched, and how long."""
    settings = found.study
    ended = outcomes(found.failed, found.stopped, found.epochs)
    return (
        f"{settings['method']}, seed {settings['seed']}: "
        f"{counted(found.evaluations, 'evaluation')} ({ended}), {found.seconds:.0f} s"
    )
