"""Recipes: how a network is trained, each number with its source.

"2018" is the specification, sections 2 and 4; "measured" is this project's own choice for two
processor cores, on one thread (`benchmarks/results/evaluation.json` unless another is named).
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from naokit.base import InputError, Json

_Range = tuple[Callable[[float], bool], str]
_RANGES: Mapping[tuple[str, ...], _Range] = {
    ("learning_rate", "clip"): (lambda value: value > 0, "above 0"),
    ("drop_path_keep", "dropout_keep", "epoch_decay"): (
        lambda value: 0 < value <= 1,
        "above 0 and at most 1",
    ),
    ("ema", "label_smoothing"): (lambda value: 0 <= value < 1, "at least 0 and below 1"),
    ("mixup", "warm_up_epochs", "auxiliary_weight", "weight_decay", "final_learning_rate"): (
        lambda value: value >= 0,
        "0 or more",
    ),
    ("cosine_epochs", "restart_epochs"): (lambda value: value >= 1, "1 or more"),
}


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
        restart_epochs: the cosine starts again after so many epochs, then twice as many, ...;
            None: never.
        epoch_decay: the rate is multiplied by it after each epoch, in place of the cosine.
        warm_up_epochs: in which the rate rises in a line from nothing to where the schedule is.
        momentum: of SGD.
        nesterov: whether the momentum looks ahead.
        weight_decay: L2, on every parameter.
        clip: global gradient norm.
        ema: decay of a moving average of the weights, which is then measured and kept; 0: none.
        label_smoothing: share of the target that all classes share.
        mixup: alpha of the Beta distribution that two images are mixed by; 0: none.
        balance: whether classes weigh as much as each other, however many images they have.
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
    restart_epochs: int | None = None
    epoch_decay: float | None = None
    warm_up_epochs: float = 0.0
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 5e-4
    clip: float = 5.0
    ema: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    balance: bool = False
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
        for names, (fits, expected) in _RANGES.items():
            for name in names:
                value = getattr(self, name)
                if value is not None and not fits(value):
                    raise InputError(f"{name} of a recipe must be {expected}, not {value}")
        schedules = ("cosine_epochs", "restart_epochs", "epoch_decay")
        if sum(getattr(self, name) is not None for name in schedules) > 1:
            raise InputError(f"a recipe has one schedule at most, of {', '.join(schedules)}")
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


_CUTOUT: Mapping[str, Any] = {"auxiliary_weight": 0.4, "cutout": 16}

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
    # Section 4, column by column. The official runs train on all 50,000 images and pick the best
    # epoch by the test set; here a tenth is held out for that (`--all-data`: nothing is, and the
    # last epoch is kept), and the test set is looked at once.
    Recipe("cifar10-2018", epochs=600, drop_path_keep=0.7, dropout_keep=0.6, **_CUTOUT),
    Recipe("cifar100-2018", epochs=600, drop_path_keep=0.6, dropout_keep=0.8, **_CUTOUT),
    # NAONet-A-36 and -B-36, official PyTorch code.
    Recipe(
        "cifar10-2018-36",
        epochs=600,
        learning_rate=0.025,
        weight_decay=3e-4,
        drop_path_keep=0.8,
        dropout_keep=0.6,
        **_CUTOUT,
    ),
    # NAONet-A-128, official PyTorch code.
    Recipe(
        "cifar10-2018-128",
        epochs=600,
        learning_rate=0.025,
        drop_path_keep=0.7,
        dropout_keep=0.6,
        **_CUTOUT,
    ),
    # NAONet-WS: 630 = 10 + 20 + ... + 320 epochs; its decay of 2e-4 is on the sum of squares.
    Recipe(
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
    ),
    # ImageNet NAONet-A: 0.1 for each 128 images of a batch; 512 on 4 devices there.
    Recipe(
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

RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in _RECIPES}


def recipe(name: str | Recipe, epochs: int | None = None, *, balance: bool = False) -> Recipe:
    """The recipe of a name, or a recipe itself.

    Args:
        name: of `RECIPES`.
        epochs: in place of the recipe's.
        balance: whether classes weigh alike, whatever the recipe says.

    Raises:
        InputError: there is no such recipe (with the nearest names).
    """
    if isinstance(name, str) and name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=3, cutoff=0.4) or list(RECIPES)
        raise InputError(f"there is no recipe {name!r}; did you mean {' or '.join(near)}?")
    found = RECIPES[name] if isinstance(name, str) else name
    return dataclasses.replace(
        found, epochs=epochs or found.epochs, balance=balance or found.balance
    )
