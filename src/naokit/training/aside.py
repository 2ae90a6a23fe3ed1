"""A training that makes room for another, and comes back where that one comes to nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from naokit.training.checkpoint import LAST


@contextmanager
def set_aside(folder: Path) -> Iterator[None]:
    """Moves a training's folder to FOLDER.old while another one begins in its place.

    Deleted is the old one only once the new one has a checkpoint; else (bad data, a recipe that
    does not fit, an interrupt) it is put back, after a kill by the next call.
    """
    old = folder.with_name(f"{folder.name}.old")
    _settle(folder, old)
    if folder.exists():
        folder.rename(old)
    try:
        yield
    finally:
        _settle(folder, old)


def _settle(folder: Path, old: Path) -> None:
    """Keeps one of the two: the new one where it has a checkpoint."""
    if not old.exists():
        return
    if (folder / LAST).exists():
        shutil.rmtree(old)
        return
    if folder.exists():
        shutil.rmtree(folder)
    old.rename(folder)
