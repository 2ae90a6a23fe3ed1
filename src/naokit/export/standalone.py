"""A network as one Python file that needs torch alone.

The file is the source of `naokit.networks` without its imports, the plan of the two cells, and a
reader of the safetensors file beside it. Annotations are never evaluated: nothing else is needed.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import textwrap
from pathlib import Path

from torch import nn

from naokit import base
from naokit.base import InputError
from naokit.export.bundle import Bundle
from naokit.export.config import WEIGHTS
from naokit.files import write_whole
from naokit.networks import ImageNetwork, cell, depthwise, image, operations, stem
from naokit.spaces import ConvCells, Operation

HEADER = '''"""{name}: an image classifier found by naokit. Needs torch and {weights}, nothing else.

    import {module}
    network = {module}.load()          # weights from {weights} beside this file
    logits = network({module}.standardise(images))     # images: (B, {shape}) bytes

Architecture: {architecture}
Classes: {classes}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.grad import conv2d_input, conv2d_weight


class InputError(ValueError):
    """Settings that no network can be built with."""


'''

FOOTER = '''

NORMAL = {normal}
REDUCTION = {reduction}
SETTINGS = {settings}
CLASS_NAMES = {class_names}
MEAN = {mean}
STD = {std}


def build() -> ImageNetwork:
    """The network with random weights."""
    return ImageNetwork(NORMAL, REDUCTION, SETTINGS, OPERATIONS)


def load(path: str | Path = Path(__file__).with_name("{weights}")) -> ImageNetwork:
    """The trained network, in eval mode."""
    network = build()
    network.load_state_dict(read_safetensors(Path(path).read_bytes()))
    return network.eval()


def standardise(images: Tensor) -> Tensor:
    """Bytes (B, C, H, W) as the network was trained on them."""
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (MEAN, STD))
    return (images.float() / 255 - mean) / std


def read_safetensors(data: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file."""
    start = 8 + int.from_bytes(data[:8], "little")
    kinds = {{"F32": torch.float32, "I64": torch.int64}}
    tensors = {{}}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, last = (start + place for place in entry["data_offsets"])
            flat = torch.frombuffer(bytearray(data[first:last]), dtype=kinds[entry["dtype"]])
            tensors[name] = flat.reshape(entry["shape"])
    return tensors
'''


def obstacle(bundle: Bundle) -> str:
    """Why the network cannot be written as one file; empty where it can."""
    if not isinstance(bundle.network, ImageNetwork):
        return "only networks made of cells can be written as a stand-alone file"
    for operation in _own_operations(bundle):
        if not _source(operation):
            return (
                f"the operation {operation.name} needs a function or class of its own in a "
                "file to be written as a stand-alone file"
            )
    return ""


def write(bundle: Bundle, path: Path) -> None:
    """Writes the file, which reads the weights beside it; raises InputError for an `obstacle`."""
    if why := obstacle(bundle):
        raise InputError(why)
    network = bundle.network
    assert isinstance(network, ImageNetwork)
    header = HEADER.format(
        name=path.name,
        module=path.stem,
        weights=WEIGHTS,
        shape=", ".join(map(str, bundle.settings.image)),
        architecture=f"{bundle.architecture.space.name}: {bundle.architecture}",
        classes=", ".join(bundle.class_names),
    )
    settings = [inspect.getsource(c) for c in (base.NetworkSettings, base.ImageSettings)]
    modules = [
        _without_imports(inspect.getsource(m)) for m in (depthwise, operations, cell, stem, image)
    ]
    footer = FOOTER.format(
        normal=network.normal,
        reduction=network.reduction,
        settings=bundle.settings,
        class_names=bundle.class_names,
        mean=bundle.mean,
        std=bundle.std,
        weights=WEIGHTS,
    )
    own = [part for operation in _own_operations(bundle) for part in _with_entry(operation)]
    parts = [*settings, *modules, *own]
    write_whole(path, header + "\n\n".join(part.strip("\n") + "\n" for part in parts) + footer)


def read(path: Path) -> nn.Module:
    """The network that the file loads."""
    spec = importlib.util.spec_from_file_location(f"naokit_standalone_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
        network: nn.Module = module.load()
    finally:
        del sys.modules[spec.name]
    return network


def _without_imports(source: str) -> str:
    """A module's source without its docstring and imports."""
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    for node in reversed(tree.body):
        docstring = node is tree.body[0] and isinstance(node, ast.Expr)
        if docstring or isinstance(node, ast.Import | ast.ImportFrom):
            assert node.end_lineno is not None
            del lines[node.lineno - 1 : node.end_lineno]
    return "".join(lines)


def _own_operations(bundle: Bundle) -> list[Operation]:
    """The operations that a user made."""
    space = bundle.architecture.space
    own = space.operations if isinstance(space, ConvCells) else ()
    return [operation for operation in own if isinstance(operation, Operation)]


def _source(operation: Operation) -> str:
    """The source of what builds an operation; empty where it has none of its own."""
    try:
        source = textwrap.dedent(inspect.getsource(operation.build))
    except (OSError, TypeError):
        return ""
    return source if source.startswith(("def ", "class ")) else ""


def _with_entry(operation: Operation) -> list[str]:
    """The source of an operation, and its entry in the table."""
    name = getattr(operation.build, "__name__", "")
    return [_source(operation), f"OPERATIONS[{operation.name!r}] = {name}"]
