"""The part of a picture that is shown: a random one to learn from, the centre to be judged on.

Shapes: H and W height and width of a picture, C its channels, S the side of what is shown.
"""

from __future__ import annotations

import math

import numpy as np

AREA = (0.08, 1.0)  # torchvision's RandomResizedCrop, after Szegedy et al. (2015)
RATIO = (3 / 4, 4 / 3)
TRIES = 10
MARGIN = 256 / 224  # the custom on ImageNet: the shorter side 256, of which the middle 224

Box = tuple[int, int, int, int]
"""(top, left, height, width) in pixels."""


def shorter_side(size: int) -> int:
    """The length that the shorter side is resized to before the centre of `size` is taken."""
    return round(size * MARGIN)


def random_view(picture: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """A random part of a picture (H, W, C), resized to (S, S, C)."""
    top, left, height, width = random_box(picture.shape[0], picture.shape[1], generator)
    return _resized(picture[top : top + height, left : left + width], size, size)


def centre_view(picture: np.ndarray, size: int) -> np.ndarray:
    """The centre (S, S, C) of a picture (H, W, C), its shorter side brought to S * 256 / 224."""
    height, width = picture.shape[:2]
    scale = shorter_side(size) / min(height, width)
    picture = _resized(picture, round(height * scale), round(width * scale))
    top, left = (picture.shape[0] - size) // 2, (picture.shape[1] - size) // 2
    return picture[top : top + size, left : left + size]


def random_box(height: int, width: int, generator: np.random.Generator) -> Box:
    """A part of 8 to 100 % of the area and of sides from 3:4 to 4:3; the centre where none fits."""
    for _ in range(TRIES):
        area = height * width * generator.uniform(*AREA)
        ratio = math.exp(generator.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        h, w = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 0 < h <= height and 0 < w <= width:
            top = int(generator.integers(height - h + 1))
            return top, int(generator.integers(width - w + 1)), h, w
    h = min(height, max(1, round(width / RATIO[0])))
    w = min(width, max(1, round(height * RATIO[1])))
    return (height - h) // 2, (width - w) // 2, h, w


def _resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pixels (H, W, C) brought to another size; bilinear, and smoothed where made smaller."""
    if pixels.shape[:2] == (height, width):
        return pixels
    from PIL import Image

    grey = pixels.shape[2] == 1
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if grey else pixels))
    resized = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return resized[..., None] if grey else resized
