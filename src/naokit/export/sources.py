"""What a stand-alone file is put together from: sources of modules, classes and functions."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import symtable
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from naokit.export.literals import literal

Part = ModuleType | type | Callable[..., Any] | str
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


def joined(docstring: str, parts: Sequence[Part], end: str, needs: str = "") -> str:
    """A whole file.

    Args:
        docstring: of the file.
        parts: what is in it, each after those that it needs.
        end: source that uses them, and `read_safetensors`.
        needs: further imports.
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


def _source(part: Part) -> str:
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


def entry(table: str, key: str, own: Callable[..., Any]) -> list[str]:
    """The parts that put a function or class of a user's, or one of torch's, into a table."""
    name = _torch_name(own)
    if name:
        return [f"{table}[{literal(key)}] = {name}"]
    return [_own_source(own), f"{table}[{literal(key)}] = {own.__name__}"]


def why_not(what: str, own: Callable[..., Any], modules: Sequence[ModuleType]) -> str:
    """Why a file of these modules cannot hold a function or class; empty where it can.

    Args:
        what: it is, in words.
        own: a user's, or torch's.
        modules: what is in the file.
    """
    if _torch_name(own):
        return ""
    source = _own_source(own)
    if not source:
        return (
            f"{what} needs a function or class of its own in a file to be written as a stand-alone "
            "file"
        )
    there = {name: value for module in modules for name, value in vars(module).items()}
    if own.__name__ in there:
        return f"{what} has the name {own.__name__}, which the stand-alone file needs: rename it"
    given = getattr(own, "__globals__", None) or vars(sys.modules[own.__module__])
    around = set(own.__code__.co_freevars) if inspect.isfunction(own) else set()
    missing = sorted(
        name
        for name in _needed(source) - {own.__name__}
        if name in around or not _same(name, given, there)
    )
    if missing:
        return (
            f"{what} uses {', '.join(missing)}, which a stand-alone file would not have: it can "
            "use what it defines itself, and torch"
        )
    return ""


def _same(name: str, given: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    """Whether a name means the same here and there: the same object, or Python's own."""
    if name in given and name in there:
        return given[name] is there[name]
    return name not in given and name not in there and hasattr(builtins, name)


def _torch_name(own: Callable[..., Any]) -> str:
    """Where torch itself has it: its source would need what is around it there."""
    for module in (torch, F, nn):
        for name, value in vars(module).items():
            if value is own:
                return f"{module.__name__}.{name}"
    return ""


def _own_source(own: Callable[..., Any]) -> str:
    """The source of a function or class; empty where it has none under its name, as a lambda."""
    try:
        source = textwrap.dedent(inspect.getsource(own))
    except (OSError, TypeError):
        return ""
    defined = re.match(r"(?:def|class) +(\w+)", source)
    return source if defined and defined[1] == own.__name__ else ""


def _needed(source: str) -> set[str]:
    """The names that a source reads from around it; annotations are never evaluated."""
    tables = [symtable.symtable(_without_annotations(source), "", "exec")]
    needed: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        needed |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_global() and symbol.is_referenced()
        }
    return needed


def _without_annotations(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.unparse(tree)
