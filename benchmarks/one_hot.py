"""A method that the optimiser's benchmark compares with: a Gaussian process on one-hot tokens.

It is what `nao` is without its features, and stays so whatever else becomes of `nao`.

Shapes: N architectures, F features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from naokit.doors import Method, Observation, Proposal
from naokit.method.acquisition import Acquisition, of_tried
from naokit.method.baselines import RandomStream, keys_of
from naokit.method.candidates import CandidateSearch
from naokit.method.features import Features
from naokit.method.nao import last_fit
from naokit.method.posterior import Conditioned, Everything, Posterior
from naokit.method.surrogate import one_blas_thread, rank_gauss
from naokit.method.worth import Tried, Worth
from naokit.space import Architecture, Space

ROUND = 10
"""The number of random architectures at first, and that of each round afterwards."""

SCORED = 100_000
"""The methods that score everything do so in spaces of at most this many architectures: in the
tables of hyperparameters, but not in NAS-Bench-101."""


class OneHot(Features):
    """The tokens as the only block of features, instead of features of the graphs."""

    def _blocks(self, architectures: Sequence[Architecture]) -> dict[str, np.ndarray]:
        return {"one-hot": one_hot(architectures)}


class GpOneHot(Method):
    """A Gaussian process on one-hot tokens: ranks for its targets, and expected improvement.

    The process, its targets and the search for candidates in a space that is too large to be scored
    are naokit's own. Ten random architectures come first, as in other peers. Pending evaluations
    are only not proposed again.
    """

    def __init__(self, space: Space, seed: int, evaluations: int) -> None:
        del evaluations
        self.space = space
        self.features, self.everything = one_hot_features(space)
        self.stream = RandomStream(space, seed, all_of(space))
        self.search = CandidateSearch(space, seed)
        self._latest: Posterior | None = None

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """Proposes ten random architectures, then those of the largest expected improvement."""
        seen = keys_of(history, pending)
        valued = [trial for trial in history if trial.known is not None]
        if len(history) + len(pending) >= ROUND and len(valued) >= 2:
            with one_blas_thread():
                for architecture in self._best_first(history, valued):
                    if architecture.key not in seen and self.space.allows(architecture.choices):
                        return Proposal(architecture, "expected improvement")
        return Proposal(self.stream.next(seen), "random")

    def _best_first(
        self, history: Sequence[Observation], valued: Sequence[Observation]
    ) -> Iterator[Architecture]:
        """All architectures, or candidates of a larger space, the most promising first."""
        known = [trial.architecture for trial in valued]
        values = np.array([trial.known for trial in valued])
        posterior = self._posterior(known, values)
        targets = rank_gauss(values)[None]
        tried = self._tried(history, posterior) if len(valued) < len(history) else None
        worth = Worth(Acquisition(targets, targets.max(), []), posterior, tried, None)
        if self.everything is not None:
            for place in np.argsort(-worth.of_everything(self.everything), kind="stable"):
                yield self.everything.architectures[place]
            return
        best = [known[place] for place in np.argsort(-values, kind="stable")]
        for candidate in self.search(worth, best):
            yield candidate.architecture

    def _tried(self, history: Sequence[Observation], posterior: Posterior) -> Tried:
        """All that was tried, some of which failed."""
        tried = [trial.architecture for trial in history]
        kernel = of_tried(posterior.process.kernel)
        process = Conditioned(self.features, self.everything, tried, kernel)
        return Tried(process, np.array([float(trial.known is not None) for trial in history]))

    def _posterior(self, known: list[Architecture], values: np.ndarray) -> Posterior:
        """The process given these results; its kernel is fitted as often as that of `nao`."""
        fitted = last_fit(len(known))
        targets = rank_gauss(values[:fitted])
        posterior = self._latest
        if posterior is None or not posterior.continues(known, targets, posterior.noise):
            posterior = Posterior(self.features, self.everything, known[:fitted], targets)
        posterior = posterior.condition_on(known[len(posterior.known) :])
        self._latest = posterior
        return posterior


@lru_cache(maxsize=2)
def all_of(space: Space) -> list[Architecture] | None:
    """All architectures, if they are few enough to be scored."""
    return space.everything(SCORED)


def one_hot(architectures: Sequence[Architecture]) -> np.ndarray:
    """The one-hot tokens, one column for each choice of each position (N, F).

    In a pool of graphs, whose only choice is which graph, how often each operation is there stands
    for them: which graph it is says nothing of another one.
    """
    space = architectures[0].space
    if len(space.grammar.counts) == 1:
        return operation_counts(architectures, operations_of(space))
    counts = np.array(space.grammar.counts)
    chosen = np.array([architecture.choices for architecture in architectures])
    columns = chosen + np.concatenate([[0], np.cumsum(counts)[:-1]])
    rows = np.zeros((len(chosen), counts.sum()), dtype=np.float32)
    np.put_along_axis(rows, columns, 1, axis=1)
    return rows


def operation_counts(
    architectures: Sequence[Architecture], column: dict[tuple[int, str], int]
) -> np.ndarray:
    """How many vertices have each label of each graph (N, F)."""
    rows = np.zeros((len(architectures), len(column)), dtype=np.float32)
    for row, architecture in zip(rows, architectures, strict=True):
        for part, graph in enumerate(architecture.graphs):
            for label in graph.labels:
                row[column[part, label]] += 1
    return rows


@lru_cache(maxsize=2)
def operations_of(space: Space) -> dict[tuple[int, str], int]:
    """A column for each label that a graph of the pool has."""
    found = {
        (part, label)
        for architecture in space.everything(space.size) or ()
        for part, graph in enumerate(architecture.graphs)
        for label in graph.labels
    }
    return {one: place for place, one in enumerate(sorted(found))}


@lru_cache(maxsize=2)
def one_hot_of_all(space: Space) -> np.ndarray:
    """The one-hot tokens of all architectures, kept because they take 0.1 s."""
    everything = all_of(space)
    assert everything is not None
    return one_hot(everything)


@lru_cache(maxsize=2)
def one_hot_features(space: Space) -> tuple[OneHot, Everything | None]:
    """The features of `gp-one-hot`, and those of all architectures."""
    features, everything = OneHot(space), all_of(space)
    return features, None if everything is None else Everything(everything, features)
