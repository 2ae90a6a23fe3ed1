"""Numbers stand for the values of parameters."""

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from naokit.optuna_sampler.parameters import Number, union


@pytest.mark.parametrize(
    "distribution",
    [
        IntDistribution(3, 30),
        IntDistribution(-6, 9, step=3),
        IntDistribution(1, 1000, log=True),
        FloatDistribution(-10.2, 10.2, step=0.1),
        FloatDistribution(-1, 1),
        FloatDistribution(1e-7, 10, log=True),
    ],
)
def test_numbers_stand_for_values(distribution: IntDistribution | FloatDistribution) -> None:
    number = Number(distribution)
    generator = np.random.default_rng(0)
    drawn = number.drawn(generator, 200)
    moved = number.mutated(drawn, generator)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    for found in (*drawn.tolist(), *moved.tolist(), -0.5, 1.5):
        value = number.decode(found)
        assert distribution._contains(distribution.to_internal_repr(value))
        assert type(value) is (int if isinstance(distribution, IntDistribution) else float)
        assert number.decode(number.encode(value)) == pytest.approx(value)
    if number.levels is not None:
        values = [number.decode(place) for place in number.everything().tolist()]
        assert len({round(value, 6) for value in values}) == number.levels
        inner = np.delete(np.arange(number.levels), [0, number.levels - 1])
        places = number.everything()
        assert (np.abs(number.mutated(places[inner], generator) - places[inner]) > 0).mean() > 0.9


def test_the_union_keeps_the_order_of_asking_and_the_latest_range() -> None:
    x, y = FloatDistribution(0, 1), FloatDistribution(0, 2)
    single = CategoricalDistribution(["only"])

    def asked_for(**distributions) -> optuna.trial.FrozenTrial:
        params = {
            name: "only" if name == "one" else distributions[name].low for name in distributions
        }
        return create_trial(params=params, distributions=distributions, value=0.0)

    found = union([asked_for(a=x, c=x), asked_for(a=y, b=x, c=x, one=single), asked_for(z=x)])
    assert list(found) == ["z", "a", "b", "c"]
    assert found["a"] == y
