"""A network as a `torch.export` program with a dynamic batch."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from naokit.base import InputError
from naokit.files import check_regular, write_whole


def trace(network: nn.Module, examples: tuple[Tensor, ...]) -> ExportedProgram:
    """The program for any batch size, which is the first dimension of each input.

    Raises:
        InputError: The network does something that torch.export cannot follow.
    """
    batch = {0: torch.export.Dim("batch")}
    try:
        return torch.export.export(
            network.eval(), examples, dynamic_shapes=(batch,) * len(examples), strict=False
        )
    except Exception as error:  # its own errors, and whatever the network raises
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"torch.export cannot follow this network ({lines[0]}); "
            "without it there is `formats=safetensors` and `formats=python`"
        ) from error


def write(program: ExportedProgram, path: Path) -> None:
    """Writes the program, whole or not at all."""
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    write_whole(path, buffer.getvalue())


def read_pt2(path: Path) -> Callable[..., Any]:
    """The computation of the program.

    Torch unpickles what a file asks it to, which can run code: such files are refused.

    Raises:
        InputError: The file is damaged, or holds pickled objects or compiled code.
    """
    check_regular(path)
    try:
        data = path.read_bytes()
        unsafe = _unsafe(data)
        if not unsafe:
            module: nn.Module = torch.export.load(io.BytesIO(data)).module()
            return module
    except Exception as error:  # zipfile's, torch's and json's own
        raise InputError(f"{path} is damaged ({error}); export it again") from error
    raise InputError(f"{path} holds {unsafe}, which could run code: naokit does not load it")


def _unsafe(data: bytes) -> str:
    """The parts of an archive that are neither numbers nor a graph; empty where there are none."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > len(data):
            raise ValueError("it is compressed, which torch's own files are not")
        for member in archive.namelist():
            if "aotinductor" in member:
                return f"compiled code ({member})"
            if member.endswith(("_weights_config.json", "_constants_config.json")):
                for name, entry in json.loads(archive.read(member))["config"].items():
                    objects = not entry["path_name"].startswith(("weight_", "tensor_"))
                    if objects or entry.get("use_pickle"):
                        return f"a pickled object ({name})"
            if member.endswith(".pt") and not _tensors_alone(archive.read(member)):
                return f"a pickled object ({member})"
    return ""


def _tensors_alone(data: bytes) -> bool:
    """Whether torch reads this without unpickling anything but tensors."""
    try:
        torch.load(io.BytesIO(data), weights_only=True)
    except pickle.UnpicklingError:  # what torch raises for anything else; nothing was run
        return False
    return True
