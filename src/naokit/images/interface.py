"""The inputs and outputs of an image classifier.

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Self

import torch
from torch import Tensor

from naokit.base import InputError, Json
from naokit.images.data import ImageData
from naokit.images.pictures.crops import shorter_side


@dataclass(frozen=True)
class Interface:
    """The inputs and outputs of an image classifier.

    Attributes:
        image: The shape of an image (C, H, W).
        class_names: The names of the outputs (K).
        mean: The mean of each channel in [0, 1]; a network sees (pixels / 255 - mean) / std.
        std: The standard deviation of each channel.
        streamed: Whether the network learnt from pictures that were decoded while it trained.
    """

    image: tuple[int, int, int]
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    streamed: bool

    @classmethod
    def of(cls, config: Mapping[str, Json]) -> Self:
        """The interface in a config; where this does not say how, no stream was learnt from."""
        image: Any = tuple(config["network"]["image"])
        names, mean, std = (tuple(config[name]) for name in ("class_names", "mean", "std"))
        return cls(image, names, mean, std, is_streamed(config["results"]))

    def standardise(self, images: Tensor) -> Tensor:
        """Bytes (B, C, H, W) as the network was trained on them."""
        shift, scale = (torch.tensor(v).view(-1, 1, 1) for v in (self.mean, self.std))
        return (images.float() / 255 - shift) / scale

    def preparation(self) -> tuple[str, ...]:
        """What is done with a picture before the network gets it, step by step, in words."""
        channels, height, width = self.image
        resized: tuple[str, ...]
        if self.streamed:
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
            "bring 16 bits a channel to 8: divide by 257 and round (multiply fractions of 1 by "
            "255; invert a TIFF of 16 bits whose white is 0)",
            f"make it {'grey' if channels == 1 else 'red, green, blue'}",
            *resized,
            "bring the bytes into the order channels, height, width, as 32-bit floats",
            f"divide by 255, subtract the mean {list(self.mean)} and divide by the standard "
            f"deviation {list(self.std)} of each channel",
        )

    def check_fits(self, data: ImageData, name: str) -> None:
        """Raises InputError where the network's images or classes are not the data's (the first).

        Args:
            data: The images and their classes.
            name: What the network is called in the message.
        """
        if data.image != self.image:
            there, here = (" x ".join(map(str, shape)) for shape in (data.image, self.image))
            raise InputError(
                f"{data.name} has images of {there} (channels, height, width), {name} was made for "
                f"{here}"
            )
        for label, (there, here) in enumerate(zip_longest(data.class_names, self.class_names)):
            if there != here:
                raise InputError(
                    f"{data.name} and {name} differ in classes: class {label} is "
                    f"{_quoted(there)} in the data and {_quoted(here)} in the network"
                )


def is_streamed(remembered: Mapping[str, Json]) -> bool:
    """Whether a network learnt from pictures that were decoded while it trained."""
    return remembered.get("image_size") is not None


def _quoted(name: str | None) -> str:
    return "absent" if name is None else repr(name)
