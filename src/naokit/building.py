"""From an architecture to its network, for those who want nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from naokit.base import Architecture, ImageSettings
from naokit.spaces import published

if TYPE_CHECKING:
    from torch import nn


def build(
    architecture: Architecture | str,
    *,
    classes: int = 10,
    channels: int = 16,
    cells: int = 2,
    image: tuple[int, int, int] = (3, 32, 32),
    auxiliary: bool = False,
) -> nn.Module:
    """A plain `torch.nn.Module` with random weights.

    Args:
        architecture: of a space that has networks, or the name of a published one (`naokit zoo`).
        classes: size of the output.
        channels: the paper's F.
        cells: the paper's N; 3N + 2 cells in all.
        image: shape (channels, height, width) of one image; from 96 pixels a side the network
            begins as the published one for ImageNet, with three convolutions of stride 2.
        auxiliary: whether there is a second head, whose logits come second in training mode.

    Raises:
        InputError: no such network can be built (what is wrong).
    """
    from naokit.networks import stem_for

    if isinstance(architecture, str):
        architecture = published.genotype(architecture).architecture
    settings = ImageSettings(
        classes, channels, cells, image, auxiliary=auxiliary, stem=stem_for(image)
    )
    return architecture.space.build(architecture, settings)
