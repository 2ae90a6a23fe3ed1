"""What a search by weight sharing costs, against what the same cells cost by themselves."""

import dataclasses

import pytest

from naokit.images.recipes import RECIPES
from naokit.images.subject import ImageSubject
from naokit.networks import count_parameters
from naokit.profiling import training_bytes
from naokit.runs.shared_planning import shared_costs
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
