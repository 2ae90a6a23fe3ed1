"""What a search by weight sharing costs, against what the same cells cost by themselves."""

import dataclasses

import pytest

from naokit.images.presets import SHARED
from naokit.images.recipes import RECIPES
from naokit.images.subject import ImageSubject
from naokit.networks import count_parameters
from naokit.profiling import Estimate, training_bytes
from naokit.runs.shared_planning import SharedCosts, SharedOption, shared_costs
from naokit.spaces import ConvCells
from naokit.training.device import make_fabric


@pytest.mark.parametrize("batch", [16, 64])
def test_an_update_holds_what_the_cell_by_itself_would_hold(batch: int, few_digits: None) -> None:
    """The inherited network computes the same; its training is counted on the meta device."""
    space = ConvCells.small(nodes=2)
    cell = space.parse("0 1 1 4 0 3 1 0 0 2 1 1 2 1 0 4")
    subject = ImageSubject("digits", channels=8, cells=1)
    recipe = dataclasses.replace(RECIPES["quick"], batch=batch)
    costs = shared_costs(subject, recipe, 100, [cell], make_fabric("cpu"), 0.05)
    shared = space.build_shared(subject.settings(recipe))
    assert costs.weights == 12 * count_parameters(shared)
    alone = shared.network(space.plan(cell))
    of_weights = 8 * count_parameters(alone)  # and momenta; its gradients count in both
    held = training_bytes(alone, (1, 8, 8), batch) - of_weights - 4 * batch * 8 * 8
    assert costs.step == pytest.approx(held, rel=0.15)
    assert costs.memory == costs.weights + costs.step


@pytest.mark.parametrize(
    ("preset", "seconds", "epochs"),
    [
        ("small", 280, None),
        ("small", 330, None),  # five epochs, and it has four
        ("small", 480, 10),
        ("small", 1e6, 40),
        ("paper", 1e9, None),
    ],
)
def test_hours_that_are_left_train_the_shared_network_for_longer(
    preset: str, seconds: float, epochs: int | None
) -> None:
    """What `small` takes besides its 100 s of training: 80 s of scores, 4 times 10 s and 60 s."""
    training, own, final = Estimate(100, 80, 120, 5), Estimate(10, 9, 11, 5), Estimate(60, 5, 70, 5)
    costs = SharedCosts(training, 0.5, 0, 0)
    option = SharedOption(SHARED[preset], "images", costs, own, final)
    assert preset != "small" or option.seconds == 280
    assert option.longer(seconds) == epochs
