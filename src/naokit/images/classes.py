"""Classes that have numbers only."""

from __future__ import annotations

from naokit.base import InputError

MOST_CLASSES = 100_000
NUMBER_THEM = "number the classes from 0 (numpy.unique(labels, return_inverse=True))"


def numbered(name: str, largest: int) -> tuple[str, ...]:
    """Names of the classes 0 to `largest`, which are these numbers.

    Raises:
        InputError: There are too few or too many classes.
    """
    if largest >= MOST_CLASSES:
        raise InputError(f"{name}: labels run up to {largest}; {NUMBER_THEM}")
    return tuple(str(label) for label in range(largest + 1))
