"""Data of any kind, in three parts."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Protocol

from naokit.base import InputError, Json

PARTS = ("test", "validation", "train")
VALIDATION = 0.1
"""The share of a training part that is held out where the source has no validation part.

The paper holds 5,000 of CIFAR-10's 50,000 training images out.
"""


class Data(Protocol):
    """Data of any kind, in three parts; a search never looks at `test`."""

    @property
    def name(self) -> str:
        """The name of the source."""

    @property
    def train(self) -> Sized:
        """The part that networks learn from."""

    @property
    def validation(self) -> Sized:
        """The part that networks are compared on."""

    @property
    def test(self) -> Sized:
        """The part that the last network is reported on; empty where the source has none."""

    @property
    def fingerprint(self) -> str:
        """A name for the content: equal for equal data."""

    @property
    def held_out(self) -> Json:
        """What became the validation part of the training part; None if nothing did."""

    @property
    def remarks(self) -> Sequence[str]:
        """Remarks for a person on how the data were read, one line each."""


def part_named(data: Data, name: str | None = None, *, fewest: int = 1) -> str:
    """The name of the requested part, by default `test` or its substitute.

    Args:
        data: The data whose part is asked for.
        name: One of `PARTS`, or None.
        fewest: A part that holds less than this counts as absent.

    Raises:
        InputError: There is no part of this name, or too little in it.
    """
    if name is None:
        name = "test" if len(data.test) else "validation"
    if name not in PARTS:
        raise InputError(f"there is no part {name!r}; expected {', '.join(PARTS)}")
    if len(getattr(data, name)) < fewest:
        raise InputError(f"{data.name} has no {name} part; use `part='validation'`")
    return name
