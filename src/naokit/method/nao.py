"""`nao`, the sample-efficient method: three random architectures, then the most promising one.

    history ──rank-Gauss──> targets ─┐
       └──features──> distances ──> Gaussian process ──> expected improvement ──> the best
                                                            ↑
          the whole space, or what mutation, crossing and the decoder reach of a larger one

NAO learns a continuous description of the architecture and a performance model on it together.
Here the description is read off the graphs and the model is a Gaussian process: from few results
nothing that was learned did as well (docs/results.md).

Proposals depend on the seed and on the history alone. The kernel is fitted at 2, 3, 4, ... results,
each 1.15 times the last, and later results are added to that fit one by one. So it is whether the
posterior was extended during the search or is made of a long history at once.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from naokit.base import Weights, derive_seed
from naokit.doors import Descriptors, Method, Observation, Proposal
from naokit.method.acquisition import of_tried
from naokit.method.baselines import Keys, RandomStream
from naokit.method.candidates import Candidate, CandidateSearch, within_reach
from naokit.method.descriptors import Shortlist, shortlisted
from naokit.method.exploration import EXPLORED, Exploration, Standstill
from naokit.method.posterior import Conditioned, Posterior, everything_of, fantasies, features_of
from naokit.method.prior import Prior
from naokit.method.results import best_first, comparable, split, telling
from naokit.method.surrogate import Kernel, expected_noise, one_blas_thread, rank_gauss
from naokit.method.worth import Tried, Worth, acquisition_of
from naokit.space import Architecture, Space

if TYPE_CHECKING:  # torch is needed only where a space is too large to be scored whole
    from naokit.method.latent import LatentSteps

INITIAL = 3
"""Random architectures at the start (2 to 5 are compared in docs/results.md)."""

REFIT = 1.15
"""The kernel is fitted anew when there are this many times the results of the last fit."""

LATENT_FIRST, RETRAIN = 10, 1.5
"""How many results there are at the first training of the encoder, predictor and decoder, and at
each later one how many times those of the last (docs/results.md has their cost and gain)."""

BELIEVED = 25
"""How many candidates are drawn from a prior where a space is too large to be scored whole."""

REFUSALS, ROUNDS = 20, 5
"""After how many candidates beyond a limit the others are scored anew, and how often this is
done."""


class Nao(Method):
    """The sample-efficient method, which has nothing to tune.

    Args:
        space: The space that is searched.
        seed: The seed of everything random.
        evaluations: The budget. Nothing depends on it.
        whole: Score the whole space where it is small enough. If False, always search for
            candidates.
    """

    def __init__(self, space: Space, seed: int, evaluations: int, *, whole: bool = True) -> None:
        del evaluations
        self.space = space
        self.seed = seed
        self.features = features_of(space)
        self.everything = everything_of(space) if whole else None
        all_there_is = None if self.everything is None else self.everything.architectures
        self.stream = RandomStream(space, seed, all_there_is)
        self.keys = Keys()
        self.search = CandidateSearch(space, seed)
        self.exploration = Exploration(space, seed, self.stream)
        self._latest: Posterior | None = None
        self._latest_tried: tuple[Kernel, Conditioned] | None = None
        self._latent: tuple[object, LatentSteps] | None = None
        if self.everything is None:
            import naokit.method.latent  # noqa: F401  # torch takes a second: not in a suggestion
        self.prior: Prior | None = None
        self.shortlist: Shortlist | None = None

    def believe(self, prior: Weights) -> None:
        """Has the first architectures drawn from the prior; what candidates are worth weighs it."""
        everything = None if self.everything is None else self.everything.architectures
        self.prior = Prior(self.space, prior, everything)
        self.stream.believe(self.prior)

    def describe_with(self, descriptors: Descriptors) -> None:
        """Has the most promising candidates described before one of them is chosen."""
        if amount := shortlisted(descriptors.share):
            self.shortlist = Shortlist(self.space, self.features, descriptors, amount)

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """The candidate whose evaluation is worth most."""
        with one_blas_thread():
            return self._propose(history, pending)

    def _propose(self, history: Sequence[Observation], pending: Sequence[Architecture]) -> Proposal:
        seen = self.keys(history, pending)
        self._prepare(sum(trial.known is not None for trial in history))
        made_of = telling(history)
        valued = [trial for trial in made_of if trial.known is not None]
        turn = len(history) + len(pending)
        if turn < INITIAL or len(valued) < 2:
            return Proposal(self.stream.next(seen), self.stream.origin)
        posterior = self._posterior(valued)
        tried = self._tried(made_of, posterior) if len(valued) < len(made_of) else None
        worth = self._worth(posterior, tried, valued, pending, turn)
        still = Standstill.of(history)
        standing = {"standstill": float(still.proposals), "exploring": still.share}
        facts = posterior.quality | standing
        best = best_first(valued)
        explored = self.exploration(history, best, still.share, turn, seen, worth)
        found = self._new(worth, made_of, valued, best, explored, seen, facts)
        candidate = next(found, None)
        if candidate is None:
            return Proposal(self.stream.next(seen), self.stream.origin, facts)
        if self.shortlist is not None and candidate.origin not in EXPLORED:
            described = self.shortlist(chain([candidate], found), posterior, valued, pending, seen)
            worth = self._worth(described.posterior, tried, valued, pending, turn)
            candidate = described.best(worth)
            facts |= described.facts
        return Proposal(candidate.architecture, candidate.origin, facts)

    def _new(
        self,
        worth: Worth,
        history: Sequence[Observation],
        valued: Sequence[Observation],
        best: Sequence[Architecture],
        explored: Iterator[Candidate],
        seen: Container[str],
        facts: dict[str, float],
    ) -> Iterator[Candidate]:
        """Candidates that are new and allowed, the best first; each key once."""
        given: set[str] = set()
        for _ in range(ROUNDS):
            refused: list[Architecture] = []
            for candidate in chain(explored, self._candidates(worth, valued, best, facts)):
                architecture = candidate.architecture
                if architecture.key in seen or architecture.key in given:
                    continue
                if self.space.allows(architecture.choices):
                    given.add(architecture.key)
                    yield candidate
                    continue
                refused.append(architecture)
                if len(refused) == REFUSALS:
                    break
            if given:
                return
            # What resembles an architecture beyond a limit is likely beyond too.
            tried = worth.tried or self._tried(history, worth.posterior)
            worth, explored = replace(worth, tried=tried.without(refused)), iter(())

    def _worth(
        self,
        posterior: Posterior,
        tried: Tried | None,
        valued: Sequence[Observation],
        pending: Sequence[Architecture],
        turn: int,
    ) -> Worth:
        """What evaluations are worth, given the results and what is pending."""
        targets = rank_gauss(comparable(valued))[None]
        if pending:
            generator = np.random.default_rng(derive_seed(self.seed, "pending", turn))
            posterior, targets = fantasies(posterior, targets, pending, generator)
        slack = np.array([trial.slack for trial in valued] + [np.inf] * len(pending))
        return Worth(acquisition_of(targets, slack, len(pending)), posterior, tried, self.prior)

    def _prepare(self, results: int) -> None:
        """Does a share of the training for latent steps, so that no suggestion takes seconds."""
        if self.everything is None and results >= INITIAL:
            from naokit.method.latent import prepare

            share = (results + 1 - INITIAL) / (LATENT_FIRST - INITIAL)
            prepare(self.space.without_limits, min(1.0, share))

    def _candidates(
        self,
        worth: Worth,
        valued: Sequence[Observation],
        best: Sequence[Architecture],
        facts: dict[str, float],
    ) -> Iterator[Candidate]:
        """Candidates, the best first; counts of the latent steps go into `facts`."""
        if self.everything is not None:
            for place in np.argsort(-worth.of_everything(self.everything), kind="stable"):
                yield Candidate(self.everything.architectures[place], "whole space")
            return
        decoded: list[Candidate] = []
        if len(valued) >= LATENT_FIRST:
            steps = self._latent_steps(valued)(best)
            decoded = within_reach(steps, best)
            new = {c.architecture.choices for c in decoded} - {a.choices for a in best}
            facts |= {"decoded": float(len(steps)), "decoded_new": float(len(new))}
        yield from self.search(worth, best, [*decoded, *self._believed(valued)])

    def _believed(self, valued: Sequence[Observation]) -> list[Candidate]:
        """Candidates that are drawn from the prior."""
        if self.prior is None:
            return []
        generator = np.random.default_rng(derive_seed(self.seed, "prior", len(valued)))
        return [Candidate(self.prior.sample(generator), "prior") for _ in range(BELIEVED)]

    def _latent_steps(self, valued: Sequence[Observation]) -> LatentSteps:
        """The encoder, predictor and decoder as they were trained last."""
        from naokit.method.latent import LatentSteps

        trained = last_fit(len(valued), LATENT_FIRST, RETRAIN)
        known, values = split(valued[:trained])
        targets = rank_gauss(values)
        made_of = (known, targets.tolist())
        if self._latent is None or self._latent[0] != made_of:
            posterior = self._posterior(valued[:trained])

            def means(architectures: Sequence[Architecture]) -> np.ndarray:
                return posterior.predict(architectures, targets)[0]

            best = best_first(valued[:trained])
            self._latent = (made_of, LatentSteps(self.space.without_limits, self.seed, best, means))
        return self._latent[1]

    def _posterior(self, valued: Sequence[Observation]) -> Posterior:
        """The posterior given these results, extended from the latest one where that is equal."""
        known, values = split(valued)
        fitted = last_fit(len(known))
        targets = rank_gauss(values[:fitted])
        noise = expected_noise(values[:fitted], [trial.noise for trial in valued[:fitted]])
        posterior = self._latest
        if posterior is None or not posterior.continues(known, targets, noise):
            posterior = Posterior(self.features, self.everything, known[:fitted], targets, noise)
        posterior = posterior.condition_on(known[len(posterior.known) :])
        self._latest = posterior
        return posterior

    def _tried(self, history: Sequence[Observation], posterior: Posterior) -> Tried:
        """All that was tried, on the kernel of the posterior.

        As the posterior does, it begins with what there was when the kernel was fitted.
        """
        tried = [trial.architecture for trial in history]
        kernel = posterior.process.kernel
        latest = self._latest_tried
        if latest and latest[0] is kernel and latest[1].known == tried[: len(latest[1].known)]:
            process = latest[1]
        else:
            values = np.cumsum([trial.known is not None for trial in history])
            first = int(np.searchsorted(values, len(posterior.targets))) + 1
            process = Conditioned(self.features, self.everything, tried[:first], of_tried(kernel))
        process = process.condition_on(tried[len(process.known) :])
        self._latest_tried = (kernel, process)
        return Tried(process, np.array([trial.known is not None for trial in history], dtype=float))


def last_fit(results: int, first: int = 2, growth: float = REFIT) -> int:
    """How many results there were at the last fit, when so many are known now."""
    fitted = first
    while (later := math.ceil(growth * fitted)) <= results:
        fitted = later
    return fitted
