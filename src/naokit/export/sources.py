"""What a stand-alone file is put together from: sources of modules, classes and functions."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

SourcePart = ModuleType | type | Callable[..., Any] | str
"""Something to take the source of, or source itself."""

READS = """
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
"""
"""What a file needs besides the imports of its modules."""

ERROR = '''


class InputError(ValueError):
    """Settings that no network can be built with."""


'''

READER = '''

def read_safetensors(data: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file."""
    start = 8 + int.from_bytes(data[:8], "little")
    kinds = {"F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, last = (start + place for place in entry["data_offsets"])
            flat = torch.frombuffer(bytearray(data[first:last]), dtype=kinds[entry["dtype"]])
            tensors[name] = flat.reshape(entry["shape"])
    return tensors
'''


def joined(docstring: str, parts: Sequence[SourcePart], end: str, needs: str = "") -> str:
    """The source of a whole stand-alone file.

    Args:
        docstring: The docstring of the file.
        parts: The parts of the file, each after those that it needs.
        end: Source that uses the parts and `read_safetensors`.
        needs: The lines that import what else the file needs.
    """
    bodies = [_source(part) for part in parts]
    modules = [inspect.getsource(part) for part in parts if isinstance(part, ModuleType)]
    return (
        f'"""{docstring}"""\n\nfrom __future__ import annotations\n\n'
        + "\n".join(_imports([READS, needs, *modules]))
        + ERROR
        + "\n\n".join(body.strip("\n") + "\n" for body in bodies)
        + end
        + READER
    )


def _source(part: SourcePart) -> str:
    if isinstance(part, str):
        return part
    source = inspect.getsource(part)
    return _without_imports(source) if isinstance(part, ModuleType) else source


def _imports(sources: Sequence[str]) -> list[str]:
    """The imports of modules that a stand-alone file needs as well.

    Annotations are never evaluated: what they alone need is left out, and so is our own.
    """
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    for node in (node for source in sources for node in ast.parse(source).body):
        if isinstance(node, ast.Import):
            plain |= {ast.unparse(name) for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and _foreign(node.module):
            names.setdefault(node.module, set()).update(map(ast.unparse, node.names))
    return [
        *(f"import {name}" for name in sorted(plain)),
        *(f"from {module} import {', '.join(sorted(names[module]))}" for module in sorted(names)),
    ]


def _foreign(module: str) -> bool:
    return module.split(".")[0] not in ("naokit", "jaxtyping", "__future__")


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
