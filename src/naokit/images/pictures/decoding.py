"""Picture files and bytes decoded, in threads.

Shapes: N images, C channels (1 grey, 3 colour), H and W height and width.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from naokit.base import InputError
from naokit.files import check_regular
from naokit.images.pictures.modes import Adjustment, kind_of, remarks, upright_size
from naokit.images.pictures.pixels import in_bytes, is_grey, upright

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
}
ADVICE = "mend or remove it, or leave such pictures out with `skip_bad=True`"

NamedPicture = tuple[str, Path | bytes | str | None]
"""What to call a picture in a message, and its file or bytes."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Decoded:
    """A picture in memory.

    Attributes:
        pixels: The bytes (C, H, W).
        kind: The kind of the picture.
    """

    pixels: np.ndarray
    kind: Adjustment


@dataclass(frozen=True)
class Stacked:
    """Pictures in memory.

    Attributes:
        images: The images, bytes (N, C, H, W).
        bad: The places and messages of those left out.
        remarks: Remarks on the others, one line each.
    """

    images: np.ndarray
    bad: dict[int, str]
    remarks: tuple[str, ...]


def stack(name: str, pictures: Iterable[NamedPicture], *, skip_bad: bool = False) -> Stacked:
    """Pictures of one size.

    Grey ones among colour ones become colour.

    Raises:
        InputError: A picture cannot be decoded (which; not with `skip_bad`), there are none, or
            their sizes differ.
    """
    found = list(in_threads(lambda picture: outcome(decoded, picture), pictures))
    bad = {row: str(f) for row, f in enumerate(found) if isinstance(f, InputError)}
    if bad and not skip_bad:
        raise InputError(next(iter(bad.values())))
    good = [one for one in found if not isinstance(one, InputError)]
    arrays = [one.pixels for one in good]
    if not arrays:
        raise InputError(f"{name} holds no images{' that can be decoded' if bad else ''}")
    sizes = sorted({array.shape[1:] for array in arrays})
    if len(sizes) > 1:
        some = ", ".join(f"{width} x {height}" for height, width in sizes[:5])
        more = f" and {len(sizes) - 5} more" if len(sizes) > 5 else ""
        raise InputError(
            f"{name} has images of several sizes ({some}{more}); "
            "resize them to one (`naokit search` and `train` do so with `image_size=224`)"
        )
    channels = max(len(array) for array in arrays)
    images = np.stack([np.broadcast_to(array, (channels, *sizes[0])) for array in arrays])
    said = remarks(name, [one.kind for one in good], brightest(good))
    return Stacked(images, bad, tuple(said))


def brightest(pictures: Iterable[Decoded]) -> int | None:
    """The brightest byte of the pictures of 16 bits; None where there are none."""
    deep = (one.pixels for one in pictures if one.kind & Adjustment.DEEP)
    return max((int(pixels.max(initial=0)) for pixels in deep), default=None)


def header(picture: NamedPicture) -> tuple[int, int, int, int]:
    """Height, width, channels (1 or 3) and kind of a picture; checks what is cheap.

    Raises:
        InputError: The file is not a picture.
    """
    with _opened(picture) as image:
        kind = kind_of(image)  # before anything is decoded, as a TIFF then stands upright
        found = (*upright_size(image), 1 if is_grey(image) else 3, kind)
        if image.format == "PNG":  # the one that has something to verify
            image.verify()
        return found


def reduced(picture: NamedPicture, shape: tuple[int, int, int]) -> np.ndarray:
    """A picture (H, W, C) of bytes, made smaller to `shape` where it is larger.

    Raises:
        InputError: The picture cannot be decoded.
    """
    from PIL.Image import Resampling

    height, width, channels = shape
    mode = "L" if channels == 1 else "RGB"
    with _opened(picture) as image:
        turned = kind_of(image) & Adjustment.TURNED
        if image.size != (width, height) and not turned:
            image.draft(None, (width, height))  # a JPEG decoded at 1/2, 1/4 or 1/8 of its size
        pixels = in_bytes(upright(image) if turned else image, mode)
        if pixels.size != (width, height):
            pixels = pixels.resize((width, height), Resampling.BILINEAR)
        return np.asarray(pixels).reshape(shape)


def in_threads(
    function: Callable[[NamedPicture], Found], pictures: Iterable[NamedPicture]
) -> Iterator[Found]:
    """A function's result for each picture, in order; Pillow releases the GIL as it decodes."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        yield from pool.map(function, pictures)


def outcome(function: Callable[[NamedPicture], Found], picture: NamedPicture) -> Found | InputError:
    """The result of a function for a picture, or its InputError."""
    try:
        return function(picture)
    except InputError as error:
        return error


def decoded(picture: NamedPicture) -> Decoded:
    """One picture; raises InputError where it cannot be decoded."""
    with _opened(picture) as image:
        kind, grey = kind_of(image), is_grey(image)
        pixels = np.asarray(in_bytes(upright(image), "L" if grey else "RGB"))
        return Decoded(pixels[None] if grey else pixels.transpose(2, 0, 1), kind)


@contextmanager
def _opened(picture: NamedPicture) -> Iterator[Image]:
    """The picture, its header read; anything that goes wrong with it becomes an InputError."""
    import PIL.Image

    place, source = picture
    if source is None:
        raise InputError(f"{place} has no image; {ADVICE}")
    try:
        if not isinstance(source, bytes):
            _check_file(Path(source))
        with PIL.Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            yield image
    except InputError:
        raise
    except Exception as error:  # the decoders raise a dozen unrelated kinds
        raise InputError(f"{place} cannot be decoded as an image: {error}; {ADVICE}") from error


def _check_file(path: Path) -> None:
    try:
        check_regular(path)
    except InputError as error:
        raise InputError(f"{error}; {ADVICE}") from None
