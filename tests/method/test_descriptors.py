"""One more block of the kernel: descriptors that are measured on a few architectures."""

from collections.abc import Sequence

import numpy as np
import pytest

from naokit.doors import Descriptors, Observation
from naokit.method.descriptors import EARLIER, MOST, DescribedFeatures, affordable, scaled
from naokit.method.features import Features
from naokit.method.nao import Nao
from naokit.space import Architecture, Space
from naokit.spaces import ConvCells

SPACE = ConvCells.small(nodes=2)


def value(architecture: Architecture) -> float:
    """A made-up score that the graphs say nothing of."""
    return int(architecture.key[:6], 16) / 16**6


class Telling(Descriptors):
    """Two descriptors: one that tells the value, one that is never known."""

    def __init__(self, share: float = 0.1, sign: float = 1.0) -> None:
        self._share, self.sign = share, sign
        self.measured: dict[str, Architecture] = {}

    @property
    def share(self) -> float:
        return self._share

    def __call__(self, architectures: Sequence[Architecture]) -> np.ndarray:
        self.measured |= {a.key: a for a in architectures}
        return np.array([[self.sign * value(a), np.nan] for a in architectures])

    def known(self) -> list[Architecture]:
        return [self.measured[key] for key in sorted(self.measured)]


def search(
    descriptors: Descriptors | None, trials: int = 16, space: Space = SPACE
) -> list[Observation]:
    method = Nao(space, 0, trials)
    if descriptors is not None:
        method.describe_with(descriptors)
    history: list[Observation] = []
    for _ in range(trials):
        proposal = method.propose(history)
        score = None if len(history) % 5 == 4 else value(proposal.architecture)
        history.append(Observation(proposal.architecture, score, proposal.origin))
    return history


def test_columns_are_normal_quantiles_in_units_of_a_typical_distance() -> None:
    generator = np.random.default_rng(0)
    values = np.exp(generator.normal(size=(400, 2)) * 9)  # ranks care for no scale
    block = scaled(values)
    pairs = generator.integers(0, 400, (2, 4000))
    squares = ((block[pairs[0]] - block[pairs[1]]) ** 2).sum(axis=1)
    assert squares.mean() == pytest.approx(1, rel=0.05)
    assert (np.argsort(block[:, 0]) == np.argsort(values[:, 0])).all()


def test_what_is_not_known_lies_in_the_middle() -> None:
    block = scaled(np.array([[1.0], [np.nan], [3.0], [np.inf]]))
    assert block[1] == block[3] == 0
    assert block[0] == -block[2] != 0


@pytest.mark.parametrize("column", [[1.0, 1.0, 1.0], [np.nan] * 3])
def test_a_descriptor_that_says_nothing_is_no_distance(column: list[float]) -> None:
    assert not scaled(np.array(column)[:, None]).any()


def test_the_block_comes_last_and_is_found_by_key() -> None:
    features = Features(SPACE)
    cells = [SPACE.sample(np.random.default_rng(seed)) for seed in range(3)]
    described = DescribedFeatures(features, cells, np.array([[3.0], [1.0], [2.0]]))
    *blocks, last = described(cells[::-1])
    assert len(described.logits) == len(blocks) + 1
    assert all((a == b).all() for a, b in zip(blocks, features(cells[::-1]), strict=True))
    assert last[0] == 0
    assert last[2] > 0 > last[1]


def test_dear_descriptors_are_measured_on_fewer_candidates_or_none() -> None:
    amounts = [affordable(share) for share in (0.0, 1e-4, 0.05, 0.1, 0.5, 2.0)]
    assert amounts == sorted(amounts, reverse=True)
    assert amounts[0] == amounts[1] == MOST
    dear = Telling(share=0.5)
    assert [t.architecture for t in search(dear)] == [t.architecture for t in search(None)]
    assert not dear.measured


def test_a_descriptor_that_tells_the_value_finds_better_ones() -> None:
    def mean(found: list[Observation]) -> float:
        return float(np.mean([trial.value for trial in found[8:] if trial.value is not None]))

    described = search(Telling())
    assert mean(described) > mean(search(None)) + 0.1
    assert EARLIER in {trial.origin for trial in described}


def test_the_sign_is_learnt() -> None:
    one, other = search(Telling()), search(Telling(sign=-1.0))
    assert [t.architecture for t in one] == [t.architecture for t in other]


def test_results_and_candidates_are_described_and_nothing_else() -> None:
    descriptors = Telling()
    history = search(descriptors, trials=3)
    assert not descriptors.measured  # nothing is known that they could be compared with
    method = Nao(SPACE, 0, 9)
    method.describe_with(descriptors)
    pending = [SPACE.sample(np.random.default_rng(99))]
    proposal = method.propose(history, pending)
    amount = affordable(descriptors.share)
    assert len(descriptors.measured) == len(history) + len(pending) + amount
    assert proposal.model["described"] == len(descriptors.measured)
    assert proposal.model["described_cost"] == pytest.approx(0.1 * len(descriptors.measured))
    assert {"described_with", "described_without"} <= set(proposal.model)
    assert method.propose(history, pending) == proposal


def test_of_described_ones_only_the_allowed_are_proposed() -> None:
    class Half(ConvCells):
        def allows(self, choices: Sequence[int]) -> bool:
            return sum(choices) % 2 == 0

    space = Half.small(nodes=2)
    history = search(Telling(), space=space, trials=12)
    assert all(space.allows(t.architecture.choices) for t in history if t.origin != "random")


def test_a_search_that_stands_still_explores_as_without() -> None:
    cells = [SPACE.sample(np.random.default_rng(seed)) for seed in range(80)]
    history = [Observation(cell, -float(number), "mutation") for number, cell in enumerate(cells)]
    for method in (with_them := Nao(SPACE, 0, 9), Nao(SPACE, 0, 9)):
        method.propose(history[:4])
    descriptors = Telling()
    with_them.describe_with(descriptors)
    proposals = [with_them.propose(history[:turn]) for turn in range(60, 80)]
    plain = Nao(SPACE, 0, 9)
    explored = [
        p
        for p in proposals
        if p.origin in ("neighbour of the best", "start of a climb", "step of a climb")
    ]
    assert explored
    for turn, proposal in zip(range(60, 80), proposals, strict=True):
        if proposal in explored:
            assert plain.propose(history[:turn]).architecture.key == proposal.architecture.key
