"""Picture files and bytes decoded into one array (N, C, H, W), in threads.

Shapes: N images, C channels (1 grey, 3 colour), H and W height and width.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from naokit.base import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
GREY_MODES = {"1", "L"}
DEEP_MODES = ("I", "F")  # 16 bits and more: a conversion to bytes would clip, not scale

Picture = tuple[str, Path | bytes | str | None]
"""What to call a picture in a message, and its file or bytes."""


def stack(name: str, pictures: Iterable[Picture]) -> np.ndarray:
    """Pictures as bytes (N, C, H, W); grey ones among colour ones become colour.

    Raises:
        InputError: one cannot be decoded (which), there are none, or their sizes differ.
    """
    # Pillow releases the GIL while it decodes.
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        arrays = list(pool.map(_pixels, pictures))
    if not arrays:
        raise InputError(f"{name} holds no images")
    sizes = sorted({array.shape[1:] for array in arrays})
    if len(sizes) > 1:
        found = ", ".join(f"{width} x {height}" for height, width in sizes[:5])
        more = f" and {len(sizes) - 5} more" if len(sizes) > 5 else ""
        raise InputError(f"{name} has images of several sizes ({found}{more}); resize them to one")
    channels = max(len(array) for array in arrays)
    return np.stack([np.broadcast_to(array, (channels, *sizes[0])) for array in arrays])


def _pixels(picture: Picture) -> np.ndarray:
    """One picture as (C, H, W)."""
    import PIL.Image

    place, source = picture
    if source is None:
        raise InputError(f"{place} has no image")
    try:
        with PIL.Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            return _channels_first(place, image)
    except InputError:
        raise
    except Exception as error:  # the decoders raise a dozen unrelated kinds
        raise InputError(f"{place} cannot be decoded as an image: {error}") from error


def _channels_first(place: str, image: Image) -> np.ndarray:
    if image.mode.startswith(DEEP_MODES):
        raise InputError(f"{place} has pixels of mode {image.mode}; convert it to 8 bits")
    if image.mode in GREY_MODES:
        return np.asarray(image.convert("L"))[None]
    return np.asarray(image.convert("RGB")).transpose(2, 0, 1)
