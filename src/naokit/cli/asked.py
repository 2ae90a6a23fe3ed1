"""What commands that fork on the kind of a network are asked, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from naokit.cli.options import Pictures

if TYPE_CHECKING:
    from naokit.base import Architecture


@dataclass(frozen=True)
class Measuring:
    """What a network is measured on.

    Attributes:
        network: its folder or file.
        data: --data.
        split: --split.
        batch: --batch.
        pictures: how images are read.
        json: whether one JSON object is printed.
    """

    network: Path
    data: str | None
    split: str | None
    batch: int | None
    pictures: Pictures
    json: bool


@dataclass(frozen=True)
class Profiling:
    """What is asked of a network's costs.

    Attributes:
        architecture: of its cells.
        size: what `naokit.build` takes, where it is given.
        recipe: whose training is estimated.
        data: the data of that training; their shape, classes and words are the network's.
        pictures: how images are read.
        tokens: what a text is read in.
        images: how many there are where no data are given.
        counts: nothing is measured.
        onnx: whether latency is measured in onnxruntime too.
        json: one JSON object instead of lines.
    """

    architecture: Architecture
    size: Mapping[str, Any]
    recipe: str | None
    data: str | None
    pictures: Pictures
    tokens: str | None
    images: int | None
    counts: bool
    onnx: bool
    json: bool
