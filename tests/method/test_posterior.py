"""The posterior of architectures, and fantasies of what is pending."""

import numpy as np
import pytest

from naokit.method import surrogate
from naokit.method.features import Features
from naokit.method.posterior import FANTASIES, Posterior, fantasies
from naokit.space import Space
from naokit.spaces import NasBench201


def eight_known(generator: np.random.Generator) -> tuple[Space, Posterior, np.ndarray]:
    """A space, the model of eight made-up results in it, and their targets."""
    space = NasBench201()
    known = [space.sample(generator) for _ in range(8)]
    targets = surrogate.rank_gauss(generator.normal(size=8))
    return space, Posterior(Features(space), None, known, targets), targets


def test_fantasies_are_what_the_posterior_expects_in_many_ways() -> None:
    generator = np.random.default_rng(0)
    space, posterior, targets = eight_known(generator)
    pending = [space.sample(generator) for _ in range(2)]
    given_pending, drawn = fantasies(posterior, targets[None], pending, generator)
    assert drawn.shape == (FANTASIES, 10)
    assert given_pending.known == [*posterior.known, *pending]
    assert (drawn[:, :8] == targets).all()
    mean, deviation = posterior.predict(pending, targets)
    assert drawn[:, 8].mean() == pytest.approx(mean[0], abs=1e-5)
    assert drawn[:, 8].std() == pytest.approx(deviation[0], rel=0.05)
    given_first = posterior.condition_on(pending[:1])
    expected, _ = given_first.predict(pending[1:], np.append(targets, mean[0]))
    assert drawn[:, 9].mean() == pytest.approx(expected[0], abs=0.1)
