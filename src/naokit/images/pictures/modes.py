"""The kinds of pictures that are converted before use, and the remarks on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntFlag
from typing import TYPE_CHECKING

from naokit.images.pictures.pixels import TURNED, is_deep, orientation, upright
from naokit.wording import counted

if TYPE_CHECKING:
    from PIL.Image import Image

ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
LAID = range(5, 9)
"""EXIF orientations of pictures that lie on their side."""
DARK = 32
"""Where the brightest pixel of all is below this of 255, at most 13 bits of 16 are used."""


class Adjustment(IntFlag):
    """The properties of a picture that are not used as they are."""

    DEEP = 1
    ALPHA = 2
    FRAMES = 4
    TURNED = 8


def kind_of(image: Image) -> Adjustment:
    """The kind of a picture by its header."""
    found = Adjustment(0)
    if is_deep(image.mode):
        found |= Adjustment.DEEP
    if image.mode in ALPHA_MODES or "transparency" in image.info:
        found |= Adjustment.ALPHA
    if _has_frames(image):
        found |= Adjustment.FRAMES
    return found | (Adjustment.TURNED if orientation(image) in TURNED else Adjustment(0))


def upright_size(image: Image) -> tuple[int, int]:
    """Height and width of a picture as it is to be seen, by its header."""
    lies = orientation(image) in LAID
    if lies and image.format == "TIFF":  # whose size some versions of Pillow have turned already
        lies, image = False, upright(image)
    width, height = image.size
    return (width, height) if lies else (height, width)


def remarks(name: str, kinds: Iterable[int], brightest: int | None = None) -> Iterator[str]:
    """Remarks on pictures of some kinds.

    Args:
        name: The name of the pictures in a message.
        kinds: The kind of each picture.
        brightest: The brightest byte of those that are deep. If None, it is not known.
    """
    counts = {kind: sum(bool(one & kind) for one in kinds) for kind in Adjustment}
    if deep := counts[Adjustment.DEEP]:
        yield (
            f"{name}: {counted(deep, 'picture')} of 16 bits (or fractions) scaled to 8: 0 to "
            "65,535 (or 0 to 1) becomes 0 to 255"
        )
        if brightest is not None and brightest < DARK:
            yield (
                f"{name}: the brightest of these pixels is {brightest} of 255: if they use fewer "
                "than 16 bits, scale them to the whole range first, or their detail is lost"
            )
    if alpha := counts[Adjustment.ALPHA]:
        yield f"{name}: {counted(alpha, 'picture')} with transparency, which is left out"
    if frames := counts[Adjustment.FRAMES]:
        yield f"{name}: {counted(frames, 'picture')} of several frames or pages: the first is used"
    if turned := counts[Adjustment.TURNED]:
        yield f"{name}: {counted(turned, 'picture')} turned upright, as EXIF says"


def _has_frames(image: Image) -> bool:
    """Whether there are several frames; a telephone's JPEG with a second picture (MPO) is one."""
    if image.format == "GIF":  # all of whose frames would have to be decoded to be counted
        return bool(getattr(image, "is_animated", False))
    return image.format != "MPO" and getattr(image, "n_frames", 1) > 1
