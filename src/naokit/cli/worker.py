"""`naokit worker`: evaluates for a search that runs elsewhere."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from naokit.cli.grouped import grouped
from naokit.cli.output import exit_codes, say
from naokit.cli.worker_options import WorkerOptions


@grouped
def worker(
    *,
    storage: Annotated[
        str, typer.Option(help="URL of the database of the search, which naokit search was given.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="Where the data lie on this machine; default: where the search has them."
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(help="The space, if it is code of yours: file.py:NAME as it lies here."),
    ] = None,
    hours: Annotated[
        float | None, typer.Option(min=0, help="Hours after which no evaluation is begun.")
    ] = None,
    where: WorkerOptions,
) -> None:
    """Evaluate for a search: its plan, data and recipe are read from its study.

    Workers may come and go. What one that died evaluated is evaluated again.
    """
    began = time.monotonic()
    with exit_codes():
        from naokit import spaces
        from naokit.cli.search_bars import Bars
        from naokit.runs.hours import Hours
        from naokit.runs.work import work
        from naokit.wording import counted

        with Bars() as bars, where.opened(bars.remark) as workers:
            study = work(
                storage,
                space=None if space is None else spaces.load(space),
                data=data,
                workers=workers,
                hours=Hours.of(hours, began, final=False),
                watcher=bars,
            )
        made = counted(bars.evaluated, "evaluation")
        say(f"{made} made here; the study holds {study.evaluations}")
