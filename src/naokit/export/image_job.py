"""The export of an image classifier: compared on random images, calibrated on real ones.

Shapes: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from naokit.base import InputError
from naokit.export import int8
from naokit.export.checking import BATCHES, Job, Run
from naokit.export.image_bundle import Bundle, standardise
from naokit.measuring import batches, check_fits, images_of
from naokit.training.data import ImageData


@dataclass(frozen=True)
class ImageJob(Job):
    """An image classifier on its way into files; the program takes standardised images.

    Attributes:
        source: images for int8; None: those that the network learnt from.
    """

    bundle: Bundle
    source: ImageData | str | Path | None = None

    inputs = ("images",)
    outputs = ("logits",)
    program_note = "any batch"

    def run_of(self, network: nn.Module) -> nn.Module:
        """The whole network."""
        return network

    def examples(self) -> tuple[Tensor, ...]:
        """Standardised images (2, C, H, W)."""
        return (torch.zeros(2, *self.bundle.settings.image),)

    @torch.no_grad()
    def difference(self, run: Run) -> float:
        """Largest difference of any logit from the network's, on random images."""
        generator = torch.Generator().manual_seed(0)
        image = self.bundle.settings.image
        given = [torch.randn(n, *image, generator=generator) for n in BATCHES]
        return max(float((run(x) - self.bundle.network(x)).abs().max()) for x in given)

    @cached_property
    def data(self) -> ImageData:
        """Images of the network's size and classes.

        Raises:
            InputError: they are not named, cannot be read or do not fit.
        """
        try:
            data = images_of(self.bundle.results, self.source)
        except InputError as error:
            raise InputError(f"int8 needs images: {error}; or name others with `data`") from error
        if data is None:
            raise InputError("int8 needs images and none are recorded; name them with `data`")
        check_fits(data, self.bundle.settings.image, self.bundle.class_names, "the network")
        return data

    def calibration(self) -> Iterator[Tensor]:
        """Standardised training images, the same every time."""
        train = self.data.train
        rows = np.random.default_rng(0).permutation(len(train))[: int8.CALIBRATION]
        for images, _ in batches(train, 32, np.sort(rows)):
            yield self.standardise(images)

    def standardise(self, images: Tensor) -> Tensor:
        """Bytes (B, C, H, W) -> standardised floats."""
        return standardise(images, self.bundle.mean, self.bundle.std)
