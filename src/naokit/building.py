"""From an architecture to its network, for those who want nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from naokit.base import Architecture, ImageSettings

if TYPE_CHECKING:
    from torch import nn


def build(
    architecture: Architecture,
    *,
    classes: int = 10,
    channels: int = 16,
    cells: int = 2,
    image: tuple[int, int, int] = (3, 32, 32),
    auxiliary: bool = False,
) -> nn.Module:
    """A plain `torch.nn.Module` with random weights.

    Args:
        architecture: of a space that has networks.
        classes: size of the output.
        channels: the paper's F.
        cells: the paper's N; 3N + 2 cells in all.
        image: shape (channels, height, width) of one image.
        auxiliary: whether there is a second head, whose logits come second in training mode.

    Raises:
        InputError: no such network can be built (what is wrong).
    """
    settings = ImageSettings(classes, channels, cells, image, auxiliary)
    return architecture.space.build(architecture, settings)
