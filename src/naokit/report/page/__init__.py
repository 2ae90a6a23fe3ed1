"""The page of a run: one HTML file that loads nothing, from a `RunReport`.

environment.py     templates, what is escaped, what a browser may do
compare.py         the page of several runs, or of methods on a table
figures.py         the figures but that of the course (`study.course_figure`); marks.py: legends
words.py           how numbers are written
templates/         one small template for each section, the looks, the script
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from naokit.base import sign_of
from naokit.report.model_words import quality_lines
from naokit.report.overview import goals_of
from naokit.report.page import figures, marks
from naokit.report.page.environment import rendered
from naokit.report.page.words import bibtex
from naokit.report.run_report import RunReport
from naokit.report.words import trust_lines
from naokit.study.course_figure import course_figure, course_legend

if TYPE_CHECKING:
    from naokit.space import Space

DRAWN = 4
"""How many leaders are drawn."""
ROWS = 1000
"""How many evaluations the last table has at most."""
ENDINGS = {
    "complete": "complete",
    "again": "evaluated again",
    "stopped": "stopped early",
    "failed": "failed",
    "beyond": "beyond a limit",
}


def page(report: RunReport, space: Space, *, refresh: int | None = None) -> str:
    """The page of a report.

    Args:
        report: The report.
        space: The space of its genotypes, to draw them.
        refresh: After how many seconds a browser shall load the page again. If None, never.
    """
    return rendered(
        title=report.name,
        kicker="naokit, report of a run",
        glance="glance.html",
        version=report.version,
        sections=_sections(report),
        refresh=refresh,
        report=report,
        **_told(report),
        **_drawn(report, space),
    )


def _sections(report: RunReport) -> list[tuple[str, str]]:
    """The name and title of each section that there is something to say in."""
    found, overview, examples = report.found, report.shown.overview, report.examples
    assert overview is not None  # a report is of a study
    valued = any(one.value is not None for one in report.course.evaluations)
    sections = (
        ("asked", "Question and answer", True),
        ("trials", "Why there is no best", report.shown.trials),
        ("leaders", "Leaders", overview.standings),
        ("course", "Course", valued),
        ("front", "Pareto front", found and found.front),
        ("training", "Final training", report.final),
        *([] if examples is None else [(examples.section, examples.title, True)]),
        ("trust", "Trust", report.model or report.shown.ranked or overview.model),
        ("sources", "Sources", report.sources),
        ("choices", "Choices", report.choices),
        ("map", "Map", report.model),
        ("time", "Time", any(part.seconds for part in report.parts)),
        ("next", "Next", True),
        ("evaluations", "Evaluations", report.course.evaluations),
    )
    return [(name, title) for name, title, there in sections if there]


def _told(report: RunReport) -> dict[str, Any]:
    """What the sections say in words."""
    overview, ranked = report.shown.overview, report.shown.ranked
    assert overview is not None  # a report is of a study
    return {
        "goals": goals_of(overview),
        "total": sum(part.seconds for part in report.parts) or overview.seconds,
        "trust_lines": [] if ranked is None else trust_lines(ranked.trust, alone=ranked.alone),
        "quality_lines": quality_lines(overview.model, overview.evaluations),
        "any_stopped": overview.stopped > 0,
        "costs": {one.trial: one.metrics for one in report.costs},
        "metrics": list(dict.fromkeys(name for one in report.costs for name in one.metrics)),
        "endings": ENDINGS,
        "rows": ROWS,
        "citation": bibtex(report.version),
    }


def _drawn(report: RunReport, space: Space) -> dict[str, Any]:
    """The figures, their legends and the drawn cells."""
    overview = report.shown.overview
    leaders = [] if overview is None else overview.standings[:DRAWN]
    drawings = [Markup(space.parse(one.architecture)._repr_svg_()) for one in leaders]  # noqa: S704
    course = report.course
    drawn = course_figure(course, report.metric, sign_of(report.direction), report.random)
    found = {
        "course": drawn,
        "front": figures.front_figure(report),
        "predictions": figures.prediction_figure(report),
        "calibration": figures.coverage_figure(report),
        "map": figures.map_figure(report),
    }
    stopped = [marks.STOPPED] if overview is not None and overview.stopped else []
    return {
        "drawn": list(zip(leaders, drawings, strict=True)),
        "figures": found,
        "training_plots": figures.training_figures(report),
        "shown_marks": 0 if drawn is None else sum(m.trial is not None for m in drawn.marks),
        "course_legend": course_legend(course, report.random),
        "front_legend": marks.FRONT,
        "prediction_legend": [*marks.PREDICTIONS, *stopped],
        "calibration_legend": marks.CALIBRATION,
        "map_legend": [*marks.MAP, *stopped],
    }
