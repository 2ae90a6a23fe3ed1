"""Which Python files may be run: those that the user has named himself, in --space or in `load`.

What a network or a run says of its space is read by whoever gets it, and a stranger's may name any
file. So what it names is run only once its reader has named the same. That is remembered in
`naokit/spaces` of XDG_CONFIG_HOME (else `~/.config`), a line each, the newest last:

    /home/me/project/mine.py:SPACE
    package.module:SPACE
"""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import suppress
from pathlib import Path

from naokit.base import InputError
from naokit.files import append

_REFERENCE = "naokit.spaces.reference:REFERENCE"
_HERE: list[str] = []
"""What this process was told: all there is where the file cannot be written."""


def remember(source: str) -> None:
    """Keeps what the user named: `FILE.py:NAME` with its whole path, or `MODULE:NAME`."""
    if source == next(iter(_named()), None):
        return
    _HERE.append(source)
    with suppress(InputError):  # where nothing can be written, this process knows
        append(_file(), f"{source}\n")


def allowed(source: str, space: str) -> list[str]:
    """What may be run for a source that is recorded, the likeliest first.

    A file may have moved, and is recorded without its folder in a network: it is any file of this
    name that the user has named, the one in the current folder before the newest.

    Raises:
        InputError: the user has named none.
    """
    if source == _REFERENCE or source.rpartition(":")[0] in sys.modules:  # nothing is run
        return [source]
    named = [own for own in _named() if without_folder(own) == without_folder(source)]
    found = [own for own in named if not _is_file(own) or Path(own.rpartition(":")[0]).is_file()]
    if not found:
        text = shlex.quote(source) if source.isprintable() else repr(source)
        raise InputError(
            f"the space {space} is Python code, {text}, which you have not named yourself: it was "
            f"not run; if you trust it, say so once ({_file()} will keep it), with the path of "
            f"your file: naokit show FOLDER --space {text}"
        )
    here = str(Path.cwd())
    return sorted(found, key=lambda own: (own != source, str(Path(own).parent) != here))


def without_folder(source: str) -> str:
    """The file's name and the space's; a module as it is."""
    place, _, name = source.rpartition(":")
    return f"{Path(place).name}:{name}" if _is_file(source) else source


def _is_file(source: str) -> bool:
    return source.rpartition(":")[0].endswith(".py")


def _file() -> Path:
    try:
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    except RuntimeError:  # a user without a home: nothing can be written
        config = Path(os.devnull)
    return config / "naokit" / "spaces"


def _named() -> list[str]:
    """The newest first, each once."""
    lines: list[str] = []
    with suppress(OSError, UnicodeDecodeError):
        lines = _file().read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(reversed([*lines, *_HERE])))
