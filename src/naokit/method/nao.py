"""`nao`, the sample-efficient method: five random architectures, then the most promising, always.

    history ──rank-Gauss──> targets ─┐
       └──features──> distances ──> Gaussian process ──> promise ──> the best new candidate
                                                            ↑
             everything, or what mutation, crossing and the decoder reach of an endless space

NAO learns a continuous description of the architecture and a performance model on it together.
Here the description is read off the graphs and the model is a Gaussian process: from few results
nothing that was learned did as well. `method.md` and docs/results.md have the measurements.

Proposals depend on the seed and on the history alone. The parameters are fitted at 2, 3, 4, ...
results, each 1.15 times the last; later results are appended to that fit one by one. Both are done
alike whether the model grew with the search or is shown a long history at once.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from scipy.stats import spearmanr
from threadpoolctl import ThreadpoolController

from naokit.base import Architecture, Method, Proposal, Space, Trial
from naokit.method.acquisition import feasibility, promise
from naokit.method.baselines import RandomStream
from naokit.method.candidates import Candidate, CandidateSearch
from naokit.method.features import Blocks, Features, distances
from naokit.method.surrogate import GaussianProcess, fit_parameters, rank_gauss

INITIAL = 5
"""Random architectures at the start (5, 10 and 20 compared: method.md, section 3)."""

ENUMERABLE = 50_000
"""A space of so many spellings at most is scored whole."""

REFIT = 1.15
"""The parameters are fitted anew when there are so many times the results of the last fit."""


class Nao(Method):
    """The sample-efficient method; nothing to tune.

    Args:
        space: what is searched.
        seed: of everything random.
        evaluations: the budget; nothing depends on it.
        whole: False searches for candidates even where the whole space could be scored.
    """

    def __init__(self, space: Space, seed: int, evaluations: int, *, whole: bool = True) -> None:
        del evaluations
        self.space = space
        self.seed = seed
        self.stream = RandomStream(space, seed)
        self.features = features_of(space)
        self.everything = everything_of(space) if whole else None
        self.search = CandidateSearch(space, seed)
        self._grown: Model | None = None

    def propose(self, history: Sequence[Trial], pending: Sequence[Architecture] = ()) -> Proposal:
        """The candidate whose evaluation promises most."""
        # Matrices are small here: two BLAS threads beside another process took 13 times as long.
        with _blas().limit(limits=1, user_api="blas"):
            return self._propose(history, pending)

    def _propose(self, history: Sequence[Trial], pending: Sequence[Architecture]) -> Proposal:
        seen = {trial.architecture.key for trial in history}
        seen |= {architecture.key for architecture in pending}
        valued = [trial for trial in history if trial.value is not None]
        turn = len(history) + len(pending)
        if turn < INITIAL or len(valued) < 2:
            return Proposal(self.stream.next(seen), "random")
        values = np.array([trial.value for trial in valued])
        model = self._model([trial.architecture for trial in valued], values)
        targets = rank_gauss(values)
        for architecture in pending:  # kriging believer: what is pending turns out as expected
            mean, _ = model.foretell(self.features([architecture]), targets)
            model, targets = model.grown(architecture), np.append(targets, mean)
        failed = [trial.architecture for trial in history if trial.value is None]
        score = Score(model, targets, turn, failed)
        candidates = self._candidates(score, valued)
        found = next((c for c in candidates if c.architecture.key not in seen), None)
        if found is None:
            return Proposal(self.stream.next(seen), "random")
        return Proposal(found.architecture, found.origin, model.quality)

    def _candidates(self, score: Score, valued: Sequence[Trial]) -> Iterator[Candidate]:
        """Candidates, the most promising first."""
        if self.everything is None:
            best = sorted(valued, key=lambda trial: -(trial.value or 0.0))
            yield from self.search(score, [trial.architecture for trial in best])
            return
        for place in np.argsort(-score.of_everything(), kind="stable"):
            yield Candidate(self.everything.architectures[place], "whole space")

    def _model(self, known: Sequence[Architecture], values: np.ndarray) -> Model:
        """The model of these results, grown from the one before where that is the same."""
        fitted = last_fit(len(known))
        model = self._grown
        if model is None or model.fitted != fitted or model.known != known[: len(model.known)]:
            targets = rank_gauss(values[:fitted])
            model = Model(self.features, self.everything, known[:fitted], targets)
        for architecture in known[len(model.known) :]:
            model = model.grown(architecture)
        self._grown = model
        return model


def last_fit(results: int) -> int:
    """How many results the parameters are fitted to when so many are known."""
    fitted = 2
    while (later := math.ceil(REFIT * fitted)) <= results:
        fitted = later
    return fitted


class Everything:
    """All the architectures of a space, and their features."""

    def __init__(self, architectures: Sequence[Architecture], features: Features) -> None:
        self.architectures = architectures
        self.blocks = features(architectures)


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


@lru_cache(maxsize=8)
def features_of(space: Space) -> Features:
    """The features of a space: they depend on nothing else."""
    return Features(space)


@lru_cache(maxsize=8)
def everything_of(space: Space) -> Everything | None:
    """All of a small space; None for a larger one."""
    architectures = space.everything(ENUMERABLE)
    return None if architectures is None else Everything(architectures, features_of(space))


class Model:
    """The Gaussian process on results that grow one by one, over everything where that is finite.

    Attributes:
        known: the architectures with results.
        fitted: how many of them the parameters were fitted to.
        quality: how well each result is foretold by the others.
    """

    def __init__(
        self,
        features: Features,
        everything: Everything | None,
        known: Sequence[Architecture],
        targets: np.ndarray,
    ) -> None:
        self.features = features
        self.everything = everything
        self.known = list(known)
        self.fitted = len(known)
        self.blocks = features(known)
        between = distances(self.blocks, self.blocks)
        parameters = fit_parameters([r.astype(np.float64) for r in between], targets)
        self.process = GaussianProcess(parameters, between, self._across(self.blocks))
        self.quality = quality(targets, *self.process.left_out(targets))

    def grown(self, architecture: Architecture) -> Model:
        """This model with one more result; this one stays as it is."""
        model = copy.copy(self)
        new = self.features([architecture])
        known = [r[:, 0] for r in distances(self.blocks, new)]
        model.process = self.process.grown(known, [r[0] for r in self._across(new)])
        model.known = [*self.known, architecture]
        model.blocks = [np.concatenate(pair) for pair in zip(self.blocks, new, strict=True)]
        return model

    def foretell(self, blocks: Blocks, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of a measurement at architectures of these features."""
        return self.process.posterior_at(targets, distances(self.blocks, blocks))

    def _across(self, blocks: Blocks) -> list[np.ndarray]:
        """Distances to everything; to nothing where a space is endless."""
        if self.everything is None:
            return [np.zeros((len(block), 0), dtype=np.float32) for block in blocks]
        return distances(blocks, self.everything.blocks)


def quality(targets: np.ndarray, means: np.ndarray, deviations: np.ndarray) -> dict[str, float]:
    """How well results (n,) are foretold when each is left out.

    `rank_correlation` is Spearman's; `within_90` is the share inside the central 90 % that the
    model expects: near .9 where its uncertainty can be trusted.
    """
    flat = len(targets) < 3 or np.ptp(targets) == 0 or np.ptp(means) == 0
    inside = np.abs(targets - means) < 1.645 * deviations
    return {
        "results": float(len(targets)),
        "rank_correlation": 0.0 if flat else float(spearmanr(targets, means).statistic),
        "within_90": float(inside.mean()),
    }


class Score:
    """What an evaluation promises, of architectures or of everything."""

    def __init__(
        self, model: Model, targets: np.ndarray, turn: int, failed: Sequence[Architecture]
    ) -> None:
        self.model = model
        self.targets = targets
        self.turn = turn
        self.failed = model.features(failed) if failed else None

    def __call__(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """The promise of each, (N,)."""
        blocks = self.model.features(architectures)
        mean, deviation = self.model.foretell(blocks, self.targets)
        return promise(self.turn, mean, deviation, self.targets, self._likely(blocks))

    def of_everything(self) -> np.ndarray:
        """The promise of the whole space."""
        assert self.model.everything is not None
        mean, deviation = self.model.process.posterior(self.targets)
        likely = self._likely(self.model.everything.blocks)
        return promise(self.turn, mean, deviation, self.targets, likely)

    def _likely(self, blocks: Blocks) -> np.ndarray | None:
        if self.failed is None:
            return None
        return feasibility(distances(self.model.blocks, blocks), distances(self.failed, blocks))
