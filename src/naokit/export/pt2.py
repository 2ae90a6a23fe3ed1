"""A network as a `torch.export` program with a dynamic batch."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from naokit.base import InputError
from naokit.files import write_whole


def trace(network: nn.Module, image: tuple[int, int, int]) -> ExportedProgram:
    """The program: standardised floats (B, C, H, W) -> logits (B, K), for any batch B.

    Raises:
        InputError: the network does something that torch.export cannot follow.
    """
    batch = {0: torch.export.Dim("batch")}
    try:
        return torch.export.export(
            network.eval(), (torch.zeros(2, *image),), dynamic_shapes=(batch,), strict=False
        )
    except Exception as error:  # its own errors, and whatever the network raises
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"torch.export cannot follow this network ({lines[0]}); "
            "without it there is --format safetensors and --format python"
        ) from error


def write(program: ExportedProgram, path: Path) -> None:
    """Writes the program, whole or not at all."""
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    write_whole(path, buffer.getvalue())


def read(path: Path) -> Callable[[Tensor], Tensor]:
    """What the program computes.

    Raises:
        InputError: the file is damaged, or holds pickled objects, which could run code.
    """
    try:
        data = path.read_bytes()
        pickled = _pickled(data)
        if not pickled:
            module: nn.Module = torch.export.load(io.BytesIO(data)).module()
            return module
    except Exception as error:  # zipfile's, torch's and json's own
        raise InputError(f"{path} is damaged ({error}); export it again") from error
    raise InputError(f"{path} holds pickled objects ({pickled}), which naokit does not load")


def _pickled(data: bytes) -> str:
    """The first weight that the archive holds as a pickle; torch would run what is in it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.namelist():
            if member.endswith(("_weights_config.json", "_constants_config.json")):
                for name, entry in json.loads(archive.read(member))["config"].items():
                    if entry.get("use_pickle"):
                        return str(name)
    return ""
