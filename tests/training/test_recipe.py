"""A recipe is read back as it was set."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naokit.base import InputError
from naokit.images.recipes import RECIPES, ImageRecipe
from naokit.text.recipes import RECIPES as TEXT_RECIPES
from naokit.text.recipes import TextRecipe
from naokit.training.recipe import changed

RATES = st.floats(1e-300, 1e300, exclude_min=True)
SHARES = st.floats(0, 0.999)


@given(RATES, SHARES, st.integers(1, 10**15), st.tuples(SHARES, SHARES, SHARES, st.floats(0, 0.5)))
def test_what_is_set_reads_back_equal(rate, share, epochs, jitter) -> None:
    images = changed(
        RECIPES["quick"],
        [
            f"learning_rate={rate!r}",
            f"ema={share!r}",
            f"epochs={epochs}",
            f"colour_jitter={','.join(map(repr, jitter))}",
        ],
    )
    assert (images.learning_rate, images.ema, images.epochs) == (rate, share, epochs)
    assert images.colour_jitter == jitter
    assert ImageRecipe.from_json(json.loads(json.dumps(images.to_json()))) == images
    text = changed(TEXT_RECIPES["text-quick"], [f"learning_rate={rate!r}", f"epochs={epochs}"])
    assert TextRecipe.from_json(json.loads(json.dumps(text.to_json()))) == text


@pytest.mark.parametrize(
    "setting", ["epochs=1_0", "learning_rate=1_0.5", "colour_jitter=1_0,0,0,0"]
)
def test_a_number_with_underscores_is_refused(setting: str) -> None:
    with pytest.raises(InputError, match="not '1_0"):
        changed(RECIPES["quick"], [setting])


def test_scalars_of_numpy_are_the_numbers_that_they_hold() -> None:
    made = ImageRecipe("mine", epochs=np.int64(3), batch=16, learning_rate=np.float32(0.5))
    assert (made.epochs, type(made.epochs), made.learning_rate) == (3, int, 0.5)


def test_a_recipe_is_what_an_earlier_version_recorded_of_it() -> None:
    recorded = dict(RECIPES["quick"].to_json())
    assert RECIPES["quick"].as_recorded(recorded) == RECIPES["quick"]
    del recorded["statistics_batches"]
    assert RECIPES["quick"].as_recorded(recorded).statistics_batches is None
    assert RECIPES["small"].as_recorded(recorded) == RECIPES["small"]
    assert RECIPES["small"].as_recorded({}) == RECIPES["small"]
