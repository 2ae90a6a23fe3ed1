"""A published architecture: where it comes from, and what was published about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from naokit.space import Architecture, Space

SizeT = TypeVar("SizeT", covariant=True)

NAO_PAPER = "arXiv 1808.07233"
NAO_TF = "github.com/renqianluo/NAO @ e07be44"
NAO_PT = "github.com/renqianluo/NAO_pytorch @ 418ff71"


@dataclass(frozen=True)
class Genotype(Generic[SizeT]):
    """A published cell, or pair of cells.

    Attributes:
        name: The name of the architecture in naokit.
        space: The space of the cells.
        text: The official integers in the space's notation.
        source: The publication or code that the cells come from.
        sizes: The sizes of the published networks.
        note: How naokit's network differs from the original one.
    """

    name: str
    space: Space
    text: str
    source: str
    sizes: tuple[SizeT, ...]
    note: str = ""

    @property
    def architecture(self) -> Architecture:
        """The cells as an architecture of their space."""
        return self.space.parse(self.text)
