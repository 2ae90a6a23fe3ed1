"""Options that several commands share, as dataclasses: each stands once, wherever it is used."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from inspect import Parameter
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters that are dataclasses are options, one for each field.

    Typer reads the signature and sees the fields in the place of the parameter; the command gets
    the dataclass. A field may be a dataclass again. Parameters are by keyword, so that any may lack
    a default.
    """
    signature = inspect.signature(command, eval_str=True)

    @wraps(command)
    def called(**given: Any) -> None:
        command(**{p.name: _taken(p.name, p.annotation, given) for p in _parameters(signature)})

    options = [option for p in _parameters(signature) for option in _options(p)]
    called.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]
    return called


def _parameters(signature: inspect.Signature) -> list[Parameter]:
    return list(signature.parameters.values())


def _options(parameter: Parameter) -> Iterator[Parameter]:
    """The parameter, or the fields of its dataclass."""
    if not dataclasses.is_dataclass(parameter.annotation):
        yield parameter
        return
    hints = get_type_hints(parameter.annotation, include_extras=True)
    for field in dataclasses.fields(parameter.annotation):
        default = Parameter.empty if field.default is dataclasses.MISSING else field.default
        yield from _options(
            Parameter(field.name, parameter.kind, default=default, annotation=hints[field.name])
        )


def _taken(name: str, kind: Any, given: dict[str, Any]) -> Any:
    """The value of a parameter: what was given, or its dataclass of what was given."""
    if not dataclasses.is_dataclass(kind):
        return given[name]
    hints = get_type_hints(kind, include_extras=True)
    fields = dataclasses.fields(kind)
    return kind(**{f.name: _taken(f.name, hints[f.name], given) for f in fields})  # type: ignore[operator]
