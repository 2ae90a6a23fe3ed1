"""Learning rates by epoch."""

import pytest

from naokit.images.recipes import RECIPES, ImageRecipe
from naokit.training.schedule import learning_rate


@pytest.mark.parametrize(
    ("fields", "rates"),
    [
        ({"epochs": 10}, {0: 1.0, 5: 0.5, 10: 0.0}),
        ({"epochs": 10, "warm_up_epochs": 2}, {0: 0.0, 1: 0.5 * 0.97553, 5: 0.5}),
        ({"epochs": 70, "restart_epochs": 10}, {0: 1.0, 9.999: 0, 10: 1, 20: 0.5, 30: 1, 50: 0.5}),
        ({"epochs": 9, "epoch_decay": 0.9}, {0: 1.0, 0.9: 1.0, 1: 0.9, 2.5: 0.81}),
    ],
)
def test_schedules(fields: dict, rates: dict) -> None:
    made = ImageRecipe("schedule", learning_rate=1.0, **fields)
    found = {epoch: learning_rate(made, epoch) for epoch in rates}
    assert found == pytest.approx(rates, abs=1e-4)


def test_the_restarts_of_the_published_recipe_end_with_it() -> None:
    """docs/specification.md, section 4.3: 630 = 10 + 20 + 40 + 80 + 160 + 320 epochs."""
    made = RECIPES["cifar10-ws-2018"]
    assert learning_rate(made, 309.999) == pytest.approx(1e-4, rel=1e-3)
    assert learning_rate(made, 310) == pytest.approx(0.05)
    assert learning_rate(made, 629.999) == pytest.approx(1e-4, rel=1e-3)
