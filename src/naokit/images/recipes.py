"""Recipes for images: how a network is trained, each number with its source.

"2018" is docs/specification.md, section 4.1; "measured" is this project's own choice for two
processor cores, on one thread (`benchmarks/results/evaluation.json` unless another is named).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from naokit.base import InputError, Json
from naokit.training.recipe import (
    ABOVE_ZERO_TO_ONE,
    BELOW_ONE,
    FROM_ONE,
    FROM_ZERO,
    Recipe,
    named,
)

_JITTER = Field(
    strict=False,  # JSON gives a list
    description="four numbers from 0 (brightness, contrast, saturation, hue; hue at most 0.5)",
)
_Jitter = Annotated[float, FROM_ZERO]
_Hue = Annotated[float, Field(ge=0, le=0.5)]


@dataclass(frozen=True)
class ImageRecipe(Recipe):
    """How an image classifier is trained.

    The defaults of the fields that every recipe has are those of train_cifar10_search.sh
    (docs/specification.md, section 4.1); the final training has the same. The fields that only
    images have are off unless a recipe sets them.

    Attributes:
        label_smoothing: The share of the target that is spread over all classes.
        mixup: The alpha of the Beta distribution that two images are mixed by; 0 means no mixing.
        balance: Whether classes have equal weight, however many images they have.
        auxiliary_weight: The weight of the auxiliary head's loss; 0 means no such head.
        drop_path_keep: The probability of keeping a branch at the end of training.
        dropout_keep: The probability of keeping a feature before the classifier.
        crop_padding: The pixels padded before a random crop; 0 means no crop.
        flip: Whether half of the images are mirrored.
        cutout: The side in pixels of the square that is erased; 0 means none.
        resized_crop: Whether random crops of 8 to 100 % of a picture's area are resized, in place
            of padded ones; only for pictures that are resized while training
            (`load_images(size=...)`).
        colour_jitter: The largest change of brightness, contrast and saturation (as shares) and of
            hue (as a share of the colour circle, at most 0.5). If None, nothing is changed.
        train_images: The number of training images to use, the first of a seeded shuffle. If None,
            all.
        statistics_batches: The number of batches that the statistics of batch normalisation are
            taken from anew before each measure (`naokit.training.normalising.take_statistics`). If
            None, the running ones are used.
    """

    label_smoothing: Annotated[float, BELOW_ONE] = 0.0
    mixup: Annotated[float, FROM_ZERO] = 0.0
    balance: bool = False
    auxiliary_weight: Annotated[float, FROM_ZERO] = 0.0
    drop_path_keep: Annotated[float, ABOVE_ZERO_TO_ONE] = 1.0
    dropout_keep: Annotated[float, ABOVE_ZERO_TO_ONE] = 1.0
    crop_padding: Annotated[int, FROM_ZERO] = 4
    flip: bool = True
    cutout: Annotated[int, FROM_ZERO] = 0
    resized_crop: bool = False
    colour_jitter: Annotated[tuple[_Jitter, _Jitter, _Jitter, _Hue] | None, _JITTER] = None
    train_images: int | None = None
    statistics_batches: Annotated[int | None, FROM_ONE] = None

    @property
    def part(self) -> int | None:
        """`train_images`."""
        return self.train_images

    @property
    def measured_besides(self) -> int:
        """The images that statistics are taken from."""
        return self.batch * (self.statistics_batches or 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs < 1 or self.batch < 2:
            raise InputError(
                f"a recipe needs at least 1 epoch and batches of 2 (batch normalisation), "
                f"not {self.epochs} and {self.batch}"
            )
        if self.train_images is not None and self.train_images < 2:
            raise InputError(f"a recipe needs 2 or more train_images, not {self.train_images}")

    def to_json(self) -> dict[str, Json]:
        """Every field by name."""
        jitter = self.colour_jitter and list(self.colour_jitter)  # as it comes back from a file
        return {**super().to_json(), "colour_jitter": jitter}


_STATISTICS = 4
_DIGITS: Mapping[str, Any] = {
    "batch": 64,
    "learning_rate": 0.1,
    "crop_padding": 1,
    "flip": False,
    "statistics_batches": _STATISTICS,
}
_CUTOUT: Mapping[str, Any] = {"auxiliary_weight": 0.4, "cutout": 16}
# NAONet-WS: 630 = 10 + 20 + ... + 320 epochs; its decay of 2e-4 is on the sum of squares.
_WS = ImageRecipe(
    "cifar10-ws-2018",
    epochs=630,
    batch=144,
    learning_rate=0.05,
    final_learning_rate=1e-4,
    restart_epochs=10,
    nesterov=True,
    weight_decay=4e-4,
    auxiliary_weight=0.4,
    drop_path_keep=0.6,
    dropout_keep=0.8,
)

_RECIPES = (
    # Those of this project take their statistics anew, so that early epochs tell what is learnt.
    # The digits are 8 x 8 and mirror images of them are other things: no flip, crops of one pixel.
    # Measured, three random cells at N=1: 2.5 to 3.8 CPU seconds (F=8), 80 to 85 %.
    ImageRecipe("quick", epochs=3, **_DIGITS),
    # For searches that stop early. Measured, 60 epochs in all: 14 to 23 cells are looked at, and
    # the winner is .6 ± .4 points better than that of 20 trainings by `quick` at equal cost.
    ImageRecipe("quick-search", epochs=9, **_DIGITS),
    # Measured, the same cells: 36 to 55 CPU seconds (F=16), 98.9 to 99.3 %.
    ImageRecipe("quick-final", epochs=30, **_DIGITS),
    # Measured on CIFAR-10, the same cells: 105 to 162 CPU seconds (F=8), 39 to 46 %.
    ImageRecipe(
        "small",
        epochs=4,
        batch=128,
        learning_rate=0.1,
        train_images=5000,
        statistics_batches=_STATISTICS,
    ),
    # Measured on CIFAR-10 for 2 of the 10 epochs (F=8): 63.9 % test (`cifar_search.json`).
    ImageRecipe(
        "small-final",
        epochs=10,
        batch=128,
        learning_rate=0.1,
        auxiliary_weight=0.4,
        statistics_batches=_STATISTICS,
    ),
    # train_cifar10_search.sh: the cosine over 100 epochs is cut after 25.
    ImageRecipe(
        "search-2018", epochs=25, cosine_epochs=100, auxiliary_weight=0.4, drop_path_keep=0.7
    ),
    # Shared networks. Each weight is met by few of the updates, so that they are many and small.
    ImageRecipe("quick-shared", epochs=30, batch=32, learning_rate=0.2, crop_padding=1, flip=False),
    ImageRecipe("small-shared", epochs=4, batch=32, learning_rate=0.2, train_images=10_000),
    # NAO_V1/train_search.py (docs/specification.md, section 2.8).
    ImageRecipe(
        "shared-2018",
        epochs=150,
        batch=64,
        learning_rate=0.025,
        final_learning_rate=0.001,
        weight_decay=3e-4,
        drop_path_keep=0.9,
    ),
    # The best five of that search, ten epochs each.
    ImageRecipe(
        "apart-2018",
        epochs=10,
        learning_rate=0.025,
        weight_decay=3e-4,
        auxiliary_weight=0.4,
        drop_path_keep=0.8,
        dropout_keep=0.6,
    ),
    # The rows of docs/specification.md, section 4.1. The official runs train on all 50,000 images
    # and pick the best epoch by the test set; here a tenth is held out for that (`--all-data`:
    # nothing is, and the last epoch is kept), and the test set is looked at once.
    ImageRecipe("cifar10-2018", epochs=600, drop_path_keep=0.7, dropout_keep=0.6, **_CUTOUT),
    ImageRecipe("cifar100-2018", epochs=600, drop_path_keep=0.6, dropout_keep=0.8, **_CUTOUT),
    # NAONet-A-36 and -B-36, official PyTorch code.
    ImageRecipe(
        "cifar10-2018-36",
        epochs=600,
        learning_rate=0.025,
        weight_decay=3e-4,
        drop_path_keep=0.8,
        dropout_keep=0.6,
        **_CUTOUT,
    ),
    # NAONet-A-128, official PyTorch code.
    ImageRecipe(
        "cifar10-2018-128",
        epochs=600,
        learning_rate=0.025,
        drop_path_keep=0.7,
        dropout_keep=0.6,
        **_CUTOUT,
    ),
    _WS,
    # docs/specification.md, section 5.2: 2.93 % in the latest abstract, "with cutout"; its side is
    # that of the others.
    dataclasses.replace(_WS, name="cifar10-ws-2018-cutout", cutout=16),
    # ImageNet NAONet-A: 0.1 for each 128 images of a batch; 512 on 4 devices there.
    ImageRecipe(
        "imagenet-2018",
        epochs=250,
        learning_rate=0.1,
        epoch_decay=0.97,
        weight_decay=3e-5,
        label_smoothing=0.1,
        auxiliary_weight=0.4,
        resized_crop=True,
        colour_jitter=(0.4, 0.4, 0.4, 0.2),
    ),
)

RECIPES: Mapping[str, ImageRecipe] = {recipe.name: recipe for recipe in _RECIPES}

# docs/specification.md, section 4.1.
PUBLISHED_SIZES: Mapping[str, Mapping[str, int]] = {
    "search-2018": {"channels": 32, "cells": 3},
    "shared-2018": {"channels": 20, "cells": 3},
    "apart-2018": {"channels": 20, "cells": 3},
    "cifar10-2018": {"channels": 128, "cells": 6},
    "cifar100-2018": {"channels": 128, "cells": 6},
    "cifar10-2018-36": {"channels": 36, "cells": 6},
    "cifar10-2018-128": {"channels": 128, "cells": 6},
    "cifar10-ws-2018": {"channels": 36, "cells": 5},
    "cifar10-ws-2018-cutout": {"channels": 36, "cells": 5},
    "imagenet-2018": {"channels": 42, "cells": 4},
}
"""How large the networks are that a published recipe trains: F and N."""


def recipe(
    name: str | ImageRecipe, epochs: int | None = None, *, balance: bool = False
) -> ImageRecipe:
    """The recipe of a name, or a recipe itself.

    Args:
        name: A name of `RECIPES`, or a recipe.
        epochs: The number of epochs in place of the recipe's.
        balance: Whether classes have equal weight, even where the recipe says otherwise.

    Raises:
        InputError: There is no such recipe (with the nearest names).
    """
    found = named(name, RECIPES)
    return dataclasses.replace(
        found, epochs=epochs or found.epochs, balance=balance or found.balance
    )
