"""Pictures of every mode that Pillow knows, as 8-bit grey or colour.

Pixels of 16 bits are divided by 257: the whole range 0 to 65,535 becomes 0 to 255, whatever a
picture holds. A rule that looked at the picture (its brightest pixel, or 12 of its 16 bits) would
make a dark picture as bright as a bright one; one that looked at the data set would be lost where
a stranger shows the network his own pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntFlag
from typing import TYPE_CHECKING

import numpy as np

from naokit.wording import counted

if TYPE_CHECKING:
    from PIL.Image import Image

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F"})
ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
DEEPEST = 2**16 - 1
ORIENTATION = 0x0112
"""Number of the EXIF tag."""
TURNED = range(2, 9)
"""Its values but for 1, as it is."""
LAID = range(5, 9)
"""Those of pictures that lie on their side."""
DARK = 32
"""Where the brightest pixel of all is below this of 255, at most 13 bits of 16 are used."""


class Kind(IntFlag):
    """What of a picture is not used as it is."""

    DEEP = 1
    ALPHA = 2
    FRAMES = 4
    TURNED = 8


def kind_of(image: Image) -> Kind:
    """What a picture is, by its header."""
    found = Kind(0)
    if _is_deep(image.mode):
        found |= Kind.DEEP
    if image.mode in ALPHA_MODES or "transparency" in image.info:
        found |= Kind.ALPHA
    if _has_frames(image):
        found |= Kind.FRAMES
    return found | (Kind.TURNED if _orientation(image) in TURNED else Kind(0))


def is_grey(image: Image) -> bool:
    """Whether a picture has one channel, by its header."""
    return image.mode in GREY_MODES or _is_deep(image.mode)


def upright_size(image: Image) -> tuple[int, int]:
    """Height and width of a picture as it is to be seen, by its header."""
    lies = _orientation(image) in LAID
    if lies and image.format == "TIFF":  # whose size some versions of Pillow have turned already
        lies, image = False, upright(image)
    width, height = image.size
    return (width, height) if lies else (height, width)


def upright(image: Image) -> Image:
    """A picture as its EXIF orientation says that it is to be seen."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(image) if _orientation(image) in TURNED else image


def in_bytes(image: Image, mode: str) -> Image:
    """A picture in a mode of bytes, "L" or "RGB"; an alpha channel is left out.

    Raises:
        ValueError: its pixels are no fractions and no numbers of 16 bits.
    """
    from PIL import Image as pillow  # noqa: N813

    if _is_deep(image.mode):
        inverted = getattr(image, "tag_v2", {}).get(262) == 0  # white is 0, which Pillow leaves so
        deep = scaled(np.asarray(image))
        image = pillow.fromarray(255 - deep if inverted and image.mode[0] == "I" else deep)
    if image.mode in ("LA", "La") and mode == "RGB":
        image = image.convert("L")
    return image if image.mode == mode else image.convert(mode)


def scaled(pixels: np.ndarray) -> np.ndarray:
    """Pixels of 16 bits, or fractions of 1, as bytes.

    Raises:
        ValueError: they are neither.
    """
    largest = 1 if pixels.dtype.kind == "f" else DEEPEST
    low, high = (pixels.min(initial=0), pixels.max(initial=0))
    if not 0 <= low <= high <= largest:
        raise ValueError(
            f"its pixels run from {low:g} to {high:g}, expected 0 to {largest:,}; convert it to "
            "8 bits"
        )
    pixels = np.rint(pixels * 255) if largest == 1 else (pixels.astype(np.uint32) + 128) // 257
    return pixels.astype(np.uint8)


def remarks(name: str, kinds: Iterable[int], brightest: int | None = None) -> Iterator[str]:
    """What there is to say of pictures of some kinds.

    Args:
        name: what to call them.
        kinds: of each.
        brightest: byte of those that are deep; None: it is not known.
    """
    counts = {kind: sum(bool(one & kind) for one in kinds) for kind in Kind}
    if deep := counts[Kind.DEEP]:
        yield (
            f"{name}: {counted(deep, 'picture')} of 16 bits (or fractions) scaled to 8: 0 to "
            "65,535 (or 0 to 1) becomes 0 to 255"
        )
        if brightest is not None and brightest < DARK:
            yield (
                f"{name}: the brightest of these pixels is {brightest} of 255: if they use fewer "
                "than 16 bits, scale them to the whole range first, or their detail is lost"
            )
    if alpha := counts[Kind.ALPHA]:
        yield f"{name}: {counted(alpha, 'picture')} with transparency, which is left out"
    if frames := counts[Kind.FRAMES]:
        yield f"{name}: {counted(frames, 'picture')} of several frames or pages: the first is used"
    if turned := counts[Kind.TURNED]:
        yield f"{name}: {counted(turned, 'picture')} turned upright, as EXIF says"


def _has_frames(image: Image) -> bool:
    """Whether there are more than one; a telephone's JPEG with a second picture (MPO) is one."""
    if image.format == "GIF":  # all of whose frames would have to be decoded to be counted
        return bool(getattr(image, "is_animated", False))
    return image.format != "MPO" and getattr(image, "n_frames", 1) > 1


def _is_deep(mode: str) -> bool:
    return mode.startswith(("I", "F"))


def _orientation(image: Image) -> int:
    if image.format == "PNG" and "exif" not in image.info:  # Pillow would decode it to find more
        return 1
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001  damaged EXIF says nothing of the pixels
        return 1
    return found if isinstance(found, int) else 1
