"""Reads what is reported of a run: from its studies, its settings and its final training."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import InputError, Json
from naokit.files import write_whole
from naokit.report.page import page
from naokit.report.run_report import (
    Asked,
    Command,
    Final,
    Part,
    RunReport,
    report_of,
)
from naokit.runs.folder import BASELINE, NETWORK
from naokit.runs.run import Run
from naokit.runs.settings import recorded_final, storage_of
from naokit.runs.trained import final_of
from naokit.study import Study, open_study
from naokit.version import __version__

if TYPE_CHECKING:
    from naokit.kind import Examples

PAGE = "report.html"
SCORED = {
    "train": "each network is trained by itself",
    "supernet": "with the weights of one shared network",
    "tabular": "known results are looked up",
}
"""How evaluators score, by the name that their settings have."""


def run_report(run: Run, top: int = 10, examples: Examples | None = None) -> RunReport:
    """What is reported of a run, finished or not.

    Args:
        run: The run.
        top: How many leaders there are at most.
        examples: What its trained network does with its data, if that was asked for.

    Raises:
        InputError: The run or its study is missing or damaged.
    """
    before = run.reported
    baseline, own, metric = _baseline(run), run.own, _metric(run.settings, before)
    found = report_of(
        run.study,
        metric,
        baseline=baseline,
        own=None if own is None else (own, metric.removesuffix(", shared weights")),
        name=run.folder.absolute().name,
        folder=str(run.folder),
        version=__version__,
        asked=_asked(run.settings),
        top=top,
    )
    final = final_of(run.folder, before)
    return dataclasses.replace(
        found,
        final=final,
        parts=tuple(_parts(run, baseline, final)),
        commands=tuple(_commands(run)),
        unfinished=tuple(before.get("unfinished", ())),
        examples=examples,
    )


def write_page(
    run: Run, report: RunReport, path: Path | None = None, *, refresh: int | None = None
) -> Path:
    """Writes the page of a run, whole, and says where it is.

    Args:
        run: The run.
        report: What is reported of it.
        path: The file. If None, `report.html` in the run's folder.
        refresh: After how many seconds a browser shall load the page again. If None, never.
    """
    path = run.folder / PAGE if path is None else path
    write_whole(path, page(report, run.space, refresh=refresh))
    return path


def _baseline(run: Run) -> Study | None:
    """The study of random search; None where there is none (yet)."""
    if not run.settings.get("baseline"):
        return None
    with suppress(InputError):
        return open_study(run.space, storage_of(run.folder, run.storage), BASELINE)
    return None


def _metric(settings: Mapping[str, Json], before: Mapping[str, Json]) -> str:
    """What the values of the search are."""
    evaluator = settings.get("evaluator") or {}
    if found := before.get("metric") or evaluator.get("metric"):
        return str(found)
    if reads := settings.get("reads"):
        from naokit.kinds import kind_of  # its metric needs torch: only a run that has no report

        shared = ", shared weights" if evaluator.get("evaluator") == "supernet" else ""
        return kind_of(reads).bundle.metric.on_validation + shared
    return "value"


def _asked(settings: Mapping[str, Json]) -> Asked:
    """What the run was asked for, as far as it was recorded."""
    evaluator = settings.get("evaluator") or {}
    recipe = evaluator.get("recipe") or {}
    sizes = ("channels", "cells", "hidden")
    kind = evaluator.get("evaluator", "")
    source = evaluator.get("source") or {}
    tables = source.get("tables") if kind == "tabular" else None
    return Asked(
        settings.get("data") or (", ".join(map(str, tables)) if tables else None),
        SCORED.get(kind, str(kind)),
        recipe.get("name"),
        recipe.get("epochs"),
        {name: evaluator[name] for name in sizes if evaluator.get(name) is not None},
        settings.get("evaluations"),
        settings.get("epochs"),
        settings.get("pruner"),
    )


def _parts(run: Run, baseline: Study | None, final: Final | None) -> Iterator[Part]:
    if proposing := sum(trial.proposing for trial in run.study.trials):
        yield Part("proposals of the search", proposing)
    studies = {"search": run.study, "random search beside it": baseline}
    studies["trainings of the best few"] = run.own
    for name, study in studies.items():
        if study is not None:
            yield Part(name, sum(trial.seconds for trial in study.trials))
    if final is not None and final.epochs:
        yield Part("final training", final.epochs[-1].seconds)


def _commands(run: Run) -> Iterator[Command]:
    """What to do next, for a shell."""
    folder = shlex.quote(str(run.folder))
    if (run.folder / "run.yaml").exists():
        config = shlex.quote(str(run.folder / "run.yaml"))
        yield Command("Continue this search", f"naokit search --config {config}")
    yield Command("Look at it in a terminal", f"naokit show {folder}")
    if not run.space.has_networks or recorded_final(run.settings) is None:
        return
    yield Command("Train the winner to the end", f"naokit train {folder}")
    if (run.folder / NETWORK).exists():
        yield Command("Export the trained network", f"naokit export {folder}")
        yield Command("Measure it on its test data", f"naokit evaluate {folder}")
        network = str(run.folder / NETWORK)
        yield Command("Load it in Python", f"network = naokit.load({network!r})")
