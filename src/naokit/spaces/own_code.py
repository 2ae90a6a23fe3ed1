"""Which Python files may be run: those that the user has named, in --space or in `load`.

A network or a run records its space, and one that comes from a stranger may name any file. So that
file is run only if its reader has named the same one. The names are remembered in the file
`naokit/spaces` of XDG_CONFIG_HOME (else `~/.config`), one on each line, the newest last:

    /home/me/project/mine.py:SPACE
    package.module:SPACE = /home/me/project/package/module.py

The name of a module alone is not enough: any folder may have a module of this name. So a module is
imported from where it was when the user named it, and only as long as the name leads there.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from itertools import accumulate
from pathlib import Path

from naokit.base import InputError
from naokit.files import append, read_text

_REFERENCE = "naokit.spaces.reference:REFERENCE"
_HERE: list[str] = []
"""The names that this process was given, for the case that the file cannot be written."""


@dataclass(frozen=True)
class OwnSpace:
    """A space that the user has written.

    Attributes:
        source: The place of the space: `FILE.py:NAME` with the whole path, or `MODULE:NAME`.
        folder: The folder that a module is looked for in, in addition to `sys.path`; empty for a
            file.
    """

    source: str
    folder: str = ""


def remember(source: str) -> None:
    """Remembers a source that the user named and that was run."""
    entry = entry_of(source)
    if entry == next(iter(_named()), None):
        return
    _HERE.append(entry)
    if entry.splitlines() == [entry]:  # a folder may be called like a line of this file
        with suppress(
            InputError, UnicodeEncodeError
        ):  # where it cannot be kept, this process knows
            append(_file(), f"{entry}\n")


def entry_of(source: str) -> str:
    """The line that is kept for a source that this process has run; a module's names its file."""
    module = sys.modules.get(_place(source))
    file = None if _is_file(source) or module is None else _file_of(module.__spec__)
    return source if file is None else f"{source} = {file}"


def take(entry: str) -> None:
    """Allows this process to run what its parent has run, given the `entry_of` of that source."""
    _HERE.append(entry)


def allowed(source: str, space: str) -> list[OwnSpace]:
    """The spaces that may be run for a recorded source, the likeliest first.

    A file may have moved, and is recorded without its folder in a network: it is any file of this
    name that the user has named, the one in the current folder before the newest. A module is
    recorded without its file: it is any module of this name that the user has named.

    Raises:
        InputError: The user has not named any of them.
    """
    if source == _REFERENCE or _place(source) in sys.modules:  # nothing is run
        return [OwnSpace(source)]
    named = [line for line in _named() if _same(line, source)]
    found = [own for line in named for own in _usable(line)]
    if not found:
        raise _refused(source, space, named)
    here = str(Path.cwd())
    return sorted(found, key=lambda own: (own.source != source, _folder(own) != here))


def without_folder(source: str) -> str:
    """The source without the folder of its file; the name of a module stays as it is."""
    place, _, name = source.rpartition(":")
    return f"{Path(place).name}:{name}" if _is_file(source) else source


@contextmanager
def looking_in(folder: str) -> Iterator[None]:
    """Makes the modules of a folder importable, after everything that Python finds by itself."""
    if not folder or folder in sys.path:
        yield
        return
    sys.path.append(folder)
    try:
        yield
    finally:
        with suppress(ValueError):  # what was imported may have taken it out
            sys.path.remove(folder)


def _refused(source: str, space: str, named: list[str]) -> InputError:
    """The error for code that is not run."""
    text = shlex.quote(source) if source.isprintable() else repr(source)
    why = "which you have not named yourself"
    if named and not _is_file(source):
        why = "a module that is not where it was when you named it"
        if named == [source]:
            why = "whose file was not kept when you named it: other folders may have one so named"
    return InputError(
        f"the space {space} is Python code, {text}, {why}: it was not run; if you trust it, say so "
        f"once ({_file()} will keep it), with the path of your file: naokit show FOLDER --space "
        f"{text}"
    )


def _same(line: str, source: str) -> bool:
    """Whether a line of the file means a recorded source, whatever folder either is in."""
    named = line if Path(line).is_absolute() else line.partition(" = ")[0]
    return without_folder(named) == without_folder(source)


def _usable(line: str) -> list[OwnSpace]:
    """The space of a line; none if its file is gone, or if importing would run another file."""
    if Path(line).is_absolute():
        return [OwnSpace(line)] if Path(_place(line)).is_file() else []
    source, _, file = line.partition(" = ")
    module, path = _place(source), Path(file)
    above = (path.parent if path.stem == "__init__" else path).parents
    if len(above) <= module.count("."):  # a line without a file, or a damaged one
        return []
    folder = above[module.count(".")]
    return [OwnSpace(source, str(folder))] if _leads_to(module, path, folder) else []


def _leads_to(module: str, path: Path, folder: Path) -> bool:
    """Whether importing a module would run this file, with its packages in this folder."""
    with looking_in(str(folder)):
        *packages, last = _found(module)
    expected = {folder.joinpath(*part.split(".")) / "__init__.py" for part in _parts(module)}
    return last == path and all(found is None or found in expected for found in packages)


def _found(module: str) -> Iterator[Path | None]:
    """The file of each package and of the module, or None; none of them is run."""
    within = None
    for part in _parts(module):
        spec = _spec(part, within)
        yield _file_of(spec)
        within = list(spec.submodule_search_locations or ()) if spec else []


def _spec(name: str, within: list[str] | None) -> ModuleSpec | None:
    """The spec of a module, found without running the packages around it.

    `importlib.util.find_spec` would run them.
    """
    if name in sys.modules:
        return getattr(sys.modules[name], "__spec__", None)
    finders = (finder.find_spec(name, within) for finder in sys.meta_path)
    return next((spec for spec in finders if spec is not None), None)


def _file_of(spec: ModuleSpec | None) -> Path | None:
    return Path(spec.origin).absolute() if spec and spec.has_location and spec.origin else None


def _parts(module: str) -> list[str]:
    """`a.b.c` as a, a.b and a.b.c."""
    return list(accumulate(module.split("."), "{}.{}".format))


def _folder(own: OwnSpace) -> str:
    return own.folder or str(Path(_place(own.source)).parent)


def _place(source: str) -> str:
    """The file or the module of a source."""
    return source.rpartition(":")[0]


def _is_file(source: str) -> bool:
    return _place(source).endswith(".py")


def _file() -> Path:
    try:
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    except RuntimeError:  # a user without a home: nothing can be written
        config = Path(os.devnull)
    return config / "naokit" / "spaces"


def _named() -> list[str]:
    """The remembered names, newest first, each once; raises InputError if the file is damaged."""
    kept = read_text(_file()).splitlines() if os.path.exists(_file()) else []  # noqa: PTH110
    return list(dict.fromkeys(reversed([*kept, *_HERE])))
