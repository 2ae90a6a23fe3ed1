"""Prediction: pictures resized for a network, and the classes that it predicts for them.

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from naokit.base import InputError
from naokit.images.interface import Interface
from naokit.images.on_device import EVALUATION_BATCH
from naokit.images.pictures.decoding import SUFFIXES, decoded
from naokit.images.pictures.modes import Adjustment
from naokit.images.pictures.pixels import in_bytes, is_grey, upright
from naokit.images.reading.folders import picture_names
from naokit.training.tree import grown

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class FittedPicture:
    """A picture as a network takes it.

    Attributes:
        file: The file that the picture was read from.
        pixels: The bytes (C, H, W).
        resized: Whether the picture had another size.
        recoloured: Whether it was made grey or colour.
        scaled: Whether it had pixels of 16 bits.
    """

    file: Path
    pixels: np.ndarray
    resized: bool
    recoloured: bool
    scaled: bool = False


@dataclass(frozen=True)
class Prediction:
    """The likeliest classes of one picture.

    Attributes:
        file: The file of the picture.
        labels: The names of classes, the likeliest first.
        probabilities: The probability of each, in [0, 1].
    """

    file: Path
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Predictions:
    """The predictions for some pictures.

    Attributes:
        rows: One row for each picture.
        resized: The number of pictures that were resized.
        recoloured: The number of pictures that were made grey or colour.
        skipped: The reason why each picture that was left out could not be read.
        scaled: The number of pictures that had pixels of 16 bits.
    """

    rows: tuple[Prediction, ...]
    resized: int
    recoloured: int
    skipped: tuple[str, ...]
    scaled: int = 0


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """Every file named, and every picture below every folder named, in the order of their names.

    Raises:
        InputError: A path is absent, or a folder holds no pictures.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            shown = [path / name for name in picture_names(grown(path))]
            if not shown:
                raise InputError(
                    f"{path} holds no pictures; expected {', '.join(sorted(SUFFIXES))}"
                )
            found += shown
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"there is no file or folder {path}")
    return found


def fit_picture(
    file: Path, image: tuple[int, int, int], *, streamed: bool = False
) -> FittedPicture:
    """A picture in the size and colours of an image (C, H, W).

    Decoded as training pictures are, 16 bits scaled to 8; then the largest centred part of the
    right proportions is scaled (bicubic), which is the same as scaling the shorter side and
    cropping the centre.

    Args:
        file: The file of the picture.
        image: The shape of the images that the network takes.
        streamed: Whether the network learnt from pictures that were decoded while it trained; it is
            then shown the part that it was judged on there.

    Raises:
        InputError: The picture cannot be decoded (which file), or no picture has so many channels.
    """
    from PIL import Image

    channels, height, width = image
    if channels not in (1, 3):
        raise InputError(f"the network takes {channels} channels; a picture has 1 or 3")
    found = decoded((os.fsencode(file).decode(errors="backslashreplace"), file))
    pixels = found.pixels
    resized, recoloured = pixels.shape[1:] != (height, width), len(pixels) != channels
    if resized or recoloured or streamed:
        flat = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
        fitted = np.asarray(prepared(Image.fromarray(flat), image, streamed))
        pixels = fitted.reshape(height, width, channels).transpose(2, 0, 1)
    return FittedPicture(file, pixels, resized, recoloured, bool(found.kind & Adjustment.DEEP))


def prepared(picture: Image, image: tuple[int, int, int], streamed: bool) -> Image:
    """A picture of Pillow's in the size and colours of an image (C, H, W); see `fit_picture`."""
    from PIL import Image, ImageOps

    channels, height, width = image
    picture = in_bytes(upright(picture), "L" if is_grey(picture) else "RGB")
    picture = picture.convert("L" if channels == 1 else "RGB")
    if not streamed:
        if picture.size == (width, height):
            return picture
        return ImageOps.fit(picture, (width, height), Image.Resampling.BICUBIC)
    scale = round(height * 256 / 224) / min(picture.size)
    sides = (round(picture.width * scale), round(picture.height * scale))
    picture = picture.resize(sides, Image.Resampling.BILINEAR)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def predict(
    network: Callable[[Tensor], Tensor],
    interface: Interface,
    files: Sequence[Path],
    *,
    top: int = 1,
    skip_bad: bool = False,
    on_batch: Callable[[int], None] | None = None,
) -> Predictions:
    """The classes that a network predicts for pictures.

    Args:
        network: The network, bytes (B, C, H, W) -> logits (B, K).
        interface: What goes in and what comes out.
        files: The files of the pictures.
        top: The number of classes for each picture.
        skip_bad: Whether pictures that cannot be decoded are left out.
        on_batch: Called with the number of pictures done.

    Raises:
        InputError: A picture cannot be decoded, or there are fewer classes than `top`.
    """
    classes = len(interface.class_names)
    if not 1 <= top <= classes:
        raise InputError(f"`top` is {top}; the network has {classes} classes")
    rows: list[Prediction] = []
    skipped: list[str] = []
    resized = recoloured = scaled = 0
    for start in range(0, len(files), EVALUATION_BATCH):
        part = files[start : start + EVALUATION_BATCH]
        pictures = list(_readable(part, interface, skipped if skip_bad else None))
        resized += sum(picture.resized for picture in pictures)
        recoloured += sum(picture.recoloured for picture in pictures)
        scaled += sum(picture.scaled for picture in pictures)
        if pictures:
            rows += _rows(network, interface.class_names, pictures, top)
        if on_batch is not None:
            on_batch(len(part))
    return Predictions(tuple(rows), resized, recoloured, tuple(skipped), scaled)


def _readable(
    files: Sequence[Path], interface: Interface, skipped: list[str] | None
) -> Iterator[FittedPicture]:
    """The pictures that can be decoded; why others cannot goes into `skipped`, if there is one."""
    for file in files:
        try:
            yield fit_picture(file, interface.image, streamed=interface.streamed)
        except InputError as error:
            if skipped is None:
                raise
            skipped.append(str(error))


@torch.no_grad()
def _rows(
    network: Callable[[Tensor], Tensor],
    class_names: Sequence[str],
    pictures: Sequence[FittedPicture],
    top: int,
) -> list[Prediction]:
    images = torch.from_numpy(np.stack([picture.pixels for picture in pictures]))
    best = network(images).softmax(dim=1).topk(top, dim=1)
    return [
        Prediction(picture.file, tuple(class_names[label] for label in labels), tuple(shares))
        for picture, labels, shares in zip(
            pictures, best.indices.tolist(), best.values.tolist(), strict=True
        )
    ]
