"""The JSON schema of a file of options (`--config`), made of the options of its command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter
from typing import Any, get_args, get_origin

from naokit.base import Json
from naokit.cli.config_file import COMMAND

_TYPES = {int: "integer", float: "number", bool: "boolean"}
"""The names of types that are no text."""
_TEXT = ["string", "number"]
"""What is read as a text: `workers: 4` needs no quotation marks."""


def options_schema(command: Callable[..., None], options: Mapping[str, Any]) -> dict[str, Json]:
    """The schema of the file of options that a command reads.

    Args:
        command: The function of the command.
        options: Its parameters, as typer holds them, by the names that the file has.
    """
    parameters = inspect.signature(command).parameters
    return {
        "title": f"naokit {command.__name__} --config",
        "description": inspect.getdoc(command),
        "type": "object",
        "properties": {
            COMMAND: {"const": command.__name__, "description": "The command that reads the file."},
            **{name: _property(parameters[one.name]) for name, one in options.items()},
        },
        "additionalProperties": False,
    }


def _property(parameter: Parameter) -> dict[str, Json]:
    """What an option may be; nothing stands for its default."""
    annotation, info = get_args(parameter.annotation)
    kind = (get_args(annotation) or [annotation])[0]  # of `kind | None`
    types = [_TYPES[kind]] if kind in _TYPES else _TEXT
    found: dict[str, Json] = {"description": info.help, "type": [*types, "null"]}
    if get_origin(kind) is list:
        found |= {"type": ["array", *types, "null"], "items": {"type": types}}
    default = None if parameter.default is Parameter.empty else parameter.default
    known = {"minimum": info.min, "maximum": info.max, "default": default}
    return found | {name: value for name, value in known.items() if value is not None}
