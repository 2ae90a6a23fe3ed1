"""What commands that are about any kind of network are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from naokit.cli.options import Pictures

if TYPE_CHECKING:
    from naokit.space import Architecture


@dataclass(frozen=True)
class Measuring:
    """What a network is measured on.

    Attributes:
        network: The folder or file of the network.
        data: The data. If None, those that the network learnt from.
        split: The part that is measured. If None, the test part or its substitute.
        batch: How many images or places of a text go through at once. If None, the kind's default.
        pictures: How images are read.
        json: Whether one JSON object is printed instead of lines.
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
        architecture: The architecture of the network's cells.
        size: The sizes that `naokit.build` takes, as far as they are known.
        recipe: The name of the recipe whose training is estimated. If None, none is.
        data: The data of that training. Their shape, classes and words are the network's.
        pictures: How images are read.
        tokens: The tokens that a text is read in. If None, words.
        images: How many images the training has where no data are given.
        counts: Whether nothing is measured.
        onnx: Whether latency is measured in onnxruntime too.
        json: Whether one JSON object is printed instead of lines.
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
