"""What a network takes for what, and the images that it gets most wrong."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax

from naokit.base import InputError
from naokit.images.data import Split
from naokit.images.measuring import Measured, batches, images_of, logits_on, measure, part_of
from naokit.images.on_device import EVALUATION_BATCH
from naokit.images.opening import open_network
from naokit.images.pictures.stream import Stream
from naokit.kind import Examples

MOST = 12
LARGEST = 96
"""The side in pixels of a picture that is kept."""


@dataclass(frozen=True)
class Mistake:
    """An image that a network gets wrong.

    Attributes:
        picture: The image as PNG, in an address of its own (`data:image/png;base64,...`).
        label: What it is.
        taken_for: What the network takes it for.
        confidence: How sure it is of that, as a share.
    """

    picture: str
    label: str
    taken_for: str
    confidence: float


@dataclass(frozen=True)
class ImageExamples(Examples):
    """What a network does with the images of a part.

    Attributes:
        data: The name of the data.
        part: The part that was measured.
        measured: Its measures, confusions among them.
        mistakes: The images that it gets wrong while it is surest, the surest first.
    """

    section, title = "images", "What it takes for what"

    data: str
    part: str
    measured: Measured
    mistakes: tuple[Mistake, ...]

    @property
    def confusions(self) -> list[tuple[int, str, str]]:
        """How often which class is taken for which other, the most frequent first."""
        names = [one.name for one in self.measured.classes]
        found = [
            (count, names[label], names[chosen])
            for label, row in enumerate(self.measured.confusion)
            for chosen, count in enumerate(row)
            if count and chosen != label
        ]
        return sorted(found, key=lambda one: -one[0])


def image_examples(network: Path) -> ImageExamples:
    """The examples of a trained network, on the test part of the data that it learnt from.

    Raises:
        InputError: There is no network, it does not say what it learnt from, or that is gone.
    """
    classifier = open_network(network)
    images = images_of(classifier.results.data)
    if images is None:
        raise InputError(f"{network} does not say what it learnt from")
    classifier.interface.check_fits(images, str(network))
    names = classifier.interface.class_names
    part, rows = part_of(images)
    logits, labels = logits_on(classifier.logits, rows, EVALUATION_BATCH)
    measured = measure(logits, labels, names)
    return ImageExamples(images.name, part, measured, mistakes(rows, logits, labels, names))


def mistakes(
    rows: Split | Stream, logits: np.ndarray, labels: np.ndarray, names: Sequence[str]
) -> tuple[Mistake, ...]:
    """The images (N, ...) of which logits (N, K) are most surely wrong for labels (N,)."""
    shares = softmax(logits.astype(np.float64), axis=1)
    chosen = shares.argmax(axis=1)
    wrong = np.flatnonzero(chosen != labels)
    surest = wrong[np.argsort(-shares[wrong, chosen[wrong]], kind="stable")][:MOST]
    pictures = [one for images, _ in batches(rows, MOST, surest) for one in images.numpy()]
    return tuple(
        Mistake(
            _as_address(picture),
            names[int(labels[row])],
            names[int(chosen[row])],
            float(shares[row, chosen[row]]),
        )
        for row, picture in zip(surest, pictures, strict=True)
    )


def _as_address(picture: np.ndarray) -> str:
    """An image (C, H, W) of bytes as an address that holds it, small enough for a page."""
    from PIL import Image

    channels = picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)
    image = Image.fromarray(np.ascontiguousarray(channels))
    image.thumbnail((LARGEST, LARGEST))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
