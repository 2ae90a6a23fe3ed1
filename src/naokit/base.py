"""What every room needs: errors, seeds, and names for plain values. Nothing here needs torch."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any, Literal

Direction = Literal["maximize", "minimize"]


def sign_of(direction: Direction) -> float:
    """1 where more is better, -1 where less is: times this, more is always better."""
    return 1.0 if direction == "maximize" else -1.0


Json = Any
"""A value that `json.dumps` can write."""


class InputError(ValueError):
    """Bad input: the message says what was wrong, what was expected and what to do."""


LISTED = 12
"""How many known names a message lists where none is near."""
LONGEST = 70
"""How many characters of an argument a message shows."""


def unknown_name(what: str, name: str, known: Iterable[str], most: int = 3) -> InputError:
    """The error for an unknown name; it lists the nearest known ones, or the first of them."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=most, cutoff=0.4)
    meant = f"did you mean {' or '.join(near)}?"
    if not near:
        others = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        meant = f"there are {', '.join(names[:LISTED])}{others}"
    return InputError(f"there is no {what} {name!r}; {meant}")


def unexpected(parameter: str, value: object, expected: str) -> InputError:
    """The error for an argument of another kind than its parameter takes; long ones by type."""
    shown = repr(value)
    if len(shown) > LONGEST or "\n" in shown:
        shown = f"of type {type(value).__qualname__}"
    return InputError(f"`{parameter}` is {shown}; expected {expected}")


class EvaluationFailed(Exception):
    """An evaluation that gave no value; `reason` is one of a few words, the message says more."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class SpaceExhausted(Exception):
    """Every architecture that the space or the table holds has been proposed."""


class OutOfTime(Exception):
    """The clock ended the preparation of a round; a later call goes on with it."""


def whole_number(parameter: str, value: object, least: int | None = None) -> int:
    """The value of an argument that takes a whole number, NumPy's included.

    Raises:
        InputError: It is something else, or less than `least`.
    """
    if isinstance(value, Integral) and (least is None or int(value) >= least):
        return int(value)
    more = "" if least is None else f", {least} or more"
    raise unexpected(parameter, value, f"a whole number{more}")


def derive_seed(*parts: object) -> int:
    """A seed in [0, 2^63) that depends on every part and on nothing else."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


Weights = Mapping[str, Mapping[str, float]]
"""What a user believes is good: weights of options by their names, by the names of positions."""

NOISE = "noise"
"""The metric that says how large the standard deviation of a result's value is."""

Curve = Mapping[int, float]
"""The value after each epoch that was reported, by the epoch's number, from 1."""
