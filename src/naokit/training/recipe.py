"""What every recipe says: how long, in which steps, by which rates."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar, get_args, get_origin, get_type_hints

from naokit.base import InputError, Json, unknown_name

Range = tuple[Callable[[float], bool], str]
R = TypeVar("R", bound="Recipe")

_RANGES: Mapping[tuple[str, ...], Range] = {
    ("learning_rate", "clip"): (lambda value: value > 0, "above 0"),
    ("epoch_decay",): (lambda value: 0 < value <= 1, "above 0 and at most 1"),
    ("ema", "momentum"): (lambda value: 0 <= value < 1, "at least 0 and below 1"),
    ("warm_up_epochs", "weight_decay", "final_learning_rate"): (
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
        epochs: passes over the training data.
        batch: images a step, or streams of text that are read side by side.
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
    """

    name: str
    epochs: int
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

    ranges: ClassVar[Mapping[tuple[str, ...], Range]] = {}
    """Of a kind's own fields."""

    def __post_init__(self) -> None:
        for names, (fits, expected) in {**_RANGES, **self.ranges}.items():
            for name in names:
                value = getattr(self, name)
                if value is not None and not fits(value):
                    raise InputError(f"{name} of a recipe must be {expected}, not {value}")
        schedules = ("cosine_epochs", "restart_epochs", "epoch_decay")
        if sum(getattr(self, name) is not None for name in schedules) > 1:
            raise InputError(f"a recipe has one schedule at most, of {', '.join(schedules)}")
        if self.nesterov and not self.momentum:
            raise InputError("a recipe with nesterov needs a momentum above 0")

    @property
    def part(self) -> int | None:
        """How many of the training images or tokens are used; None: all."""
        return None

    def to_json(self) -> dict[str, Json]:
        """Every field by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Json]) -> Self:
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


def named(name: str | R, recipes: Mapping[str, R]) -> R:
    """The recipe of a name, or a recipe itself; raises InputError with the nearest names."""
    if not isinstance(name, str):
        return name
    if name not in recipes:
        raise unknown_name("recipe", name, recipes)
    return recipes[name]


def changed(recipe: R, settings: Sequence[str]) -> R:
    """The recipe with other values in some fields.

    Args:
        recipe: whose fields.
        settings: NAME=VALUE each, as they are typed; `none` where a field may be None.

    Raises:
        InputError: there is no such field (with the nearest names), or the value is none for it.
    """
    kinds = get_type_hints(type(recipe))
    names = [field.name for field in dataclasses.fields(recipe) if field.name != "name"]
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise InputError(f"`settings` {setting}: expected NAME=VALUE, such as ema=0.999")
        if name not in names:
            raise unknown_name("field of a recipe", name, names)
        values[name] = _value(name, text, kinds[name])
    return dataclasses.replace(recipe, **values)


def _value(name: str, text: str, kind: Any) -> Json:
    """What a text says for a field of this type."""
    kinds = [kind] if kind in _KINDS else [get_origin(k) or k for k in get_args(kind)]
    if type(None) in kinds and text == "none":
        return None
    read, expected = _KINDS[kinds[0]]
    try:
        return read(text)
    except (ValueError, KeyError):
        other = " or none" if type(None) in kinds else ""
        raise InputError(
            f"`settings` {name}: {name} of a recipe is {expected}{other}, not {text!r}"
        ) from None


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or "_" in text:  # Python reads 1_0 as 10
        raise ValueError(text)
    return value


def _whole(text: str) -> int:
    if "_" in text:
        raise ValueError(text)
    return int(text)


_KINDS: Mapping[Any, tuple[Callable[[str], Json], str]] = {
    bool: ({"true": True, "false": False}.__getitem__, "true or false"),
    int: (_whole, "a whole number"),
    float: (_number, "a number"),
    tuple: (lambda text: tuple(map(_number, text.split(","))), "numbers with commas between"),
}
"""How a field's value is read, and what is expected."""
