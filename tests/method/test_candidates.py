"""Candidates of a space that cannot be scored whole."""

import numpy as np

from naokit.method.candidates import BEST, REACH, CandidateSearch
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
