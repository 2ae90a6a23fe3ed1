"""The columns of a learning curve, as they are typed: `epoch_1..epoch_25`, or one by one."""

from __future__ import annotations

import re

from naokit.base import InputError

_END = re.compile(r"(.*?)(\d+)")


def columns_of(text: str) -> tuple[str, ...]:
    """The names of the columns; raises InputError for a range that is none."""
    found: list[str] = []
    for part in filter(None, map(str.strip, text.split(","))):
        first, dots, last = part.partition("..")
        found += _between(part, first, last) if dots else [part]
    return tuple(found)


def _between(part: str, first: str, last: str) -> list[str]:
    """The names from the first to the last."""
    begin, end = _END.fullmatch(first), _END.fullmatch(last)
    if begin is None or end is None or begin[1] != end[1] or int(begin[2]) > int(end[2]):
        raise InputError(
            f"--curve-columns {part}: expected NAME1..NAME9, the same name with numbers that "
            "increase"
        )
    return [f"{begin[1]}{number}" for number in range(int(begin[2]), int(end[2]) + 1)]
