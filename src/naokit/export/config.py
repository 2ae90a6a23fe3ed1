"""`config.json`: what a network is, what it takes and gives, and the checksum of every file.

format, made_by                          who reads it, who wrote it
kind                                     image, language, ...; absent: image
space, architecture, network             what is built
what its kind needs besides              see `Bundle.fields` and `Bundle.notes`
results                                  how it was trained and what it reached
sha256                                   of the weights
files                                    the exported files beside it: sha256, opset, ...
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from naokit.base import InputError, Json
from naokit.export.fields import general_fault
from naokit.files import check_regular, read_json, write_json
from naokit.space import Architecture, Space
from naokit.spaces import from_settings

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
FORMAT = 2
"""Raised only where an older naokit could not read what is written; it ignores further fields."""


def network_folder(path: Path | str) -> Path:
    """The folder of `config.json`: the path itself or that of a run's network.

    Raises:
        InputError: There is no network.
    """
    path = Path(path)
    for folder in (path, path / "network"):
        if (folder / CONFIG).exists():
            return folder
    raise InputError(f"{path} holds no trained network ({CONFIG}); `naokit train` makes one")


def read_any(folder: Path) -> dict[str, Json]:
    """The config of a folder with a network of any kind.

    Raises:
        InputError: It is missing, damaged, of another program or of another version.
    """
    path = folder / CONFIG
    config = read_json(path)
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT:
        raise InputError(
            f"{path} has format {found}, this naokit reads {FORMAT}: use the naokit that made it"
        )
    if fault := general_fault(config):
        raise damaged(path, fault)
    read: dict[str, Json] = config
    return read


def architecture_in(
    folder: Path, config: Mapping[str, Json], space: Space | None = None
) -> Architecture:
    """The architecture of a config's network.

    Args:
        folder: The folder of the config.
        config: The config as `read_any` gave it.
        space: The space, where it is a user's own that was made in Python. If None, the one that is
            recorded.

    Raises:
        InputError: There is no such space here, or no such architecture in it.
    """
    path = folder / CONFIG
    try:
        searched = space or from_settings(config["space"])
    except InputError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise damaged(path, f"space is {config['space']}") from error
    try:
        return searched.parse(config["architecture"])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise damaged(path, f"architecture is none of {searched.name}: {error}") from error


def damaged(path: Path, fault: str) -> InputError:
    """The error for a config with this fault."""
    return InputError(f"{path} is damaged: {fault}; export the network again")


def kind_of(config: Mapping[str, Json]) -> str:
    """The kind of network that a config describes."""
    return str(config.get("kind", "image"))


def file_checksum(path: Path) -> str:
    """SHA-256 of a regular file, as sixty-four hexadecimal digits."""
    check_regular(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_checksum(path: Path, expected: str | None) -> None:
    """Raises InputError where a file does not have this checksum; None accepts any."""
    if expected is None:
        return
    found = file_checksum(path)
    if found != expected:
        raise InputError(
            f"{path} is damaged: its checksum is {found[:12]}..., expected {expected[:12]}... "
            f"({CONFIG}); copy or export it again"
        )


def unlist_file(folder: Path, name: str) -> None:
    """Removes a file from the list, if it was listed."""
    config = read_any(folder)
    files = {n: entry for n, entry in config.get("files", {}).items() if n != name}
    write_json(folder / CONFIG, {**config, "files": files})


def list_file(folder: Path, name: str, **facts: Json) -> None:
    """Lists an exported file in the config, with its checksum and further facts."""
    config = read_any(folder)
    entry = {"sha256": file_checksum(folder / name), **facts}
    write_json(folder / CONFIG, {**config, "files": {**config.get("files", {}), name: entry}})
