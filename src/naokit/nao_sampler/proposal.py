"""The row whose evaluation promises most, given the trials.

Shapes: n trials with results, N rows, P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from naokit.method.acquisition import expected_improvement, feasibility
from naokit.method.features import distances
from naokit.method.surrogate import GaussianProcess, fit_parameters
from naokit.nao_sampler.candidates import CandidateSearch
from naokit.nao_sampler.features import Features
from naokit.nao_sampler.history import History
from naokit.nao_sampler.presence import Presence

WHOLE = 10_000
"""A space of so many assignments at most is scored whole, anew for each suggestion."""

CHUNK = 1_000
"""So many rows are scored at once: distances to all trials take memory."""

FITTED = 200
"""The kernel's parameters are fitted to so many trials at most: the cost grows with the cube."""

NOISE = math.log(0.0003)
"""Log s expected: parameters say all about a trial, a graph's features not all about a network. With
the .03 of those the benchmark's floats ended at .28 and its integers at .36, not at .18 and .25."""

CAUTION = 2
"""Power of the likelihood that an evaluation succeeds. With it, and with failed trials taken for
explored, 6 of 25 trials failed on a square of which 40 % fails, not 13 (random: 8)."""


def best_new(
    history: History, values: np.ndarray, turn: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The new row that promises most, or the most promising one if none is new.

    Args:
        history: the trials.
        values: targets of those with results, (n,).
        turn: of the acquisition.
        generator: of everything random.

    Returns:
        The row, and which of its parameters will be asked for, (P,) each.
    """
    presence = Presence(history.space, history.complete())
    score = Score(history, Features(history.space, presence, generator), values, turn)
    rows = _candidates(history, presence, score, values, generator)
    row = next((row for row in rows if history.is_new(row)), rows[0])
    return row, ~np.isnan(presence(row[None])[0])


def _candidates(
    history: History,
    presence: Presence,
    score: Score,
    values: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Rows, the most promising first, (N, P)."""
    everything = history.space.everything(WHOLE)
    if everything is not None:
        order = np.argsort(-score(presence(everything)), kind="stable")
        return everything[order]
    known = history.known[np.argsort(-values, kind="stable")]
    best = history.space.completed(known, generator)
    return CandidateSearch(history.space, presence, generator)(score, best)


class Score:
    """What an evaluation of each row promises.

    Running trials are taken to turn out as expected (kriging believer), failed ones to be explored:
    both leave the means alone and take away the uncertainty.

    Args:
        history: the trials.
        features: of rows.
        values: targets of the trials with results, (n,).
        turn: of the acquisition.
    """

    def __init__(self, history: History, features: Features, values: np.ndarray, turn: int) -> None:
        self.features = features
        self.turn = turn
        self.blocks, self.values = features(history.known), values
        some = np.unique(np.linspace(0, len(values) - 1, FITTED).astype(int))
        parts = [block[some] for block in self.blocks]
        between, even = distances(parts, parts), np.zeros(len(parts))
        self.parameters = fit_parameters(between, values[some], even, NOISE)
        self.process = self._process()
        self.feasible = [block[history.feasible] for block in self.blocks]
        bad = np.concatenate([history.failed, history.known[~history.feasible]])
        self.bad = features(bad) if len(bad) else None
        believed = np.concatenate([history.running, history.failed])
        if len(believed):
            new = features(believed)
            self.values = np.append(values, self._foretell(new)[0])
            self.blocks = [np.concatenate(pair) for pair in zip(self.blocks, new, strict=True)]
            self.process = self._process()

    def __call__(self, settled: np.ndarray) -> np.ndarray:
        """The promise of settled rows, (N,)."""
        starts = range(0, len(settled), CHUNK)
        parts = [self._promise(settled[start : start + CHUNK]) for start in starts]
        return np.concatenate(parts)

    def _promise(self, settled: np.ndarray) -> np.ndarray:
        blocks = self.features(settled)
        mean, deviation = self._foretell(blocks)
        likely = None
        if self.bad is not None:
            good, bad = distances(self.feasible, blocks), distances(self.bad, blocks)
            likely = feasibility(good, bad) ** CAUTION
        return promise(self.turn, mean, deviation, self.values, likely)

    def _foretell(self, blocks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        between = distances(self.blocks, blocks)
        return self.process.posterior_at(self.values, between, smooth=True)

    def _process(self) -> GaussianProcess:
        nothing = [np.zeros((len(block), 0)) for block in self.blocks]
        return GaussianProcess(self.parameters, distances(self.blocks, self.blocks), nothing)


def promise(
    turn: int,
    mean: np.ndarray,
    deviation: np.ndarray,
    targets: np.ndarray,
    likely: np.ndarray | None = None,
) -> np.ndarray:
    bound = turn % 3
    if bound == 0:
        gain, nothing = expected_improvement(mean, deviation, targets.max()), 0.0
    else:
        gain, nothing = mean + bound * deviation, float(targets.min())
    return gain if likely is None else np.maximum(gain - nothing, 0) * likely
