"""Which few of many scored architectures to train, so that the best of them is likely good.

    t = r s + sqrt(1 - r^2) e      the truth of each, given its score s

Both are standard normal; the error e is a Gaussian process, so that near copies err together. The
few are chosen one after the other, each the one that raises the expected maximum of their truths
most. Copies of the first raise it little: where scores by shared weights hardly rank, a search by
them ends in copies (docs/results.md).

Shapes: N architectures, D draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from naokit.method.features import distances
from naokit.method.posterior import Posterior, features_of
from naokit.method.surrogate import one_blas_thread
from naokit.space import Architecture, Space

CORRELATION = 0.5
"""r: how well scores by shared weights rank (docs/results.md has .2 to .55)."""
CANDIDATES = 100
"""So many of the best are looked at, at most."""
DRAWS = 4096


def most_promising(
    space: Space, best_first: Sequence[Architecture], amount: int, seed: int
) -> list[Architecture]:
    """The architectures to train, the one with the best score first.

    Args:
        space: Their space.
        best_first: Different architectures, those with better scores first.
        amount: How many to choose.
        seed: The seed of the draws.
    """
    looked_at = list(best_first[:CANDIDATES])
    if amount >= len(looked_at):
        return list(best_first[:amount])
    count = len(best_first)
    scores = ndtri((count - np.arange(len(looked_at)) - 0.5) / count)
    with one_blas_thread():
        posterior = Posterior(features_of(space), None, looked_at, scores)
        apart = distances(posterior.blocks, posterior.blocks)
        alike = posterior.process.kernel.correlation([r.astype(float) for r in apart])
    return [looked_at[place] for place in _expected_maximum(scores, alike, amount, seed)]


def _expected_maximum(scores: np.ndarray, alike: np.ndarray, amount: int, seed: int) -> list[int]:
    """The places that are chosen, in order.

    Args:
        scores: Standard normal scores, (N,).
        alike: The correlation of their errors, (N, N).
        amount: How many to choose, fewer than N.
        seed: The seed of the draws.
    """
    jitter = 1e-6 * np.eye(len(scores))
    root = np.linalg.cholesky((1 - CORRELATION**2) * alike + jitter)
    noise = np.random.default_rng(seed).standard_normal((DRAWS, len(scores)))
    truths = CORRELATION * scores + noise @ root.T  # (D, N)
    chosen = [0]
    while len(chosen) < amount:
        best = truths[:, chosen].max(axis=1)
        gains = np.maximum(best[:, None], truths).mean(axis=0)
        gains[chosen] = -np.inf
        chosen.append(int(np.argmax(gains)))
    return chosen
