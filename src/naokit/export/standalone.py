"""A network as one Python file that needs torch alone.

The file is the source of `naokit.networks` without its imports, the plan of the cells, and a reader
of the safetensors file beside it. Annotations are never evaluated: nothing else is needed.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from torch import nn

from naokit.base import InputError
from naokit.export.bundle import Bundle
from naokit.files import write_whole


def write(bundle: Bundle, path: Path) -> None:
    """Writes the file, which reads the weights beside it; raises InputError for an `obstacle`."""
    if why := bundle.obstacle():
        raise InputError(why)
    write_whole(path, bundle.standalone())


def read_standalone(path: Path) -> nn.Module:
    """The network that the file loads."""
    name = f"naokit_standalone_{path.stem}"
    spec = importlib.util.spec_from_loader(name, _Uncached(name, str(path)))
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


class _Uncached(SourceFileLoader):
    """Leaves no `__pycache__` beside the file: the folder is the user's."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Writes nothing."""
