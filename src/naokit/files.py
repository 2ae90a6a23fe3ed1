"""Files that are whole or absent: they are written under another name, then moved to their place.

Reading is safe for files that a stranger may have made: it accepts only a regular file of a bounded
size, and its errors are one line that names the file and says what is wrong with it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

from naokit.base import InputError, Json

LARGEST_TEXT = 64 * 2**20
"""The most bytes of settings, a vocabulary or a report: a hundred times what they need."""


def write_whole(path: Path, content: bytes | str) -> None:
    """Replaces `path` by `content` in one step; what was there stays until then.

    Raises:
        InputError: The file cannot be written (permission, a full disk).
    """
    data = content.encode() if isinstance(content, str) else content
    made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with made.open("xb") as file:  # its mode follows the umask, as that of `open` always does
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    except OSError as error:
        with suppress(OSError):
            made.unlink(missing_ok=True)
        raise InputError(
            f"{_unwritable(path, error)}; what was there before is unchanged"
        ) from error


def temporary_folder(owner: object) -> Path:
    """A new folder that is removed with its owner, or when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="naokit-"))
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder


def append(path: Path, text: str) -> None:
    """Adds text to a file, which is created if there is none.

    Raises:
        InputError: The file cannot be written (permission, a full disk).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(_unwritable(path, error)) from error


def remove(path: Path) -> None:
    """Deletes a file, if it is there.

    Raises:
        InputError: The file cannot be deleted, or its folder is a file.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(_unwritable(path, error)) from error


def _unwritable(path: Path, error: OSError) -> str:
    return (
        f"{path} cannot be written ({error.strerror}); make room or permission, "
        "or choose another folder"
    )


def write_json(path: Path, value: Json) -> None:
    """Writes a value as readable JSON, whole or not at all."""
    write_whole(path, json.dumps(value, indent=2) + "\n")


def check_regular(path: Path) -> None:
    """Raises InputError unless the path is a regular file: a pipe or a device may never end."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        link = path.is_symlink()
        raise InputError(
            f"{path} is a link to nothing" if link else f"there is no file {path}"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{path} is not readable: {error}") from error
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is no regular file")


def check_fits(what: object, needed: int, advice: str = "") -> None:
    """Raises InputError if something takes more bytes of memory than are free.

    Args:
        what: The name of the thing, at the beginning of the message.
        needed: The number of bytes it takes.
        advice: What the user can do.
    """
    import psutil

    free = psutil.virtual_memory().available
    if needed > free:
        raise InputError(
            f"{what} takes {needed / 1e9:,.1f} GB of memory, and {free / 1e9:,.1f} are free"
            f"{advice and ': '}{advice}"
        )


def read_bytes(path: Path, at_most: int = LARGEST_TEXT) -> bytes:
    """The content of a regular file.

    Args:
        path: The path of the file.
        at_most: The most bytes that the file may have; settings and texts have far fewer than the
            default.

    Raises:
        InputError: The file is missing, unreadable, not a regular file, or too large.
    """
    check_regular(path)
    try:
        with path.open("rb") as file:
            content = file.read(at_most + 1)
    except OSError as error:
        raise InputError(f"{path} is not readable: {error.strerror}") from error
    if len(content) > at_most:
        raise InputError(
            f"{path} is larger than {at_most:,} bytes, too large for what it should be"
        )
    return content


def read_text(path: Path, at_most: int = LARGEST_TEXT) -> str:
    """The text of a regular UTF-8 file; raises InputError as `read_bytes` does."""
    try:
        return read_bytes(path, at_most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not readable as UTF-8 text: {error}") from error


def read_json(path: Path, at_most: int = LARGEST_TEXT) -> Json:
    """The value of a JSON file; raises InputError if it is missing, damaged or too large."""
    return parse_json(read_text(path, at_most), path)


def parse_json(text: str, path: Path) -> Json:
    """The value of a JSON text of a file; raises InputError if it is damaged."""
    try:
        return json.loads(text)
    except RecursionError:
        raise InputError(f"{path} is not readable as JSON: it is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{path} is not readable as JSON: {error}") from error
