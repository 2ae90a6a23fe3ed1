"""Moves a training out of the way of a new one, and back if the new one has no checkpoint."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from naokit.training.checkpoint import LAST


@contextmanager
def set_aside(folder: Path) -> Iterator[None]:
    """Moves a training's folder to FOLDER.set-aside while another one begins in its place.

    Deleted is the old one only once the new one has a checkpoint; else (bad data, a recipe that
    does not fit, an interrupt) it is put back, after a kill by the next `settle`.
    """
    settle(folder)
    if folder.exists():
        folder.rename(_aside(folder))
    try:
        yield
    finally:
        settle(folder)


def settle(folder: Path) -> None:
    """Keeps one of two trainings where one was set aside: the new one if it has a checkpoint."""
    old = _aside(folder)
    if not old.exists():
        return
    if (folder / LAST).exists():
        shutil.rmtree(old)
        return
    if folder.exists():
        shutil.rmtree(folder)
    old.rename(folder)


def _aside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.set-aside")
