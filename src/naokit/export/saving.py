"""A trained network into files: weights, config, attachments and model card."""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors.torch import save as to_bytes

from naokit.base import InputError, Json
from naokit.export import card
from naokit.export.bundle import Bundle, identity, weights_of
from naokit.export.config import CONFIG, FORMAT, WEIGHTS, file_checksum, list_file, read_any
from naokit.files import write_json, write_whole
from naokit.version import __version__

MADE_BY = f"naokit {__version__}"


def save(bundle: Bundle, folder: Path) -> None:
    """Writes weights, config and model card; raises InputError where they cannot be written.

    What is there is replaced (ask `check_free` before), except a card that is not naokit's own.
    Exported files of the same weights stay listed.
    """
    before = _listed(folder)
    # The header depends on the network alone, so that equal networks have equal checksums.
    header = {"architecture": str(bundle.architecture)}
    write_whole(folder / WEIGHTS, to_bytes(weights_of(bundle.network), header))
    sha256 = file_checksum(folder / WEIGHTS)
    files = before.get("files", {}) if before.get("sha256") == sha256 else {}
    for name, text in bundle.attachments().items():
        write_whole(folder / name, text)
        files = {**files, name: {"sha256": checksum_of(text)}}
    config = {
        "format": FORMAT,
        "made_by": MADE_BY,
        **identity(bundle),
        **bundle.notes(),
        "results": bundle.results.to_json(),
        "sha256": sha256,
        "files": files,
    }
    write_json(folder / CONFIG, config)
    if card.is_ours(folder, before):
        write_whole(folder / card.CARD, card.text(bundle, MADE_BY))
        list_file(folder, card.CARD)


def checksum_of(text: str) -> str:
    """The SHA-256 of a file with this content."""
    return hashlib.sha256(text.encode()).hexdigest()


def _listed(folder: Path) -> dict[str, Json]:
    """The config that is about to be replaced; empty where there is none to read."""
    try:
        return read_any(folder)
    except InputError:
        return {}
