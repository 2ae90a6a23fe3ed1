"""Images as a kind of data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from naokit.base import unexpected
from naokit.images import presets
from naokit.kind import Kind
from naokit.presets import Preset
from naokit.settings import ImageSettings

if TYPE_CHECKING:
    from naokit.images.bundle import ImageBundle
    from naokit.images.recipes import ImageRecipe
    from naokit.images.subject import ImageSubject


class Images(Kind):
    """Images, for classifiers."""

    reads = "images"
    stored = "image"
    embedded = "digits"
    sizes = ("channels", "cells")
    data_sizes = ("classes", "image", "auxiliary")
    options = (
        *("image_size", "skip_bad", "image_column", "label_column", "all_data", "decoders"),
        *("processes", "balance", "images", "onnx", "final_channels", "final_cells"),
    )
    other_sizes = (
        {"channels": 8, "cells": 1},
        {"channels": 16, "cells": 1},
        {"channels": 16, "cells": 2},
    )
    transfer_size = {"channels": 16, "cells": 2}  # noqa: RUF012  a constant of the class
    transfer_recipe = "small-final"

    @property
    def presets(self) -> Mapping[str, Preset]:
        """The presets by name, from the least to the most thorough."""
        return presets.PRESETS

    @property
    def former_presets(self) -> Mapping[str, Preset]:
        """What presets of these names were once."""
        return presets.FORMER

    @property
    def shared_presets(self) -> Mapping[str, Preset]:
        """The presets of searches by weight sharing."""
        return presets.SHARED

    @property
    def recipe_type(self) -> type[ImageRecipe]:
        """The class of its recipes."""
        from naokit.images.recipes import ImageRecipe

        return ImageRecipe

    @property
    def recipes(self) -> Mapping[str, ImageRecipe]:
        """The recipes by name."""
        from naokit.images.recipes import RECIPES

        return RECIPES

    @property
    def published_sizes(self) -> Mapping[str, Mapping[str, int]]:
        """F and N of the networks that a published recipe trains."""
        from naokit.images.recipes import PUBLISHED_SIZES

        return PUBLISHED_SIZES

    @property
    def bundle(self) -> type[ImageBundle]:
        """Trained image classifiers."""
        from naokit.images.bundle import ImageBundle

        return ImageBundle

    def subject(self, data: Any, **options: Any) -> ImageSubject:
        """Images for a classifier."""
        from naokit.images.subject import ImageSubject

        return ImageSubject(data, **options)

    def settings(self, given: Mapping[str, Any]) -> ImageSettings:
        """Sizes of an image classifier; its stem follows from the size of an image."""
        from naokit.networks import stem_for

        image = given.get("image", ImageSettings.image)
        if not isinstance(image, Sequence) or len(image) != 3:
            raise unexpected("image", image, "the shape (channels, height, width)")
        channels, height, width = image
        return ImageSettings(**given, stem=stem_for((channels, height, width)))


IMAGES = Images()
