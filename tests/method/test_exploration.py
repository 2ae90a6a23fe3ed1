"""What `nao` does when nothing improves: neighbours of the best, and climbs from random starts."""

from collections import Counter
from unittest import mock

import numpy as np
import pytest

from naokit.base import SpaceExhausted
from naokit.doors import Observation, Proposal
from naokit.method import exploration
from naokit.method.exploration import NEIGHBOUR, PATIENCE, START, STEP, Standstill
from naokit.method.nao import Nao
from naokit.space import Architecture
from naokit.spaces import Choice, Choices

SPACE = Choices("five", tuple(Choice(name, ("p", "q", "r", "s")) for name in "abcde"))
LEADER = (3, 3, 3, 3, 0)


def planted(architecture: Architecture) -> float:
    """A sum in which the last choice counts most, and a leader that has the worst last choice."""
    if architecture.choices == LEADER:
        return 100.0
    return float(sum(architecture.choices) + 9 * architecture.choices[-1])


def search(evaluations: int, pending: int = 0) -> list[Observation]:
    """A search for the planted leader."""
    method, history = Nao(SPACE, 0, evaluations), []
    while len(history) < evaluations:
        asked: list[Proposal] = []
        for _ in range(1 + pending):
            asked.append(method.propose(history, [one.architecture for one in asked]))
        history += [Observation(p.architecture, planted(p.architecture), p.origin) for p in asked]
    return history


def test_a_leader_that_the_model_rules_out_is_found() -> None:
    found = search(115)
    assert LEADER in [trial.architecture.choices for trial in found]
    with mock.patch.object(exploration, "PATIENCE", 1000):
        stuck = search(115)
    assert LEADER not in [trial.architecture.choices for trial in stuck]


@pytest.mark.parametrize("pending", [0, 9])
def test_both_kinds_have_a_growing_share(pending: int) -> None:
    with mock.patch(f"{__name__}.LEADER", (9,) * 5):  # nothing better than the sum
        history = search(120, pending)
    kinds = [trial.origin in (NEIGHBOUR, START, STEP) for trial in history]
    assert sum(kinds[:30]) < sum(kinds[-30:])
    counted = Counter(trial.origin for trial in history)
    assert min(counted[NEIGHBOUR], counted[STEP]) > 15
    assert counted[START] >= 1


def test_neighbours_are_those_of_the_best_and_none_is_left_out() -> None:
    with mock.patch(f"{__name__}.LEADER", (9,) * 5):
        history = search(115)
    best = max(history, key=lambda trial: trial.value or 0).architecture
    near = {a.key for a in SPACE.neighbours(best)}
    assert near <= {trial.architecture.key for trial in history}


def test_the_share_is_nothing_at_first_and_two_thirds_in_the_end() -> None:
    assert [Standstill(n, 5).share for n in (0, 1, PATIENCE)] == [0, 0, 0]
    assert Standstill(2 * PATIENCE, 5).share == pytest.approx(0.5)
    assert Standstill(20 * PATIENCE, 5).share == pytest.approx(2 / 3)


def test_what_got_better_for_long_is_given_as_long_again() -> None:
    assert Standstill(100, 100).share == 0
    assert Standstill(125, 100).share == pytest.approx(0.2)


def test_random_and_given_results_are_no_standstill() -> None:
    one = SPACE.architecture([0] * 5)
    history = [Observation(one, 1.0, "given"), *[Observation(one, 0.0, "random")] * 50]
    assert Standstill.of(history) == Standstill(0, 1)
    history += [Observation(one, None, "whole space"), Observation(one, 0.5, "latent step 3")]
    assert Standstill.of(history) == Standstill(2, 1)
    better = [*history, Observation(one, 2.0, "mutation")]
    assert Standstill.of(better) == Standstill(0, len(better))


def test_with_several_objectives_nothing_stands_still() -> None:
    one = SPACE.architecture([0] * 5)
    history = [Observation(one, 1.0, "whole space", values=(1.0, 2.0))] * 50
    assert Standstill.of(history).share == 0


def test_where_nothing_random_is_left_the_model_goes_on() -> None:
    method = Nao(SPACE, 0, 10)
    one = SPACE.architecture([0] * 5)
    nothing_left = mock.patch.object(method.stream, "next", side_effect=SpaceExhausted("all"))
    with nothing_left:
        found = method.exploration([], [one], 2 / 3, 1, {one.key}, lambda some: np.zeros(len(some)))
        assert {candidate.origin for candidate in found} == {NEIGHBOUR}
