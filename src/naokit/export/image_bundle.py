"""An image classifier and what is needed to use it.

Shapes: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from naokit.base import Architecture, ImageSettings, Json


@dataclass(frozen=True)
class Bundle:
    """An image classifier and what is needed to use it.

    Attributes:
        network: in eval mode.
        architecture: what it was built from.
        settings: its sizes.
        class_names: of the outputs.
        mean: of each channel, in [0, 1]; an image is (pixels / 255 - mean) / std.
        std: likewise.
        results: figures worth keeping with it, by name.
    """

    network: nn.Module
    architecture: Architecture
    settings: ImageSettings
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    results: dict[str, Json] = dataclasses.field(default_factory=dict)

    kind: ClassVar = "image"

    def fields(self) -> dict[str, Json]:
        """Its own part of the config."""
        return {"class_names": self.class_names, "mean": self.mean, "std": self.std}

    def attachments(self) -> dict[str, str]:
        """Files that belong to it besides weights and config: none."""
        return {}


def settings_of(config: Mapping[str, Json]) -> ImageSettings:
    """The sizes that a config names."""
    return ImageSettings(**{**config["network"], "image": tuple(config["network"]["image"])})


def bundle_of(
    network: nn.Module,
    architecture: Architecture,
    settings: ImageSettings,
    config: Mapping[str, Json],
) -> Bundle:
    """The network with what the config says of it."""
    names, mean, std = (tuple(config[name]) for name in ("class_names", "mean", "std"))
    return Bundle(network, architecture, settings, names, mean, std, config["results"])


def standardise(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Bytes (B, C, H, W) as the network was trained on them; `mean` and `std` of each channel."""
    shift, scale = (torch.tensor(values).view(-1, 1, 1) for values in (mean, std))
    return (images.float() / 255 - shift) / scale
