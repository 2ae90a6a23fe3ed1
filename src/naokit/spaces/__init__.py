"""The search spaces, by name: tokens on one side, graphs and networks on the other.

`load("conv-small")` gives a built-in space; `load("my_file.py:NAME")` and
`load("package.module:NAME")` give a user's own. Third parties register a `Space` factory in the
entry-point group `naokit.spaces`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from naokit.base import InputError, Json, unknown_name
from naokit.space import Space
from naokit.spaces import own_code
from naokit.spaces.cells import ConvCells, Operation
from naokit.spaces.choices import Choice, Choices
from naokit.spaces.edge_cells import NasBench201, TransNasMicro
from naokit.spaces.graph_pool import Graphs
from naokit.spaces.nas_bench_101 import NasBench101
from naokit.spaces.nas_bench_graph import NasBenchGraph
from naokit.spaces.recurrent import Activation, RecurrentCells

__all__ = [
    "SPACES",
    "Activation",
    "Choice",
    "Choices",
    "ConvCells",
    "Graphs",
    "NasBench101",
    "NasBench201",
    "NasBenchGraph",
    "Operation",
    "RecurrentCells",
    "TransNasMicro",
    "from_settings",
    "load",
    "without_folder",
]

SPACES: Mapping[str, Callable[[], Space]] = {
    "conv-small": ConvCells.small,
    "conv-large": ConvCells.large,
    "conv-nasnet": ConvCells.nasnet,
    "nas-bench-101": NasBench101,
    "nas-bench-201": NasBench201,
    "transnas-micro": TransNasMicro,
    "nas-bench-graph": NasBenchGraph,
    "recurrent": RecurrentCells,
}
"""The built-in spaces at their published sizes."""

OF_A_TABLE = ("choices", "graphs")
"""The names of spaces that are made of a table's columns."""


def load(text: str, *, nodes: int | None = None, activations: str | None = None) -> Space:
    """The space of a name, of `file.py:NAME` or of `package.module:NAME`.

    Naming a file or a module here allows it to be run, also for a network or a run that records it
    (`own_code`).

    Args:
        text: The name of the space.
        nodes: The number of nodes of a cell (B), for spaces of cells. If None, as published.
        activations: The table of activations by which recurrent cells number them, "nao" or
            "nao-ws". If None, "nao-ws".

    Raises:
        InputError: There is no such space or table (with the nearest names), or the space has no
            nodes or activations to set.
    """
    space = _user_space(text, str(Path.cwd())) if ":" in text else _named(text)
    if ":" in text:
        own_code.remember(_whole(text))
    if activations is not None:
        space = _numbered(space, activations)
    return _of_nodes(space, nodes)


def _of_nodes(space: Space, nodes: int | None) -> Space:
    if nodes is None:
        return space
    if not isinstance(space, ConvCells | RecurrentCells):
        raise InputError(f"the space {space.name} has no nodes to set: leave `nodes` out")
    return replace(space, nodes=nodes)


def _numbered(space: Space, table: str) -> Space:
    """The recurrent cells of a table; a user's own space defines its activations itself."""
    if not isinstance(space, RecurrentCells) or space.source:
        raise InputError(
            f"the space {space.name} has no activations to set: leave `activations` out"
        )
    return RecurrentCells.of_table(table, space.nodes)


def name_of(text: str) -> str:
    """The name that folders have from the space of this text, which is not loaded."""
    return text.rpartition(":")[2]


def from_settings(settings: Mapping[str, Json]) -> Space:
    """The space that `space.settings()` describes.

    Raises:
        InputError: A user's own space cannot be found, or has changed, or was never named by the
            user, so that its code may not be run.
    """
    if "choices" in settings and not settings.get("source"):  # made of a table's columns
        return _choices_of(settings)
    if "pool" in settings and not settings.get("source"):
        return _graphs_of(settings)
    if "activations" in settings and not settings.get("source"):
        return RecurrentCells(settings["nodes"], tuple(settings["activations"]), settings["space"])
    source, name = settings.get("source"), settings["space"]
    makers = own_code.allowed(source, name) if source else [None]
    for own in makers:
        space = _user_space(own.source, own.folder) if own else _named(name)
        space = _of_nodes(space, settings.get("nodes"))
        found = space.settings()
        if without_folder(found) == without_folder(settings):
            return space
    raise InputError(
        f"the space {name} is not what it was: recorded {dict(settings)}, "
        f"found {dict(found)}; restore its definition"
    )


def without_folder(settings: Mapping[str, Json]) -> dict[str, Json]:
    """The settings of a space, with the file of a user's own space without its folder.

    A project may have moved. So may the table of a pool of graphs, whose fingerprint stays.
    """
    source = settings.get("source")
    found = {**settings, **({"source": own_code.without_folder(source)} if source else {})}
    return {name: value for name, value in found.items() if name != "file" or "pool" not in found}


def _whole(text: str) -> str:
    """`FILE.py:NAME` with the whole path of its file; the name of a module stays as it is."""
    place, _, name = text.rpartition(":")
    return f"{Path(place).resolve()}:{name}" if place.endswith(".py") else text


def _choices_of(settings: Mapping[str, Json]) -> Choices:
    return Choices(
        settings["space"],
        tuple(
            Choice(name, tuple(values), when and (when[0], tuple(when[1])))
            for name, values, when in settings["choices"]
        ),
    )


def _graphs_of(settings: Mapping[str, Json]) -> Graphs:
    """The pool of graphs of a table that is where it was, or in the current folder."""
    file = Path(settings["file"])
    there = file if file.exists() else Path(file.name)
    if not there.exists():
        raise InputError(
            f"the graphs of the space were read from {file}, which is gone: put that table back, "
            "or into the current folder"
        )
    space = Graphs.of_table(there, settings["column"])
    if space.pool != settings["pool"]:
        raise InputError(
            f"the graphs in the column {space.column} of {there} are not what they were: restore "
            "the table"
        )
    return space


def _named(name: str) -> Space:
    if name in OF_A_TABLE:
        raise InputError(
            f"the space {name} is made of a table's columns, and its networks cannot be built: "
            "give the `table`"
        )
    third_party = {point.name: point for point in entry_points(group="naokit.spaces")}
    if name in SPACES:
        return SPACES[name]()
    if name in third_party:
        return _checked(third_party[name].load()(), name)
    known = [*SPACES, *third_party]
    raise InputError(
        f"{unknown_name('space', name, known)} "
        "(a space of your own is file.py:NAME or package.module:NAME)"
    )


def _user_space(text: str, folder: str) -> Space:
    """The space of `file.py:NAME`, or of `package.module:NAME`, which may lie in `folder`."""
    place, _, name = text.rpartition(":")
    module = _file_module(Path(place)) if place.endswith(".py") else _package_module(place, folder)
    if not hasattr(module, name):
        spaces = [key for key, value in vars(module).items() if isinstance(value, Space)]
        raise InputError(f"{place} has no {name!r}; its spaces: {', '.join(spaces) or 'none'}")
    space = _checked(getattr(module, name), text)
    if isinstance(space, ConvCells | Choices | RecurrentCells):
        return replace(space, source=_whole(text))
    return space


def _file_module(path: Path) -> ModuleType:
    """The module of a file, run again, so that two spaces in one file share nothing by accident."""
    if not path.is_file():
        raise InputError(f"there is no file {path}; a space of your own is file.py:NAME")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"{path} could not be run: {type(error).__name__}: {error}") from error
    return module


def _package_module(name: str, folder: str) -> ModuleType:
    """The module of this name; one in `folder` is found as well."""
    try:
        with own_code.looking_in(folder):
            return importlib.import_module(name)
    except Exception as error:
        raise InputError(
            f"the module {name!r} could not be imported: {type(error).__name__}: {error}"
        ) from error


def _checked(space: object, text: str) -> Space:
    if not isinstance(space, Space):
        raise InputError(f"{text} is a {type(space).__name__}, not a naokit Space")
    return space
