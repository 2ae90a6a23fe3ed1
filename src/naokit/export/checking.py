"""One export: what its formats share, and how a file is compared with the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.export import ExportedProgram

from naokit.base import InputError
from naokit.export import int8, onnx, pt2
from naokit.export.bundle import Bundle, standardise
from naokit.export.config import list_file
from naokit.measuring import batches, check_fits, images_of
from naokit.training.data import ImageData

BATCHES = (1, 3)
"""Images a batch that the files are compared on."""


@dataclass(frozen=True)
class Check:
    """An exported file, and how far its outputs are from the network's.

    Attributes:
        file: what was written.
        difference: largest absolute difference of any logit.
        tolerance: the largest that is accepted; None where accuracies are compared instead.
        note: what else is worth knowing, in words.
        accuracy: before and after, percent, where they are compared.
    """

    file: Path
    difference: float
    tolerance: float | None
    note: str = ""
    accuracy: tuple[float, float] | None = None


@dataclass(frozen=True)
class Job:
    """A network on its way into files.

    Attributes:
        bundle: the network, in eval mode on the processor, in the plain memory layout.
        folder: of the files.
        source: images for int8; None: those that the network learnt from.
    """

    bundle: Bundle
    folder: Path
    source: ImageData | str | Path | None = None

    @cached_property
    def program(self) -> ExportedProgram:
        """The network, traced once."""
        return pt2.trace(self.bundle.network, self.bundle.settings.image)

    @cached_property
    def onnx_file(self) -> Path:
        """The ONNX file, written once."""
        path = self.folder / "model.onnx"
        onnx.write(self.program, path)
        list_file(self.folder, path.name, opset=onnx.OPSET)
        return path

    @cached_property
    def data(self) -> ImageData:
        """Images of the network's size and classes.

        Raises:
            InputError: they are not named, cannot be read or do not fit.
        """
        try:
            data = images_of(self.bundle.results, self.source)
        except InputError as error:
            raise InputError(f"int8 needs images: {error}; or name others with --data") from error
        if data is None:
            raise InputError("int8 needs images and none are recorded; name them with --data")
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

    @torch.no_grad()
    def difference(self, run: Callable[[Tensor], Tensor]) -> float:
        """Largest difference of any logit from the network's, on random images."""
        generator = torch.Generator().manual_seed(0)
        image = self.bundle.settings.image
        given = [torch.randn(n, *image, generator=generator) for n in BATCHES]
        return max(float((run(x) - self.bundle.network(x)).abs().max()) for x in given)

    def check(
        self, path: Path, run: Callable[[Tensor], Tensor], tolerance: float, note: str
    ) -> Check:
        """The check of a file; raises InputError where it computes something else."""
        difference = self.difference(run)
        if not difference <= tolerance:
            raise InputError(
                f"{path} computes something else: logits differ by {difference:.2g}, more than "
                f"{tolerance:g}; please report it with the architecture {self.bundle.architecture}"
            )
        return Check(path, difference, tolerance, note)
