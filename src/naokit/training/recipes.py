"""Recipes: how a network is trained, each number with its source.

"2018" is the specification, sections 2 and 4; "measured" is this project's own choice for two
processor cores, on one thread (`benchmarks/results/evaluation.json` unless another is named).
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from naokit.base import InputError, Json


@dataclass(frozen=True)
class Recipe:
    """Everything about a training that is not the network or the data.

    Attributes:
        name: what it is called.
        epochs: passes over the training images.
        batch: images a step.
        learning_rate: at the start.
        final_learning_rate: where the cosine ends.
        cosine_epochs: length of the half cosine; None: `epochs`.
        momentum: of SGD.
        weight_decay: L2, on every parameter.
        clip: global gradient norm.
        auxiliary_weight: weight of the auxiliary head's loss; 0: no such head.
        drop_path_keep: probability of keeping a branch at the end.
        dropout_keep: probability of keeping a feature before the classifier.
        crop_padding: pixels padded before a random crop; 0: no crop.
        flip: whether half of the images are mirrored.
        cutout: side in pixels of the square that is erased; 0: none.
        resized_crop: random crops of 8 to 100 % of a picture's area, resized, in place of padded
            ones; only for pictures that are resized while training (`load_images(size=...)`).
        colour_jitter: how far brightness, contrast, saturation (as shares) and hue (as a share of
            the colour circle, at most 0.5) are changed; None: not at all.
        train_images: use so many training images, the first of a seeded shuffle; None: all.
    """

    name: str
    epochs: int
    # From here to `clip`, and crop and flip: sections 1.3 and 2, train_cifar10_search.sh; section 4
    # has the same numbers for the final training. The others are off unless a recipe says so.
    batch: int = 128
    learning_rate: float = 0.024
    final_learning_rate: float = 0.0
    cosine_epochs: int | None = None
    momentum: float = 0.9
    weight_decay: float = 5e-4
    clip: float = 5.0
    auxiliary_weight: float = 0.0
    drop_path_keep: float = 1.0
    dropout_keep: float = 1.0
    crop_padding: int = 4
    flip: bool = True
    cutout: int = 0
    resized_crop: bool = False
    colour_jitter: tuple[float, float, float, float] | None = None
    train_images: int | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2:
            raise InputError(
                f"a recipe needs at least 1 epoch and batches of 2 (batch normalisation), "
                f"not {self.epochs} and {self.batch}"
            )
        if self.train_images is not None and self.train_images < 2:
            raise InputError(f"a recipe needs 2 or more train_images, not {self.train_images}")
        for name in ("learning_rate", "clip", "drop_path_keep", "dropout_keep"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} of a recipe must be above 0, not {getattr(self, name)}")
        for name in ("drop_path_keep", "dropout_keep"):
            if getattr(self, name) > 1:
                raise InputError(f"{name} is a probability, not {getattr(self, name)}")
        if self.colour_jitter is not None:
            jitter = tuple(self.colour_jitter)  # JSON gives a list
            if len(jitter) != 4 or min(jitter) < 0 or jitter[3] > 0.5:
                raise InputError(
                    "colour_jitter is four numbers from 0 (brightness, contrast, saturation, hue; "
                    f"hue at most 0.5), not {self.colour_jitter}"
                )
            object.__setattr__(self, "colour_jitter", jitter)

    def to_json(self) -> dict[str, Json]:
        """Every field by name."""
        jitter = self.colour_jitter and list(self.colour_jitter)  # as it comes back from a file
        return {**dataclasses.asdict(self), "colour_jitter": jitter}

    @classmethod
    def from_json(cls, fields: Mapping[str, Json]) -> Recipe:
        """The recipe of these fields.

        Raises:
            InputError: a field is unknown (a later naokit's, say) or absent.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := fields.keys() - known:
            raise InputError(f"a recipe has no {min(unknown)}; it has {', '.join(sorted(known))}")
        if missing := {"name", "epochs"} - fields.keys():
            raise InputError(f"a recipe needs {' and '.join(sorted(missing))}")
        return cls(**fields)


_RECIPES = (
    # The digits are 8 x 8 and mirror images of them are other things: no flip, crops of one pixel.
    # Measured, three random cells at N=1: 4.0 to 6.2 CPU seconds (F=8), 66 to 84 %.
    Recipe("quick", epochs=3, batch=64, learning_rate=0.1, crop_padding=1, flip=False),
    # Measured, the same cells: 53 to 85 CPU seconds (F=16), 98.7 % each.
    Recipe("quick-final", epochs=30, batch=64, learning_rate=0.1, crop_padding=1, flip=False),
    # Measured on CIFAR-10, the same cells: 123 to 171 CPU seconds (F=8), 34 to 46 %.
    Recipe("small", epochs=4, batch=128, learning_rate=0.1, train_images=5000),
    # Measured on CIFAR-10 for 2 of the 10 epochs (F=8): 63.9 % test (`cifar_search.json`).
    Recipe("small-final", epochs=10, batch=128, learning_rate=0.1, auxiliary_weight=0.4),
    # Section 2, train_cifar10_search.sh: the cosine over 100 epochs is cut after 25.
    Recipe("search-2018", epochs=25, cosine_epochs=100, auxiliary_weight=0.4, drop_path_keep=0.7),
    # Section 4, CIFAR-10 NAONet F=128 [TF]. The official run trains on all 50,000 images and picks
    # the best epoch by the test set; here a tenth is held out for that, and the test set is not.
    Recipe(
        "cifar10-2018",
        epochs=600,
        auxiliary_weight=0.4,
        drop_path_keep=0.7,
        dropout_keep=0.6,
        cutout=16,
    ),
)

RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in _RECIPES}


def recipe(name: str | Recipe) -> Recipe:
    """The recipe of a name; raises InputError with the nearest names."""
    if isinstance(name, Recipe):
        return name
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=3, cutoff=0.4) or list(RECIPES)
        raise InputError(f"there is no recipe {name!r}; did you mean {' or '.join(near)}?")
    return RECIPES[name]
