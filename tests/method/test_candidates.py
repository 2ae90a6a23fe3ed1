"""Candidates of a space that cannot be scored whole."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from naokit.doors import Observation
from naokit.method.candidates import BEST, REACH, Candidate, CandidateSearch
from naokit.method.nao import LATENT_FIRST, Nao
from naokit.space import Architecture
from naokit.spaces import ConvCells


def test_candidates_stay_near_what_is_known() -> None:
    """A score that draws just beyond the bound: no child gets there."""
    space = ConvCells.small()
    best = [space.sample(np.random.default_rng(seed)) for seed in range(BEST)]
    roots = np.array([architecture.choices for architecture in best])

    def away(architecture: Architecture) -> int:
        return int((roots != np.array(architecture.choices)).sum(axis=1).min())

    def score(architectures: list[Architecture]) -> np.ndarray:
        return np.array([-abs(away(architecture) - REACH - 1.0) for architecture in architectures])

    found = list(CandidateSearch(space, 0)(score, best))
    bred = [away(c.architecture) for c in found if c.origin in ("mutation", "crossing")]
    assert len(bred) > 50
    assert max(bred) == REACH


def test_latent_steps_stay_near_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that leaves the neighbourhood proposes nothing; one that stays in it does."""
    space = ConvCells.small(nodes=2)
    cells = [space.sample(np.random.default_rng(seed)) for seed in range(LATENT_FIRST)]
    history = [Observation(cell, float(sum(cell.choices))) for cell in cells]
    best = max(history, key=lambda trial: trial.value or 0.0).architecture

    def changed(places: int) -> Candidate:
        texts = [*best.choices]
        texts[1 : 2 * places : 2] = [(c + 1) % 5 for c in texts[1 : 2 * places : 2]]  # operations
        return Candidate(space.architecture(texts), f"latent step {places}")

    def steps(method: Nao, valued: Sequence[Observation]) -> Callable[..., list[Candidate]]:
        return lambda known: [changed(places) for places in range(1, 8)]

    monkeypatch.setattr(Nao, "_latent_steps", steps)
    monkeypatch.setattr("naokit.method.latent.STEPS", 1)
    model = Nao(space, 0, 20).propose(history).model
    assert (model["decoded"], model["decoded_new"]) == (7, REACH)
