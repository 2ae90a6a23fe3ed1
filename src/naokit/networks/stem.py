"""How an image enters the network: the two inputs of the first cell.

See docs/specification.md, section 1.3.

Shapes: B batch, C channels of an image, F channels of the first cells, H and W height and width.
"""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from naokit.networks.cell import MapSize
from naokit.networks.operations import EPSILON


class SmallStem(nn.Sequential):
    """The stem for small images: one convolution to 3F channels, whose output is both inputs.

    Attributes:
        sizes: The shapes of the two inputs of the first cell.
    """

    def __init__(self, image: tuple[int, int, int], channels: int) -> None:
        super().__init__(
            nn.Conv2d(image[0], 3 * channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(3 * channels, eps=EPSILON),
        )
        size = MapSize(3 * channels, *image[1:])
        self.sizes = (size, size)

    def forward(
        self, images: Float[Tensor, "B C H W"]
    ) -> tuple[Float[Tensor, "B F3 H W"], Float[Tensor, "B F3 H W"]]:
        """The same map twice."""
        convolution, normalise = self
        convolved: Tensor = normalise(convolution(images))
        return convolved, convolved


class LargeStem(nn.Module):
    """The stem for images as large as ImageNet's: three convolutions of stride 2.

    Maps of 224 pixels become maps of 56 and of 28 pixels.

    Attributes:
        sizes: The shapes of the two inputs of the first cell.
    """

    def __init__(self, image: tuple[int, int, int], channels: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(image[0], channels // 2, 3, 2, 1, bias=False),
            nn.BatchNorm2d(channels // 2, eps=EPSILON),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // 2, channels, 3, 2, 1, bias=False),
            nn.BatchNorm2d(channels, eps=EPSILON),
        )
        self.second = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 2, 1, bias=False),
            nn.BatchNorm2d(channels, eps=EPSILON),
        )
        before = MapSize(*image).halved(channels).halved(channels)
        self.sizes = (before, before.halved(channels))

    def forward(
        self, images: Float[Tensor, "B C H W"]
    ) -> tuple[Float[Tensor, "B F H4 W4"], Float[Tensor, "B F H8 W8"]]:
        """Maps of a quarter and of an eighth of the side."""
        before: Tensor = self.first(images)
        last: Tensor = self.second(before)
        return before, last


STEMS: dict[str, type[SmallStem] | type[LargeStem]] = {"small": SmallStem, "large": LargeStem}

LARGE_IMAGE = 96
"""The side in pixels from which an image is halved three times before the first cell."""


def stem_for(image: tuple[int, int, int]) -> Literal["small", "large"]:
    """The stem that suits images (C, H, W)."""
    return "large" if min(image[1:]) >= LARGE_IMAGE else "small"
