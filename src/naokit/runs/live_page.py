"""The page of a run that goes on: written again every few seconds, and loaded again as often."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from naokit.base import InputError
from naokit.runs.reporting import run_report, write_page
from naokit.runs.run import Run

EVERY = 5.0
"""Seconds between two pages."""
SHARE = 0.05
"""The share of a search's time that pages may take: of a long study they are written less often."""


class LivePage:
    """The page of a run while it goes on.

    Args:
        folder: The folder of the run.
        storage: The address of its study. If None, a file in the folder.
    """

    def __init__(self, folder: Path, storage: str | None = None) -> None:
        self.folder, self.storage = folder, storage
        self._next = 0.0

    def told(self) -> None:
        """Writes the page, unless that was done just now. Errors of it end no search."""
        began = time.monotonic()
        if began < self._next:
            return
        with suppress(InputError):
            run = Run.at(self.folder, self.storage)
            write_page(run, run_report(run), refresh=round(EVERY))
        now = time.monotonic()
        self._next = now + max(EVERY, (now - began) / SHARE)
