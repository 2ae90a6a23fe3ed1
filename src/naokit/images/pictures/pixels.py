"""A picture of any mode that Pillow knows as upright bytes, grey or colour.

Pixels of 16 bits are divided by 257: the whole range 0 to 65,535 becomes 0 to 255, whatever a
picture holds. A rule that looked at the picture (its brightest pixel, or 12 of its 16 bits) would
make a dark picture as bright as a bright one; one that looked at the data set would be lost where
a stranger shows the network his own pictures.

The source of this file is a part of stand-alone networks, which load without Pillow and NumPy:
these are imported where a picture is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F"})
DEEPEST = 2**16 - 1
ORIENTATION = 0x0112
"""Number of the EXIF tag."""
TURNED = range(2, 9)
"""Its values but for 1, as it is."""


def is_grey(image: Image) -> bool:
    """Whether a picture has one channel, by its header."""
    return image.mode in GREY_MODES or is_deep(image.mode)


def upright(image: Image) -> Image:
    """A picture as its EXIF orientation says that it is to be seen."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(image) if orientation(image) in TURNED else image


def in_bytes(image: Image, mode: str) -> Image:
    """A picture in a mode of bytes, "L" or "RGB"; an alpha channel is left out.

    Raises:
        ValueError: The pixels are neither fractions nor numbers of 16 bits.
    """
    import numpy as np
    from PIL import Image as pillow  # noqa: N813

    if is_deep(image.mode):
        inverted = getattr(image, "tag_v2", {}).get(262) == 0  # white is 0, which Pillow leaves so
        deep = scaled(np.asarray(image))
        image = pillow.fromarray(255 - deep if inverted and image.mode[0] == "I" else deep)
    if image.mode in ("LA", "La") and mode == "RGB":
        image = image.convert("L")
    return image if image.mode == mode else image.convert(mode)


def scaled(pixels: np.ndarray) -> np.ndarray:
    """Pixels of 16 bits, or fractions of 1, as bytes.

    Raises:
        ValueError: The pixels are neither.
    """
    import numpy as np

    largest = 1 if pixels.dtype.kind == "f" else DEEPEST
    low, high = (pixels.min(initial=0), pixels.max(initial=0))
    if not 0 <= low <= high <= largest:
        raise ValueError(
            f"its pixels run from {low:g} to {high:g}, expected 0 to {largest:,}; convert it to "
            "8 bits"
        )
    pixels = np.rint(pixels * 255) if largest == 1 else (pixels.astype(np.uint32) + 128) // 257
    return pixels.astype(np.uint8)


def is_deep(mode: str) -> bool:
    """Whether a mode of Pillow's has more than 8 bits a pixel."""
    return mode.startswith(("I", "F"))


def orientation(image: Image) -> int:
    """The EXIF orientation, 1 to 8; 1, as it is, where there is none."""
    if image.format == "PNG" and "exif" not in image.info:  # Pillow would decode it to find more
        return 1
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001  damaged EXIF says nothing of the pixels
        return 1
    return found if isinstance(found, int) else 1
