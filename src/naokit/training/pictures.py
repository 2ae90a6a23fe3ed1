"""Picture files and bytes decoded, in threads.

Shapes: N images, C channels (1 grey, 3 colour), H and W height and width.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from naokit.base import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
GREY_MODES = {"1", "L"}
DEEP_MODES = ("I", "F")  # 16 bits and more: a conversion to bytes would clip, not scale
ADVICE = "mend or remove it, or leave such pictures out with --skip-bad"

Picture = tuple[str, Path | bytes | str | None]
"""What to call a picture in a message, and its file or bytes."""

Found = TypeVar("Found")


def stack(
    name: str, pictures: Iterable[Picture], *, skip_bad: bool = False
) -> tuple[np.ndarray, dict[int, str]]:
    """Pictures as bytes (N, C, H, W), and the places and messages of those left out.

    Grey ones among colour ones become colour.

    Raises:
        InputError: one cannot be decoded (which; not with `skip_bad`), there are none, or their
            sizes differ.
    """
    found = list(in_threads(lambda picture: outcome(_pixels, picture), pictures))
    bad = {row: str(f) for row, f in enumerate(found) if isinstance(f, InputError)}
    if bad and not skip_bad:
        raise InputError(next(iter(bad.values())))
    arrays = [array for array in found if not isinstance(array, InputError)]
    if not arrays:
        raise InputError(f"{name} holds no images{' that can be decoded' if bad else ''}")
    sizes = sorted({array.shape[1:] for array in arrays})
    if len(sizes) > 1:
        some = ", ".join(f"{width} x {height}" for height, width in sizes[:5])
        more = f" and {len(sizes) - 5} more" if len(sizes) > 5 else ""
        raise InputError(
            f"{name} has images of several sizes ({some}{more}); "
            "resize them to one (`naokit search` and `train` do so with --image-size 224)"
        )
    channels = max(len(array) for array in arrays)
    return np.stack([np.broadcast_to(array, (channels, *sizes[0])) for array in arrays]), bad


def header(picture: Picture) -> tuple[int, int, int]:
    """Height, width and channels (1 or 3) of a picture that is not decoded; checks what is cheap.

    Raises:
        InputError: it is no picture, or of more than 8 bits.
    """
    with _opened(picture) as image:
        found = (image.height, image.width, 1 if image.mode in GREY_MODES else 3)
        image.verify()
        return found


def reduced(picture: Picture, shape: tuple[int, int, int]) -> np.ndarray:
    """A picture (H, W, C) of bytes, made smaller to `shape` where it is larger.

    Raises:
        InputError: it cannot be decoded.
    """
    from PIL.Image import Resampling

    height, width, channels = shape
    mode = "L" if channels == 1 else "RGB"
    with _opened(picture) as image:
        if image.size != (width, height):
            image.draft(None, (width, height))  # a JPEG decoded at 1/2, 1/4 or 1/8 of its size
        pixels = image if image.mode == mode else image.convert(mode)  # convert always copies
        if pixels.size != (width, height):
            pixels = pixels.resize((width, height), Resampling.BILINEAR)
        return np.asarray(pixels).reshape(shape)


def in_threads(
    function: Callable[[Picture], Found], pictures: Iterable[Picture]
) -> Iterator[Found]:
    """What a function gives for each picture, in order; Pillow releases the GIL as it decodes."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        yield from pool.map(function, pictures)


def outcome(function: Callable[[Picture], Found], picture: Picture) -> Found | InputError:
    """What a function gives for a picture, or why it cannot."""
    try:
        return function(picture)
    except InputError as error:
        return error


def _pixels(picture: Picture) -> np.ndarray:
    """One picture as (C, H, W)."""
    with _opened(picture) as image:
        if image.mode in GREY_MODES:
            return np.asarray(image.convert("L"))[None]
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


@contextmanager
def _opened(picture: Picture) -> Iterator[Image]:
    """The picture, its header read; whatever goes wrong with it becomes an InputError."""
    import PIL.Image

    place, source = picture
    if source is None:
        raise InputError(f"{place} has no image; {ADVICE}")
    try:
        with PIL.Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            _refuse_deep(place, image.mode)
            yield image
    except InputError:
        raise
    except Exception as error:  # the decoders raise a dozen unrelated kinds
        raise InputError(f"{place} cannot be decoded as an image: {error}; {ADVICE}") from error


def _refuse_deep(place: str, mode: str) -> None:
    if mode.startswith(DEEP_MODES):
        raise InputError(f"{place} has pixels of mode {mode}; convert it to 8 bits")
