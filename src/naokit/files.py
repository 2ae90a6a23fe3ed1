"""Files that are whole or absent: written beside their place, then moved there."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from naokit.base import InputError, Json


def write_whole(path: Path, content: bytes | str) -> None:
    """Replaces `path` by `content` in one step; what was there stays until then.

    Raises:
        InputError: it cannot be written (permission, a full disk), with what to do.
    """
    data = content.encode() if isinstance(content, str) else content
    made = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(made).chmod(0o644)
        Path(made).replace(path)
    except OSError as error:
        if made is not None:
            Path(made).unlink(missing_ok=True)
        raise InputError(
            f"{_unwritable(path, error)}; what was there before is unchanged"
        ) from error


def append(path: Path, text: str) -> None:
    """Adds text to a file, which is made where there is none.

    Raises:
        InputError: it cannot be written (permission, a full disk), with what to do.
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
        InputError: it cannot be deleted, or its folder is a file.
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


def read_json(path: Path) -> Json:
    """The value of a JSON file; raises InputError where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not readable as JSON: {error}") from error
