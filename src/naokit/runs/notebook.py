"""What a notebook shows of a run: its search, and what became of its winner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from markupsafe import Markup

from naokit.base import Json
from naokit.drawing.notebook import code, paragraph, strong, together
from naokit.report.run_report import Final
from naokit.runs.trained import final_of
from naokit.study import Study
from naokit.study.notebook import study_html
from naokit.wording import counted, value_text


def run_html(folder: Path, study: Study, own: Study | None, found: Mapping[str, Json]) -> Markup:
    """A run as HTML.

    Args:
        folder: The folder of the run.
        study: Its study.
        own: The study of the best few trained by themselves, or longer, if there is one.
        found: What was reported of the run; empty where nothing was yet.
    """
    return together(_pieces(folder, study, own, found))


def _pieces(
    folder: Path, study: Study, own: Study | None, found: Mapping[str, Json]
) -> Iterator[Markup]:
    metric = str(found.get("metric", "value"))
    yield paragraph(strong("Run "), code(str(folder)))
    final = final_of(folder, found)
    if final is not None:
        yield paragraph(_trained(final))
    if own is not None and own.standings():
        yield paragraph("The best few, trained anew:")
        yield _search(own, metric.removesuffix(", shared weights"))
        yield paragraph("The search before:")
    yield _search(study, metric)


def _search(study: Study, metric: str) -> Markup:
    return study_html(study, f"{study.settings['method']} on {study.space.name}", metric)


def _trained(final: Final) -> str:
    """How far the final training is, and what it reached."""
    said = [f"{part} {value_text(score, final.metric)}" for part, score in final.scores.items()]
    done = counted(final.epochs[-1].epoch if final.epochs else 0, "epoch")
    if not said:
        return f"The winner is being trained: {done} so far."
    parameters = f"; {final.parameters:,} parameters" if final.parameters else ""
    return f"The winner, trained for {done}: {', '.join(said)} ({final.metric}){parameters}."
