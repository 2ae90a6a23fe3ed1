"""Results as a model wants them: of a long history those that tell most."""

import numpy as np
import pytest

from naokit.doors import Observation
from naokit.method import results
from naokit.method.nao import Nao
from naokit.method.results import comparable, telling
from naokit.space import Architecture
from naokit.spaces import NasBench201

SPACE = NasBench201()


def score(architecture: Architecture) -> float:
    return int(architecture.key[:6], 16) / 16**6


def history_of(length: int) -> list[Observation]:
    generator, found = np.random.default_rng(0), dict[str, Architecture]()
    while len(found) < length:
        architecture = SPACE.sample(generator)
        found.setdefault(architecture.key, architecture)
    failed = (None if n % 3 == 1 else score(a) for n, a in enumerate(found.values()))
    return [Observation(a, value) for a, value in zip(found.values(), failed, strict=True)]


def test_a_long_history_keeps_its_best_and_some_of_all_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results, "MOST", 20)
    monkeypatch.setattr(results, "LATER", 5)
    history = history_of(100)
    assert telling(history[:24]) == history[:24]
    kept = telling(history)
    places = [history.index(trial) for trial in kept]
    assert places == sorted(set(places))
    assert len(kept) == 20
    best = sorted((t.value for t in history if t.value is not None), reverse=True)[:10]
    assert {t.value for t in kept} >= set(best)
    assert 0 < sum(trial.value is None for trial in kept) < 8
    for length in range(25, 100):
        before, after = telling(history[: length - 1]), telling(history[:length])
        added = [*before, history[length - 1]] == list(after)
        assert added == bool(length % 5)
        assert 20 <= len(after) <= 24


def test_a_search_beyond_that_depends_on_its_history_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results, "MOST", 20)
    monkeypatch.setattr(results, "LATER", 5)
    method, history = Nao(SPACE, 0, 40), list[Observation]()
    for number in range(40):
        proposal = method.propose(history)
        if number in (26, 33, 39):
            again = Nao(SPACE, 0, 40).propose(history)
            assert (again.architecture, again.origin) == (proposal.architecture, proposal.origin)
        history.append(Observation(proposal.architecture, score(proposal.architecture)))
    assert len({trial.architecture.key for trial in history}) == 40


def ended(curve: list[float], *, stopped: bool = False) -> Observation:
    reported = dict(enumerate(curve, 1))
    return Observation(
        SPACE.sample(np.random.default_rng(0)),
        max(curve),
        stopped=len(curve) if stopped else 0,
        curve=reported,
    )


def test_without_a_stop_values_are_as_they_are() -> None:
    trials = [ended([0.1, 0.5]), ended([0.7, 0.6])]
    assert comparable(trials).tolist() == [0.5, 0.7]


def test_what_was_stopped_is_worth_what_it_would_have_come_to() -> None:
    """Of those that went on a difference after one epoch stayed; the first was lucky to go on."""
    trials = [ended([0.1, 0.6]), ended([0.3], stopped=True), ended([0.5, 1.0])]
    assert comparable(trials) == pytest.approx([0.6, 0.8, 1.0])


def test_a_difference_that_did_not_stay_counts_less() -> None:
    trials = [ended([0.0, 1.0]), ended([1.0, 1.0]), ended([0.5], stopped=True)]
    lower = ended([0.1], stopped=True)
    *_, near, far = comparable([*trials, lower])
    assert near == pytest.approx(1.0)
    assert 0.8 < far < 1.0  # it was 0.4 behind
    against = [ended([0.0, 5.0]), ended([1.0, 1.0]), lower, ended([0.2], stopped=True)]
    *_, worse, better = comparable(against)
    assert worse < better


def test_later_stops_are_foretold_first() -> None:
    trials = [
        ended([0.2, 0.4, 0.6, 0.9]),
        ended([0.4, 0.6, 0.8, 1.1]),
        ended([0.3, 0.5], stopped=True),
        ended([0.2], stopped=True),
    ]
    whole, best, second, first = comparable(trials)
    assert (whole, best) == (0.9, 1.1)
    assert second == pytest.approx(1.0)
    assert first == pytest.approx(0.9)


def test_where_nothing_went_on_values_are_those_that_were_reached() -> None:
    told = Observation(SPACE.sample(np.random.default_rng(1)), 0.9)  # nobody knows its curve
    trials = [told, ended([0.4], stopped=True), ended([0.2, 0.3], stopped=True)]
    assert comparable([told, trials[1]]).tolist() == [0.9, 0.4]
    assert comparable(trials) == pytest.approx([0.9, 0.5, 0.3])
    equal = [ended([0.5, 0.7]), ended([0.5, 0.9]), ended([0.5], stopped=True)]
    assert comparable(equal) == pytest.approx([0.7, 0.9, 0.8])
