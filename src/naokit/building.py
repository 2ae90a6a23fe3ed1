"""From an architecture to its network, for those who want nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from naokit.base import (
    Architecture,
    ImageSettings,
    InputError,
    LanguageSettings,
    NetworkSettings,
    Space,
)
from naokit.files import check_fits
from naokit.spaces import published

if TYPE_CHECKING:
    from torch import nn


def build(
    architecture: Architecture | str,
    *,
    classes: int | None = None,
    channels: int | None = None,
    cells: int | None = None,
    image: tuple[int, int, int] | None = None,
    auxiliary: bool | None = None,
    vocabulary: int | None = None,
    hidden: int | None = None,
) -> nn.Module:
    """A plain `torch.nn.Module` with random weights.

    An image classifier takes the first five sizes, a language model the last two; what is left out
    is as in `ImageSettings` or `LanguageSettings`.

    Args:
        architecture: of a space that has networks, or the name of a published one (`naokit zoo`).
        classes: size of the output.
        channels: the paper's F.
        cells: the paper's N; 3N + 2 cells in all.
        image: shape (channels, height, width) of one image; from 96 pixels a side the network
            begins as the published one for ImageNet, with three convolutions of stride 2.
        auxiliary: whether there is a second head, whose logits come second in training mode.
        vocabulary: how many tokens there are.
        hidden: size of embedding, state and output.

    Raises:
        InputError: no such network can be built (what is wrong), or its weights fit no memory.
    """
    if isinstance(architecture, str):
        architecture = published.genotype(architecture).architecture
    images = {
        "classes": classes,
        "channels": channels,
        "cells": cells,
        "image": image,
        "auxiliary": auxiliary,
    }
    text = {"vocabulary": vocabulary, "hidden": hidden}
    space = architecture.space
    settings = _settings(space, images, text)
    check_memory(architecture, settings)
    return space.build(architecture, settings)


def check_memory(architecture: Architecture, settings: NetworkSettings) -> None:
    """Raises InputError where the weights alone are more than the memory that is free."""
    from naokit.networks import count_parameters, without_weights

    try:
        with without_weights():
            needed = 4 * count_parameters(architecture.space.build(architecture, settings))
    except InputError:
        raise
    except Exception:  # noqa: BLE001  a user's own network that is not made without weights
        return
    check_fits("this network", needed, "name smaller sizes")


def _settings(space: Space, images: dict[str, Any], text: dict[str, Any]) -> NetworkSettings:
    """Those of what the space's networks read."""
    mine, others = (text, images) if space.reads == "text" else (images, text)
    wrong = [name for name, value in others.items() if value is not None]
    if wrong:
        raise InputError(
            f"the networks of {space.name} read {space.reads}: leave {', '.join(wrong)} out; "
            f"they take {', '.join(mine)}"
        )
    given = {name: value for name, value in mine.items() if value is not None}
    if space.reads == "text":
        return LanguageSettings(**given)
    from naokit.networks import stem_for

    return ImageSettings(**given, stem=stem_for(given.get("image", ImageSettings.image)))
