"""A trained image classifier and what is needed to use it.

Shapes: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from naokit.base import Json
from naokit.export.about import About
from naokit.export.bundle import Bundle, Computation
from naokit.export.check import Check
from naokit.export.checking import Files
from naokit.export.fields import fits, shown
from naokit.export.results import Results
from naokit.images import card, int8, standalone
from naokit.images.interface import Interface, is_streamed
from naokit.images.task import ACCURACY
from naokit.settings import ImageSettings
from naokit.space import Architecture

BATCHES = (1, 3)
"""How many images a file and the network are compared on at once."""


@dataclass(frozen=True)
class ImageBundle(Bundle):
    """A trained image classifier and what is needed to use it.

    Attributes:
        network: The network, in eval mode.
        architecture: What it was built from.
        settings: Its sizes.
        class_names: The names of its outputs.
        mean: The mean of each channel in [0, 1]; the network sees (pixels / 255 - mean) / std.
        std: The standard deviation of each channel.
        results: How its training went, as far as that is known.
    """

    network: nn.Module
    architecture: Architecture
    settings: ImageSettings
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    results: Results = field(default_factory=lambda: Results(ACCURACY))

    kind = "image"
    noun = "an image classifier"
    use = "`naokit predict` classifies pictures with it"
    metric = ACCURACY
    needed = ("class_names", "mean", "std")
    settings_type = ImageSettings
    needed_sizes = ("classes", "channels", "cells", "image")
    inputs = ("images",)
    outputs = ("logits",)

    @property
    def interface(self) -> Interface:
        """The inputs and outputs of the network."""
        image, streamed = self.settings.image, is_streamed(self.results.data)
        return Interface(image, self.class_names, self.mean, self.std, streamed)

    @classmethod
    def read(
        cls,
        network: nn.Module,
        architecture: Architecture,
        settings: Any,
        config: Mapping[str, Json],
        folder: Path,
    ) -> ImageBundle:
        """The network with what its config says."""
        del folder
        names, mean, std = (tuple(config[name]) for name in cls.needed)
        results = Results.from_json(cls.metric, config["results"])
        return cls(network, architecture, settings, names, mean, std, results)

    @classmethod
    def faults(cls, config: Mapping[str, Json]) -> Iterator[str]:
        """Faults where names do not match the outputs, or means and deviations the channels."""
        names, mean, std = (config[name] for name in cls.needed)
        classes, channels = config["network"]["classes"], config["network"]["image"][0]
        if not fits(names, str, classes):
            yield f"class_names is {shown(names)}, not {classes} names"
        for name, values in (("mean", mean), ("std", std)):
            if not fits(values, float, channels):
                yield f"{name} is {shown(values)}, not one number for each of {channels} channels"
            elif name == "std" and not all(value > 0 for value in values):
                yield f"std is {shown(values)}, not above 0"

    def fields(self) -> dict[str, Json]:
        """The names of its classes, and how images are standardised."""
        return {"class_names": self.class_names, "mean": self.mean, "std": self.std}

    def notes(self) -> dict[str, Json]:
        """The preparation of a picture, in words."""
        return {"preparation": list(self.interface.preparation())}

    def examples(self) -> tuple[Tensor, ...]:
        """Standardised images (2, C, H, W)."""
        return (torch.zeros(2, *self.settings.image),)

    @torch.no_grad()
    def difference(self, run: Computation) -> float:
        """The largest difference of any logit from the network's, on random images."""
        generator = torch.Generator().manual_seed(0)
        given = [torch.randn(n, *self.settings.image, generator=generator) for n in BATCHES]
        return max(float((run(x) - self.network(x)).abs().max()) for x in given)

    def obstacle(self) -> str:
        """Why the network cannot be written as one Python file; empty where it can."""
        return standalone.obstacle(self.network, self.architecture.space)

    def standalone(self) -> str:
        """The source of the network, of what prepares pictures for it and of its reader."""
        return standalone.source(self.network, self.architecture, self.settings, self.interface)

    def about(self) -> About:
        """What the model card says of it."""
        return card.about(self.network, self.interface)


def _int8(files: Files) -> Check:
    """The network in 8-bit integers."""
    bundle = files.bundle
    assert isinstance(bundle, ImageBundle)
    return int8.check(files, bundle.interface)


ImageBundle.own_formats = {"int8": _int8}
