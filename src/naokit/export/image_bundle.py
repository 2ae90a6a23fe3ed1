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
from naokit.training.crops import shorter_side


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

    @property
    def streamed(self) -> bool:
        """Whether it learnt from pictures decoded while it trained; what says nothing did not."""
        return self.results.get("image_size") is not None

    def told(self) -> dict[str, Json]:
        """What a config says besides, for those who read it without naokit."""
        return {"preparation": list(preparation(self))}

    def attachments(self) -> dict[str, str]:
        """Files that belong to it besides weights and config: none."""
        return {}


def preparation(bundle: Bundle) -> tuple[str, ...]:
    """What is done with a picture before the network gets it, step by step, in words."""
    channels, height, width = bundle.settings.image
    resized: tuple[str, ...]
    if bundle.streamed:
        resized = (
            f"scale it (bilinear) until its shorter side has {shorter_side(height)} pixels, "
            f"which is {height} x 256 / 224",
            f"take the {height} x {width} (height x width) pixels in the middle",
        )
    else:
        resized = (
            f"if it has another size than {height} x {width} (height x width): cut the largest "
            f"part of these proportions out of the middle and scale it to them (bicubic)",
        )
    return (
        "decode it, turn it upright as its EXIF data say, and leave out any transparency",
        "bring 16 bits a channel to 8: divide by 257 and round (multiply fractions of 1 by 255; "
        "invert a TIFF of 16 bits whose white is 0)",
        f"make it {'grey' if channels == 1 else 'red, green, blue'}",
        *resized,
        "bring the bytes into the order channels, height, width, as 32-bit floats",
        f"divide by 255, subtract the mean {list(bundle.mean)} and divide by the standard "
        f"deviation {list(bundle.std)} of each channel",
    )


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
