"""What a notebook shows of a study: who searched what, the course, the best few and their cells."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from naokit.doors import Trial
from naokit.drawing.notebook import (
    Side,
    cell,
    code,
    figure,
    paragraph,
    strong,
    table,
    together,
)
from naokit.space import Architecture
from naokit.study.course import Course
from naokit.study.course_figure import course_figure, course_legend
from naokit.study.origins import firsts
from naokit.study.standings import NoBest, Ranking, Standing
from naokit.wording import counted, value_text

FEW = 5
"""How many of the best are shown."""
COLUMNS: Sequence[tuple[str, Side]] = (
    ("Place", "right"),
    ("Mean value", "right"),
    ("Evaluations", "right"),
    ("Trial", "right"),
    ("Came from", "left"),
)


def study_html(study: Ranking, searched: str, metric: str) -> Markup:
    """A study as HTML.

    Args:
        study: The study.
        searched: Who searched what: "nao on conv-small".
        metric: What its values are, as far as that is known.
    """
    trials = study.trials
    pieces = [paragraph(strong(searched), f": {_ended(trials)}. {_best(study, metric)}")]
    course = Course.of(trials, study.goals)
    plot = course_figure(course, metric, study.goals.objectives[0].sign)
    if plot is not None:
        pieces.append(figure(plot, course_legend(course)))
    leaders = study.standings()[:FEW]
    if leaders:
        pieces.append(_leaders(leaders, trials, metric))
    pieces += [_drawn(n, one.architecture) for n, one in enumerate(leaders, 1)]
    return together(pieces)


def _ended(trials: Sequence[Trial]) -> str:
    """How many evaluations there were, and how they ended: `17 evaluations, 2 failed`."""
    own = firsts(trials)
    failed, stopped = (sum(t.failed for t in own), sum(bool(t.stopped) for t in own))
    more = {"failed": failed, "stopped early": stopped}
    said = [f"{many:,} {name}" for name, many in more.items() if many]
    return ", ".join([counted(len(own), "evaluation"), *said])


def _best(study: Ranking, metric: str) -> str:
    """What the best reached, and how sure that is; or why there is none."""
    objectives = study.goals.objectives
    try:
        value = value_text(study.best_value, metric)
    except NoBest as why:
        return f"No best: {why}."
    more = "more" if objectives[0].sign > 0 else "less"
    sure = study.sure()
    truly = "" if sure is None else f", truly the best with a probability of {sure:.2f}"
    best = f"Best: {value} ({metric}; {more} is better){truly}."
    if len(objectives) == 1:
        return best
    wishes = ", ".join(objective.wish for objective in objectives)
    return f"{best} On the Pareto front in {wishes}: {counted(len(study.front()), 'architecture')}."


def _leaders(leaders: Sequence[Standing], trials: Sequence[Trial], metric: str) -> Markup:
    """The table of the best few."""
    origins = {trial.number: trial.origin for trial in trials}
    rows = (
        (
            place,
            strong(value_text(one.mean, metric)),
            len(one.values),
            one.number,
            origins[one.number],
        )
        for place, one in enumerate(leaders, 1)
    )
    return table(f"The best by {metric}", COLUMNS, rows)


def _drawn(place: int, architecture: Architecture) -> Markup:
    """A drawn architecture; that of the first place is open."""
    words = (strong(f"{place} "), code(str(architecture)))
    return cell(architecture._repr_svg_(), *words, shown=place == 1)
