"""Values as Python source: what is written into a program is a value and nothing else."""

from __future__ import annotations

import dataclasses
import math

from naokit.base import InputError


def literal(value: object) -> str:
    """The Python source of a plain value, or of a dataclass of ours that is made of such.

    It is one line of ASCII: quotes, line ends, marks of direction and halves of surrogate pairs
    are escaped, so that no text can end the literal that it stands in.

    Raises:
        InputError: There is no source for this kind of value.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str) or (kind is float and math.isfinite(value)):  # type: ignore[arg-type]
        return ascii(value)
    if isinstance(value, tuple | list):
        return f"({''.join(f'{literal(item)}, ' for item in value)})"
    if dataclasses.is_dataclass(value) and kind.__module__.startswith("naokit."):
        fields = [f"{f.name}={literal(getattr(value, f.name))}" for f in dataclasses.fields(value)]
        return f"{kind.__name__}({', '.join(fields)})"
    raise InputError(f"{value!a} cannot be written into a stand-alone file")
