"""What may be replaced: files of the same network, and nothing else without `--force`."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from naokit.base import InputError
from naokit.export.bundle import Bundle, identity, weights_of
from naokit.export.config import CONFIG, WEIGHTS, file_checksum, kind_of, read_any
from naokit.export.saving import checksum_of
from naokit.spaces import without_folder
from naokit.training.checkpoint import read_tensors

FILES = (WEIGHTS, CONFIG, "model.onnx", "model-int8.onnx", "model.pt2", "network.py")
"""What may lie there besides the attachments of the network's kind."""


def check_free(folder: Path, bundle: Bundle, *, force: bool = False) -> None:
    """Raises InputError where writing the network there would replace another one's files.

    Args:
        folder: The folder that the network is to be written to.
        bundle: The network.
        force: Whether other files may be replaced too.
    """
    present = [name for name in (*FILES, *bundle.attachments()) if (folder / name).exists()]
    if force or not present:
        return
    difference = _difference(folder, bundle)
    if difference:
        raise InputError(
            f"{folder} holds another network ({difference}); it would lose {', '.join(present)}: "
            "name another folder, or give `force=True`"
        )


def _difference(folder: Path, bundle: Bundle) -> str:
    """The first difference between a network and the one in the folder; empty if there is none."""
    try:
        config = read_any(folder)
        weights, _ = read_tensors(folder / WEIGHTS)
    except InputError as error:
        return f"what it is cannot be told: {error}"
    own_identity = json.loads(json.dumps(identity(bundle)))  # as the config's fields were read
    there = {**config, "kind": kind_of(config), "space": without_folder(config["space"])}
    for name, here in own_identity.items():
        if there.get(name) != here:
            return f"its {name} is {there.get(name)}, not {here}"
    for name, text in bundle.attachments().items():
        if not (folder / name).exists() or file_checksum(folder / name) != checksum_of(text):
            return f"its {name} is another"
    own = weights_of(bundle.network)
    for name in sorted(own.keys() | weights.keys()):
        if name not in own or name not in weights or not torch.equal(own[name], weights[name]):
            return f"its weights are others, first {name}"
    return ""
