"""Results as a model wants them: of a long history those that tell most."""

import numpy as np
import pytest

from naokit.doors import Observation
from naokit.method import results
from naokit.method.nao import Nao
from naokit.method.results import telling
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
