"""`run.yaml`: the options of a command in a file that the same command takes back (--config).

    # naokit search --config run.yaml
    command: search
    data: /home/me/pictures
    evaluations: 40

A value is read as the command line reads it; an option that is given there too wins over the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from naokit.base import InputError, Json
from naokit.cli.output import exit_codes

if TYPE_CHECKING:
    from yaml import MappingNode, Node

NAME = "run.yaml"
COMMAND = "command"
LARGEST = 2**20
"""Bytes of a file of options; a run's has some five hundred."""
LEFT_OUT = frozenset({"config", "json", "force", "help", "release_abandoned"})
"""Options that say nothing of the run."""
PLACES = frozenset({"data", "out", "prior", "space", "start_from", "table", "tokens", "what"})
"""Parameters that may name a file or folder: what is there is written with its whole path."""


@dataclass(frozen=True)
class GivenOptions:
    """What a command was asked for.

    Attributes:
        command: The name of the command.
        options: The values of its options, by the names that a file of options has.
    """

    command: str
    options: Mapping[str, Json]

    def write(self, folder: Path) -> None:
        """Writes `run.yaml` into a folder."""
        import yaml

        from naokit.files import write_whole

        content = {COMMAND: self.command, **self.options}
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        write_whole(folder / NAME, f"# naokit {self.command} --config {NAME}\n{text}")


def given(context: typer.Context, without: Collection[str] = (), **known: object) -> GivenOptions:
    """What a command was asked for.

    Args:
        context: The call of the command.
        without: The parameters that are left out.
        known: The values of parameters that were found out since, in place of the call's.
    """
    found: dict[str, Json] = {}
    values = {**context.params, **known}
    for name, parameter in parameters_of(context.command).items():
        value = values[parameter.name]
        wanted = parameter.name not in without and not _is_secret(parameter.name, value)
        if wanted and value not in (None, (), []):
            place = parameter.name in PLACES
            several = isinstance(value, list | tuple)
            each = [_plain(one, place=place) for one in (value if several else [value])]
            found[name] = each if several else each[0]
    return GivenOptions(str(context.info_name), found)


def _is_secret(name: str | None, value: object) -> bool:
    """Whether an option holds a password: it is typed anew each time."""
    from naokit.study.storage import has_password  # not above: `--help` loads no database

    return name == "storage" and isinstance(value, str) and has_password(value)


def _take(context: typer.Context, path: Path | None) -> Path | None:
    """Makes the options of a file the defaults of this call."""
    if path is not None:
        with exit_codes():
            context.default_map = _read(path, context)
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        is_eager=True,
        callback=_take,
        help="A file of options, such as the run.yaml that every run writes; those that are given "
        "here as well win.",
    ),
]


def _read(path: Path, context: typer.Context) -> dict[str, Any]:
    """The values in a file by the names of the parameters."""
    parameters, found = parameters_of(context.command), dict[str, Any]()
    for key, value, line in _entries(path):
        place = f"{path}, line {line}"
        name = key.replace("_", "-")
        if name == COMMAND:
            if value != context.info_name:
                raise InputError(f"{place}: it is of naokit {value}, not {context.info_name}")
            continue
        if name not in parameters:
            near = difflib.get_close_matches(name, parameters, 1)
            hint = f"did you mean {near[0]}?" if near else f"expected {', '.join(parameters)}"
            raise InputError(f"{place}: naokit {context.info_name} has no option {key!r}; {hint}")
        parameter = parameters[name]
        if parameter.name in found:
            raise InputError(f"{place}: {key} is there twice")
        several = parameter.multiple or parameter.nargs != 1
        if isinstance(value, list) and not several:
            raise InputError(f"{place}: {key} is one value, not a list")
        found[parameter.name] = [value] if several and isinstance(value, str) else value
    return found


def _entries(path: Path) -> Iterator[tuple[str, str | list[str], int]]:
    """The key, value and line of each entry; values are text, as on a command line."""
    import yaml

    from naokit.files import read_text

    try:
        root = yaml.compose(read_text(path, LARGEST), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        said = " ".join(str(error).split()) or "nested too deep"
        raise InputError(f"{path} is no YAML: {said}") from error
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise InputError(f"{path} is no file of options: expected lines such as `seed: 1`")
    yield from _pairs(path, root)


def _pairs(path: Path, root: MappingNode) -> Iterator[tuple[str, str | list[str], int]]:
    for key, node in root.value:
        line = key.start_mark.line + 1
        value = _value(node)
        if not isinstance(key.value, str) or value is None:
            raise InputError(f"{path}, line {line}: expected an option with a value or a list")
        if value != "" and not (value in ("null", "~") and node.style is None):
            yield key.value, value, line


def _value(node: Node) -> str | list[str] | None:
    """A text or a list of texts; None where it is something else."""
    from yaml import ScalarNode, SequenceNode

    if isinstance(node, ScalarNode):
        return str(node.value)
    if isinstance(node, SequenceNode) and all(isinstance(n, ScalarNode) for n in node.value):
        return [str(one.value) for one in node.value]
    return None


def parameters_of(command: Any) -> dict[str, Any]:
    """The parameters of a command, as typer holds it, by the names that a file has for them."""
    return {
        max(parameter.opts, key=len).lstrip("-").replace("_", "-"): parameter
        for parameter in command.params
        if parameter.name not in LEFT_OUT
    }


def _plain(value: object, *, place: bool) -> Json:
    """A value as YAML has it; a file or folder is named with its whole path."""
    if not place:
        return value if isinstance(value, bool | int | float) else str(value)
    text = str(value)
    file, colon, rest = text.partition(":")
    try:
        if Path(text).exists():
            return str(Path(text).resolve())
        if colon and Path(file).exists():
            return f"{Path(file).resolve()}:{rest}"
    except (OSError, ValueError):  # a genotype may be longer than a path can be
        return text
    return text
