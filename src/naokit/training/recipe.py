"""Recipes: how long a network is trained, in which steps and by which rates.

A recipe's annotations are its checks: pydantic reads types and ranges from them.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Self, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from naokit.base import InputError, Json, unexpected, unknown_name

R = TypeVar("R", bound="Recipe")

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
POSITIVE = Field(gt=0, description="above 0")
FROM_ZERO = Field(ge=0, description="0 or more")
FROM_ONE = Field(ge=1, description="1 or more")
FROM_TWO = Field(ge=2, description="2 or more")
BELOW_ONE = Field(ge=0, lt=1, description="at least 0 and below 1")
ABOVE_ZERO_TO_ONE = Field(gt=0, le=1, description="above 0 and at most 1")

_TYPES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "tuple_type": "numbers with commas between",
    "string_type": "a text",
}
"""What was expected, by pydantic's name of the fault."""


@dataclass(frozen=True)
class Recipe:
    """Everything about a training that is not the network or the data.

    Attributes:
        name: The name of the recipe.
        epochs: The number of passes over the training data.
        batch: The number of images of a step, or of streams of text that are read side by side.
        learning_rate: The learning rate at the start.
        final_learning_rate: The learning rate at the end of the cosine.
        cosine_epochs: The length of the half cosine. If None, `epochs`.
        restart_epochs: The length of the first cosine of several; each is twice as long as the one
            before it. If None, there is one.
        epoch_decay: The number that the rate is multiplied by after each epoch, in place of the
            cosine.
        warm_up_epochs: The epochs in which the rate rises linearly from zero to the schedule.
        momentum: The momentum of SGD.
        nesterov: Whether the momentum looks ahead.
        weight_decay: The L2 penalty on every parameter.
        clip: The largest global norm of the gradients.
        ema: The decay of a moving average of the weights, which is then measured and kept; 0 means
            none.
    """

    name: str
    epochs: int
    batch: int = 128
    learning_rate: Annotated[float, POSITIVE] = 0.024
    final_learning_rate: Annotated[float, FROM_ZERO] = 0.0
    cosine_epochs: Annotated[int | None, FROM_ONE] = None
    restart_epochs: Annotated[int | None, FROM_ONE] = None
    epoch_decay: Annotated[float | None, ABOVE_ZERO_TO_ONE] = None
    warm_up_epochs: Annotated[float, FROM_ZERO] = 0.0
    momentum: Annotated[float, BELOW_ONE] = 0.9
    nesterov: bool = False
    weight_decay: Annotated[float, FROM_ZERO] = 5e-4
    clip: Annotated[float, POSITIVE] = 5.0
    ema: Annotated[float, BELOW_ONE] = 0.0

    def __post_init__(self) -> None:
        # A scalar of NumPy or torch is the number that it holds.
        plain = {n: v.item() if hasattr(v, "item") else v for n, v in vars(self).items()}
        vars(self).update(self.checked(plain, {}))
        schedules = ("cosine_epochs", "restart_epochs", "epoch_decay")
        if sum(getattr(self, name) is not None for name in schedules) > 1:
            raise InputError(f"a recipe has one schedule at most, of {', '.join(schedules)}")
        if self.nesterov and not self.momentum:
            raise InputError("a recipe with nesterov needs a momentum above 0")

    @property
    def part(self) -> int | None:
        """The number of training images or tokens to use; None means all."""
        return None

    @property
    def measured_besides(self) -> int:
        """The number of training images or tokens that each measure looks at besides."""
        return 0

    def to_json(self) -> dict[str, Json]:
        """Every field by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Json]) -> Self:
        """The recipe of these fields.

        Raises:
            InputError: A field is unknown (a later naokit's, say) or absent.
        """
        return cls(**cls.checked(fields, {}))

    def as_recorded(self, recorded: Mapping[str, Json]) -> Self:
        """The recipe as an earlier version recorded it: fields that it did not know are off.

        Args:
            recorded: The fields of a recipe. Those of another name change nothing.
        """
        if recorded.get("name") != self.name:
            return self
        return self.from_json({n: v for n, v in self.to_json().items() if n in recorded})

    @classmethod
    @cache
    def model(cls) -> type[BaseModel]:
        """The pydantic model of the fields; `naokit schema` makes the schema for editors of it."""
        hints = get_type_hints(cls, include_extras=True)
        fields: dict[str, Any] = {
            field.name: (hints[field.name], getattr(cls, field.name, ...))
            for field in dataclasses.fields(cls)
        }
        return create_model(cls.__name__, __config__=_STRICT, **fields)

    @classmethod
    def checked(cls, fields: Mapping[str, Json], texts: Mapping[str, str]) -> dict[str, Json]:
        """The fields as their types have them; raises InputError for the first fault.

        Args:
            fields: The values by name.
            texts: What was typed for some of them.
        """
        try:
            return vars(cls.model().model_validate(fields))
        except ValidationError as error:
            raise InputError(cls._fault(error.errors()[0], fields, texts)) from None

    @classmethod
    def _fault(
        cls, first: Mapping[str, Any], fields: Mapping[str, Json], texts: Mapping[str, str]
    ) -> str:
        """The fault that pydantic found, in one line."""
        name, known = str(first["loc"][0]), cls.model().model_fields
        if name not in known:
            return f"a recipe has no {name}; it has {', '.join(sorted(known))}"
        if name not in fields:
            return f"a recipe needs {' and '.join(sorted({'name', 'epochs'} - fields.keys()))}"
        field, value = known[name], fields[name]
        if len(first["loc"]) > 1:
            return f"{name} is {field.description}, not {texts.get(name, value)!r}"
        if first["type"] not in _TYPES:
            return f"{name} of a recipe must be {field.description}, not {value}"
        given = f"`settings` {name}: " if name in texts else ""
        none = " or none" if type(None) in get_args(field.annotation) else ""
        expected = _TYPES[first["type"]] + none
        return f"{given}{name} of a recipe is {expected}, not {texts.get(name, value)!r}"


def named(name: str | R, recipes: Mapping[str, R]) -> R:
    """The recipe of a name, or a recipe itself; raises InputError with the nearest names."""
    if isinstance(name, Recipe):
        return name
    if not isinstance(name, str):
        raise unexpected("recipe", name, "the name of a recipe, or a recipe")
    if name not in recipes:
        raise unknown_name("recipe", name, recipes)
    return recipes[name]


def changed(recipe: R, settings: Sequence[str]) -> R:
    """The recipe with other values in some fields.

    Args:
        recipe: The recipe to change.
        settings: One NAME=VALUE for each field, as it is typed; `none` where a field may be None.

    Raises:
        InputError: There is no such field (with the nearest names), or it cannot have the value.
    """
    names = [field.name for field in dataclasses.fields(recipe) if field.name != "name"]
    texts: dict[str, str] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise InputError(f"`settings` {setting}: expected NAME=VALUE, such as ema=0.999")
        if name not in names:
            raise unknown_name("field of a recipe", name, names)
        texts[name] = text
    values = {name: _typed(text) for name, text in texts.items()}
    return dataclasses.replace(recipe, **recipe.checked({**vars(recipe), **values}, texts))


_CONSTANTS: Mapping[str, Json] = {"none": None, "true": True, "false": False}


def _typed(text: str) -> Json:
    """The value of a typed text: a constant, a number or numbers with commas; else the text."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if "," in text:
        return tuple(map(_typed, text.split(",")))
    for number in (int, float):
        if "_" not in text:  # Python reads 1_0 as 10
            with contextlib.suppress(ValueError):
                return number(text)
    return text
