"""Fields of a recipe that are given as text."""

import dataclasses
import json

import pytest

from naokit.base import InputError
from naokit.images.recipes import RECIPES, ImageRecipe, recipe
from naokit.text.recipes import RECIPES as TEXT_RECIPES
from naokit.text.recipes import TextRecipe
from naokit.text.recipes import recipe as text_recipe
from naokit.training.recipe import Recipe, changed


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ((), {}),
        (("ema=0.999", "batch=64"), {"ema": 0.999, "batch": 64}),
        (("ema=0.9", "ema=0"), {"ema": 0.0}),
        (("flip=true", "balance=true"), {"flip": True, "balance": True}),
        (("train_images=400",), {"train_images": 400}),
        (("train_images=none", "epoch_decay=0.97"), {"train_images": None, "epoch_decay": 0.97}),
        (("colour_jitter=0.1,0.2,0.3,0",), {"colour_jitter": (0.1, 0.2, 0.3, 0.0)}),
        (("learning_rate=1e-3",), {"learning_rate": 0.001}),
    ],
)
def test_fields_are_read_by_their_type(settings: tuple[str, ...], fields: dict) -> None:
    before = recipe("quick")
    after = changed(before, settings)
    assert after == dataclasses.replace(before, **fields)
    for name, value in fields.items():
        assert type(getattr(after, name)) is type(value)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("ema", "expected NAME=VALUE, such as ema=0.999"),
        ("emma=0.9", "no field of a recipe 'emma'; did you mean ema"),
        ("name=other", "no field of a recipe 'name'"),
        ("bptt=20", "no field of a recipe 'bptt'"),  # that is of texts
        ("batch=many", "batch of a recipe is a whole number, not 'many'"),
        ("batch=64.5", "a whole number, not '64.5'"),
        ("batch=none", "a whole number, not 'none'"),
        ("ema=", "a number, not ''"),
        ("ema=nan", "a number, not 'nan'"),
        ("mixup=inf", "a number, not 'inf'"),
        ("flip=yes", "true or false, not 'yes'"),
        ("flip=1", "true or false, not '1'"),
        ("train_images=few", "a whole number or none, not 'few'"),
        ("colour_jitter=0.1,0.2", "colour_jitter is four numbers"),
        ("colour_jitter=red", "numbers with commas between or none, not 'red'"),
        ("ema=1", "ema of a recipe must be at least 0 and below 1, not 1"),
        ("momentum=1.5", "momentum of a recipe must be"),
        ("cutout=-1", "cutout of a recipe must be 0 or more"),
        ("crop_padding=-1", "crop_padding of a recipe must be 0 or more"),
        ("batch=1", "batches of 2"),
    ],
)
def test_what_is_no_value_of_a_field_is_refused(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        changed(recipe("quick"), [setting])


def test_a_text_has_fields_of_its_own() -> None:
    after = changed(text_recipe("text-quick"), ["bptt=30", "average_after=5", "state_dropout=0.3"])
    assert (after.bptt, after.average_after, after.state_dropout) == (30, 5, 0.3)
    with pytest.raises(InputError, match="no field of a recipe 'mixup'"):
        changed(after, ["mixup=0.1"])


def test_nesterov_without_momentum_is_refused() -> None:
    with pytest.raises(InputError, match="nesterov needs a momentum above 0"):
        changed(recipe("quick"), ["nesterov=true", "momentum=0"])


@pytest.mark.parametrize("made", [*RECIPES.values(), text_recipe("ptb-2018")])
def test_every_field_can_be_said_as_it_is_written(made: Recipe) -> None:
    for name, value in made.to_json().items():
        if name != "name":
            joined = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            text = joined.lower() if value is None or isinstance(value, bool) else joined
            assert changed(made, [f"{name}={text}"]) == made


def test_the_recipe_with_cutout_differs_in_nothing_else() -> None:
    plain, cut = RECIPES["cifar10-ws-2018"], RECIPES["cifar10-ws-2018-cutout"]
    assert dataclasses.replace(plain, name=cut.name, cutout=16) == cut


@pytest.mark.parametrize("made", [*RECIPES.values(), *TEXT_RECIPES.values()])
def test_a_recipe_reads_back_from_json(made: Recipe) -> None:
    assert type(made).from_json(json.loads(json.dumps(made.to_json()))) == made


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"epochs": "3"}, "epochs of a recipe is a whole number, not '3'"),
        ({"flip": 1}, "flip of a recipe is true or false, not 1"),
        ({"mixup": None}, "mixup of a recipe is a number, not None"),
        ({"train_images": 2.5}, "train_images of a recipe is a whole number or none, not 2.5"),
        ({"name": 5}, "name of a recipe is a text, not 5"),
        ({"colour_jitter": [0, 0, 0, 1]}, r"colour_jitter is four numbers .*, not \[0, 0, 0, 1\]"),
        ({"learning_rate": float("nan")}, "learning_rate of a recipe is a number, not nan"),
    ],
)
def test_a_stored_field_of_another_type_is_refused(field: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ImageRecipe.from_json({**RECIPES["quick"].to_json(), **field})


@pytest.mark.parametrize("kind", [ImageRecipe, TextRecipe])
def test_an_editor_gets_a_schema_of_every_field(kind: type[Recipe]) -> None:
    schema = kind.model().model_json_schema()
    assert list(schema["properties"]) == [field.name for field in dataclasses.fields(kind)]
    assert schema["required"] == ["name", "epochs"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["ema"]["exclusiveMaximum"] == 1
    assert schema["properties"]["learning_rate"]["exclusiveMinimum"] == 0
