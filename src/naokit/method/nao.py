"""`nao`, the sample-efficient method: three random architectures, then the most promising, always.

    history ──rank-Gauss──> targets ─┐
       └──features──> distances ──> Gaussian process ──> expected improvement ──> the best
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
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri
from scipy.stats import spearmanr
from threadpoolctl import ThreadpoolController

from naokit.base import Architecture, Method, Proposal, Space, Trial, derive_seed
from naokit.method.acquisition import (
    expected_improvement,
    feasibility,
    slack_targets,
    within_limits,
)
from naokit.method.baselines import RandomStream
from naokit.method.candidates import Candidate, CandidateSearch
from naokit.method.features import Blocks, Features, distances
from naokit.method.surrogate import GaussianProcess, fit_parameters, rank_gauss

if TYPE_CHECKING:  # torch is needed only where a space is endless
    from naokit.method.latent import LatentSteps

INITIAL = 3
"""Random architectures at the start (2 to 5 compared in docs/results.md, 5 to 20 in method.md)."""

ENUMERABLE = 50_000
"""A space of so many spellings at most is scored whole."""

Foretell = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Targets of the known results, (n,) or (S, n) -> mean, (N,) or (S, N), and deviation, (N,), of a
measurement at N candidates."""

REFIT = 1.15
"""The parameters are fitted anew when there are so many times the results of the last fit."""

LATENT_FIRST, RETRAIN = 10, 1.5
"""Results at the first training of the encoder, predictor and decoder, and how many times those of
the last are there at the next (docs/results.md says what they cost and give)."""

PART = 4096
"""Of everything, how much is compared with the results at once."""

OUTCOMES = 32
"""Possible outcomes of what is pending over which an evaluation's promise is averaged."""

REFUSALS, ROUNDS = 20, 5
"""Candidates beyond a limit after which the others are scored anew, and how often that is done."""


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
        self.features = features_of(space)
        self.everything = everything_of(space) if whole else None
        all_there_is = None if self.everything is None else self.everything.architectures
        self.stream = RandomStream(space, seed, all_there_is)
        self.search = CandidateSearch(space, seed)
        self._grown: Model | None = None
        self._latent: tuple[object, LatentSteps] | None = None

    def propose(self, history: Sequence[Trial], pending: Sequence[Architecture] = ()) -> Proposal:
        """The candidate whose evaluation promises most."""
        # Matrices are small here: two BLAS threads beside another process took 13 times as long.
        with _blas().limit(limits=1, user_api="blas"):
            return self._propose(history, pending)

    def _propose(self, history: Sequence[Trial], pending: Sequence[Architecture]) -> Proposal:
        seen = {trial.architecture.key for trial in history}
        seen |= {architecture.key for architecture in pending}
        valued = [trial for trial in history if trial.known is not None]
        turn = len(history) + len(pending)
        if turn < INITIAL or len(valued) < 2:
            return Proposal(self.stream.next(seen), "random")
        known, values = _split(valued)
        model = self._model(known, values)
        outcomes = rank_gauss(values)[None]
        if pending:
            generator = np.random.default_rng(derive_seed(self.seed, "pending", turn))
            model, outcomes = imagined(model, outcomes, pending, generator)
        failed = [trial.architecture for trial in history if trial.known is None]
        slack = np.array([trial.slack for trial in valued] + [np.inf] * len(pending))
        facts = dict(model.quality)
        for _ in range(ROUNDS):
            refused: list[Architecture] = []
            score = Score(model, outcomes, slack, failed)
            for candidate in self._candidates(score, valued, facts):
                architecture = candidate.architecture
                if architecture.key in seen:
                    continue
                if self.space.allows(architecture.choices):
                    return Proposal(architecture, candidate.origin, facts)
                refused.append(architecture)
                if len(refused) == REFUSALS:
                    break
            failed += refused  # beyond a limit: what is like them is likely to be so too
        return Proposal(self.stream.next(seen), "random", facts)

    def _candidates(
        self, score: Score, valued: Sequence[Trial], facts: dict[str, float]
    ) -> Iterator[Candidate]:
        """Candidates, the most promising first; what is learned on the way goes into `facts`."""
        if self.everything is not None:
            for place in np.argsort(-score.of_everything(), kind="stable"):
                yield Candidate(self.everything.architectures[place], "whole space")
            return
        best = _best_first(valued)
        decoded: list[Candidate] = []
        if len(valued) >= LATENT_FIRST:
            decoded = self._latent_steps(valued)(best)
            new = {c.architecture.choices for c in decoded} - {a.choices for a in best}
            facts |= {"decoded": float(len(decoded)), "decoded_new": float(len(new))}
        yield from self.search(score, best, decoded)

    def _latent_steps(self, valued: Sequence[Trial]) -> LatentSteps:
        """The encoder, predictor and decoder as they were trained last."""
        from naokit.method.latent import LatentSteps

        trained = last_fit(len(valued), LATENT_FIRST, RETRAIN)
        known, values = _split(valued[:trained])
        targets = rank_gauss(values)
        made_of = (known, targets.tolist())
        if self._latent is None or self._latent[0] != made_of:
            model = self._model(known, values)

            def means(architectures: Sequence[Architecture]) -> np.ndarray:
                return model.foretell(self.features(architectures), targets)[0]

            best = _best_first(valued[:trained])
            self._latent = (made_of, LatentSteps(self.space, self.seed, best, means))
        return self._latent[1]

    def _model(self, known: Sequence[Architecture], values: np.ndarray) -> Model:
        """The model of these results, grown from the one before where that is the same."""
        fitted = last_fit(len(known))
        targets = rank_gauss(values[:fitted])
        model = self._grown
        if model is None or not model.continues(known, targets):
            model = Model(self.features, self.everything, known[:fitted], targets)
        for architecture in known[len(model.known) :]:
            model = model.grown(architecture)
        self._grown = model
        return model


def _split(valued: Sequence[Trial]) -> tuple[list[Architecture], np.ndarray]:
    """The architectures and their values."""
    return [trial.architecture for trial in valued], np.array([trial.known for trial in valued])


def _best_first(valued: Sequence[Trial]) -> list[Architecture]:
    ordered = sorted(valued, key=lambda trial: (trial.slack < 0, -(trial.known or 0.0)))
    return [trial.architecture for trial in ordered]


def last_fit(results: int, first: int = 2, growth: float = REFIT) -> int:
    """How many results something was last fitted to when so many are known."""
    fitted = first
    while (later := math.ceil(growth * fitted)) <= results:
        fitted = later
    return fitted


def imagined(
    model: Model,
    outcomes: np.ndarray,
    pending: Sequence[Architecture],
    generator: np.random.Generator,
) -> tuple[Model, np.ndarray]:
    """The model with what is pending, and outcomes (S, n) that it may have (Snoek et al. 2012).

    Each is drawn given those before it, by the same quantiles for all, so that few tell much. To
    take the mean of each for its outcome instead needed 5 % more evaluations (docs/results.md).
    """
    quantiles = ndtri((np.arange(OUTCOMES) + 0.5) / OUTCOMES)
    outcomes = np.repeat(outcomes, OUTCOMES, axis=0)
    for architecture in pending:
        mean, deviation = model.foretell(model.features([architecture]), outcomes)
        drawn = mean + deviation * generator.permutation(quantiles)[:, None]
        model, outcomes = model.grown(architecture), np.append(outcomes, drawn, axis=1)
    return model, outcomes


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
        targets: of those that the parameters were fitted to.
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
        self.targets = targets
        self.blocks = features(known)
        between = distances(self.blocks, self.blocks)
        exact = [r.astype(np.float64) for r in between]
        parameters = fit_parameters(exact, targets, features.logits)
        size = 0 if everything is None else len(everything.architectures)
        parts = (slice(place, place + PART) for place in range(0, size, PART))
        across = (self._across(self.blocks, part) for part in parts)
        self.process = GaussianProcess(parameters, between, across)
        self.quality = quality(targets, *self.process.left_out(targets))

    def continues(self, known: Sequence[Architecture], targets: np.ndarray) -> bool:
        """Whether growing this model gives that of these results, fitted to these targets."""
        same = np.array_equal(self.targets, targets)  # weights of several objectives alter them
        return same and self.known == list(known[: len(self.known)])

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
        """Mean and deviation of a measurement at these features; see `Foretell`."""
        return self.process.posterior_at(targets, distances(self.blocks, blocks))

    def _across(self, blocks: Blocks, part: slice = slice(None)) -> list[np.ndarray]:
        """Distances to a part of everything; to nothing where a space is endless."""
        if self.everything is None:
            return [np.zeros((len(block), 0), dtype=np.float32) for block in blocks]
        return distances(blocks, [block[part] for block in self.everything.blocks])


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
    """What an evaluation promises, of architectures or of everything.

    Args:
        model: of the results, those pending included.
        outcomes: targets of these results as they may turn out, (S, n).
        slack: how far each is within the limits, (n,).
        failed: what gave no value.
    """

    def __init__(
        self,
        model: Model,
        outcomes: np.ndarray,
        slack: np.ndarray,
        failed: Sequence[Architecture],
    ) -> None:
        self.model = model
        self.outcomes = outcomes
        self.failed = model.features(failed) if failed else None
        within = slack >= 0
        best = outcomes[:, within].max(axis=1, keepdims=True) if within.any() else None
        self.incumbents = None if best is None else best.astype(np.float32)
        self.slack = None if within.all() else slack_targets(slack)

    def __call__(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """The promise of each, (N,)."""
        blocks = self.model.features(architectures)
        between = distances(self.model.blocks, blocks)

        def foretell(targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return self.model.process.posterior_at(targets, between)

        return self._promise(blocks, foretell)

    def of_everything(self) -> np.ndarray:
        """The promise of the whole space."""
        assert self.model.everything is not None
        return self._promise(self.model.everything.blocks, self.model.process.posterior)

    def _promise(self, blocks: Blocks, foretell: Foretell) -> np.ndarray:
        """Expected improvement, as far as a value within the limits is likely."""
        mean, deviation = foretell(self.outcomes)
        promise = np.ones_like(deviation)  # nothing is within the limits yet: find what is
        if self.incumbents is not None:
            promise = expected_improvement(mean, deviation, self.incumbents).mean(axis=0)
        if self.slack is not None:
            slack, threshold = self.slack
            promise = promise * within_limits(*foretell(slack), threshold)
        if self.failed is not None:
            succeeded = distances(self.model.blocks, blocks)
            promise = promise * feasibility(succeeded, distances(self.failed, blocks))
        return promise
