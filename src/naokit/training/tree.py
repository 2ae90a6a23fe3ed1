"""A folder and everything below it, except hidden files and those that systems leave behind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from naokit.base import InputError

LEFT_BEHIND = frozenset(
    {
        *("__macosx", "@eadir", "@recycle", "#recycle", "#snapshot", "$recycle.bin"),
        *("lost+found", "system volume information", "__pycache__", "thumbs.db", "desktop.ini"),
    }
)
"""By zip on a Mac, by network disks, Windows, file systems and Python; hidden files are others."""
DEEPEST = 64
"""Folders within folders; data sets have fewer than ten."""


@dataclass(frozen=True)
class Tree:
    """A folder with its files and folders.

    Attributes:
        path: The path of the folder.
        files: The names of the files, in order.
        folders: The folders in it by name, in order.
    """

    path: Path
    files: tuple[str, ...]
    folders: Mapping[str, Tree]

    def files_below(self, within: str = "") -> Iterator[str]:
        """Every file below, relative to the folder, with a prefix."""
        for file in self.files:
            yield f"{within}{file}"
        for name, folder in self.folders.items():
            yield from folder.files_below(f"{within}{name}{os.sep}")


def is_there(path: Path) -> bool:
    """Whether a path exists; a name that is too long or holds a NUL does not."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def is_data(name: str) -> bool:
    """Whether a file or folder of this name is not hidden and not left behind by a system."""
    return not name.startswith(".") and name.lower() not in LEFT_BEHIND


def grown(path: Path, closed: list[str] | None = None) -> Tree:
    """The tree of a folder; links are followed.

    Args:
        path: The path of the folder.
        closed: The list that folders which cannot be looked into are added to. If None, the first
            is an error.

    Raises:
        InputError: A folder cannot be read, leads back to one that it lies in, or is too deep.
    """
    return _grown(path, closed, ())


def _grown(path: Path, closed: list[str] | None, above: tuple[tuple[int, int], ...]) -> Tree:
    """The same as `grown` for a folder within others, whose devices and numbers are known."""
    try:
        here = (*above, _number(path, above))
        files, folders = _entries(path)
    except (InputError, OSError) as error:
        if closed is None:
            reason = getattr(error, "strerror", error)
            raise InputError(f"{path} cannot be read: {reason}") from error
        closed.append(str(path))
        return Tree(path, (), {})
    inner = {name: _grown(path / name, closed, here) for name in folders}
    return Tree(path, tuple(files), inner)


def _number(path: Path, above: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """Device and number of a folder; raises InputError where it must not be gone into."""
    if len(above) == DEEPEST:
        raise InputError(f"it lies {DEEPEST} folders deep; give a folder below")
    found = path.stat()
    if (found.st_dev, found.st_ino) in above:
        raise InputError("it is a link to a folder that it lies in; remove it")
    return found.st_dev, found.st_ino


def _entries(path: Path) -> tuple[list[str], list[str]]:
    """Names of the files and of the folders in a folder, each in order."""
    found: tuple[list[str], list[str]] = ([], [])
    with os.scandir(path) as entries:
        for entry in entries:
            if is_data(entry.name):
                found[_is_folder(entry)].append(entry.name)
    return sorted(found[0]), sorted(found[1])


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that goes round in circles: as a file it is complained of by name
        return False
