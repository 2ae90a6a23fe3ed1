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

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from naokit.base import Architecture, Method, Observation, Proposal, Space, derive_seed
from naokit.method.baselines import RandomStream, keys_of
from naokit.method.candidates import Candidate, CandidateSearch
from naokit.method.promise import Model, Score, everything_of, features_of, imagined
from naokit.method.surrogate import one_blas_thread, rank_gauss

if TYPE_CHECKING:  # torch is needed only where a space is endless
    from naokit.method.latent import LatentSteps

INITIAL = 3
"""Random architectures at the start (2 to 5 compared in docs/results.md, 5 to 20 in method.md)."""

REFIT = 1.15
"""The parameters are fitted anew when there are so many times the results of the last fit."""

LATENT_FIRST, RETRAIN = 10, 1.5
"""Results at the first training of the encoder, predictor and decoder, and how many times those of
the last are there at the next (docs/results.md says what they cost and give)."""

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
        if self.everything is None:
            import naokit.method.latent  # noqa: F401  # torch takes a second: not in a suggestion

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """The candidate whose evaluation promises most."""
        with one_blas_thread():
            return self._propose(history, pending)

    def _propose(self, history: Sequence[Observation], pending: Sequence[Architecture]) -> Proposal:
        seen = keys_of(history, pending)
        self._prepare(sum(trial.known is not None for trial in history))
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
            score = Score(model, outcomes, slack, failed, len(pending))
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

    def _prepare(self, results: int) -> None:
        """A share of what the latent steps need first, so that no suggestion takes seconds."""
        if self.everything is None and results >= INITIAL:
            from naokit.method.latent import prepare

            share = (results + 1 - INITIAL) / (LATENT_FIRST - INITIAL)
            prepare(self.space.without_limits, min(1.0, share))

    def _candidates(
        self, score: Score, valued: Sequence[Observation], facts: dict[str, float]
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

    def _latent_steps(self, valued: Sequence[Observation]) -> LatentSteps:
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
            self._latent = (made_of, LatentSteps(self.space.without_limits, self.seed, best, means))
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


def _split(valued: Sequence[Observation]) -> tuple[list[Architecture], np.ndarray]:
    """The architectures and their values."""
    return [trial.architecture for trial in valued], np.array([trial.known for trial in valued])


def _best_first(valued: Sequence[Observation]) -> list[Architecture]:
    ordered = sorted(valued, key=lambda trial: (trial.slack < 0, -(trial.known or 0.0)))
    return [trial.architecture for trial in ordered]


def last_fit(results: int, first: int = 2, growth: float = REFIT) -> int:
    """How many results something was last fitted to when so many are known."""
    fitted = first
    while (later := math.ceil(growth * fitted)) <= results:
        fitted = later
    return fitted
