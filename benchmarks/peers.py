"""Methods of others that the optimiser's benchmark compares with; they are not in the product.

    bananas-like  an ensemble of networks on paths, Thompson sampling over mutants of the best
    weaknas-like  a random forest on one-hot tokens; from the best predictions for everything
    gp-one-hot    a Gaussian process on one-hot tokens, expected improvement (benchmarks/one_hot.py)

"-like": made anew from papers and official code, whose settings they have; each says where it
departs. The first two propose in rounds of ten: what is asked within a round is what was chosen on
the results before it, so that it follows from seed and history alone.

Shapes: n known results, N architectures, F features, M networks, B of a batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from benchmarks.ensemble import Ensemble
from benchmarks.one_hot import ROUND, GpOneHot, all_of, one_hot, one_hot_of_all
from naokit.base import derive_seed
from naokit.doors import Method, Observation, Proposal
from naokit.graphs import Graph
from naokit.method import MethodFactory
from naokit.method.baselines import RandomStream, keys_of
from naokit.method.surrogate import one_blas_thread
from naokit.space import Architecture, Space


class Rounds(Method, ABC):
    """Proposes ten random architectures, then in each round the first ten of `choose`.

    A round is chosen without the failed evaluations.
    """

    def __init__(self, space: Space, seed: int, evaluations: int) -> None:
        del evaluations
        self.space = space
        self.seed = seed
        self.everything = all_of(space)
        self.stream = RandomStream(space, seed, self.everything)
        self._chosen: tuple[list[tuple[Architecture, float | None]], list[Architecture]] = ([], [])

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """The first of the round that is neither known nor pending, or a random one."""
        seen = keys_of(history, pending)
        before = history[: (len(history) + len(pending)) // ROUND * ROUND]
        for architecture in self._round(before):
            if architecture.key not in seen and self.space.allows(architecture.choices):
                return Proposal(architecture, "round")
        return Proposal(self.stream.next(seen), "random")

    def _round(self, before: Sequence[Observation]) -> list[Architecture]:
        """The choice of a round, made on the results before it; that of the last round is kept."""
        results = [(trial.architecture, trial.known) for trial in before]
        valued = [trial for trial in before if trial.known is not None]
        if len(valued) < 2:
            return []
        if self._chosen[0] != results:
            generator = np.random.default_rng(derive_seed(self.seed, "round", len(before)))
            known = [trial.architecture for trial in valued]
            values = np.array([trial.known for trial in valued])
            with one_blas_thread():
                self._chosen = (results, self.choose(known, values, keys_of(before), generator))
        return self._chosen[1]

    @abstractmethod
    def choose(
        self,
        known: Sequence[Architecture],
        values: np.ndarray,
        seen: set[str],
        generator: np.random.Generator,
    ) -> list[Architecture]:
        """New architectures in the order in which to evaluate them.

        Args:
            known: The architectures that have a value.
            values: The values of the known architectures (n,).
            seen: The keys of known architectures, and of those whose evaluation failed.
            generator: The source of all random choices.
        """


class BananasLike(Rounds):
    """BANANAS (White et al. 2021, arXiv 1910.11858), with the settings of naszilla's code.

    Five networks (see `Ensemble`) on the path encoding, independent Thompson sampling over at least
    100 mutants of the best architecture, further ones of the second best where these are too few,
    and so on down to the fifth. Each choice of a mutant is another with probability 1 / (L - 2).

    Departures: values are standardised, where the code has errors in per cent; a position may be
    drawn twice for a mutant.
    """

    candidates, parents = 100, 5

    def choose(
        self,
        known: Sequence[Architecture],
        values: np.ndarray,
        seen: set[str],
        generator: np.random.Generator,
    ) -> list[Architecture]:
        """All candidates, ordered by one draw from the predictions of the networks for each."""
        order = np.argsort(-values, kind="stable")
        candidates = self._mutants(
            [known[place] for place in order[: self.parents]], seen, generator
        )
        if not candidates:
            return []
        encode = paths_of(self.space)
        targets = (values - values.mean()) / max(float(values.std()), 1e-12)
        ensemble = Ensemble(encode.columns, generator)
        ensemble.fit(encode(known), targets, generator)
        predicted = ensemble(encode(candidates))  # (M, N)
        drawn = generator.normal(predicted.mean(axis=0), predicted.std(axis=0))
        return [candidates[place] for place in np.argsort(-drawn, kind="stable")]

    def _mutants(
        self, parents: Sequence[Architecture], seen: set[str], generator: np.random.Generator
    ) -> list[Architecture]:
        """Distinct new mutants of the best architectures."""
        length = self.space.grammar.length
        rate = 1 / max(length - 2, 1)
        found: dict[str, Architecture] = {}
        for parent in parents:
            if len(found) >= self.candidates:
                break
            for _ in range(self.candidates):
                mutant = parent
                for _ in range(generator.binomial(length, rate)):
                    mutant = self.space.mutate(mutant, generator)
                if mutant.key not in seen and self.space.allows(mutant.choices):
                    found.setdefault(mutant.key, mutant)
        return list(found.values())


class WeakNasLike(Rounds):
    """WeakNAS (Wu et al. 2021, arXiv 2102.10490), with a random forest for its predictor.

    All architectures are predicted by 100 trees on one-hot tokens, at most 10 deep as in the
    official code. The next ones are drawn uniformly from the new ones among the 100 best; if fewer
    than ten of these are new, the best of the others follow. In a space too large for that, 10,000
    random architectures, others in each round, take the place of all.

    Departures: the code's default is a network of four layers of 1,000, or 1,000 trees. Whether the
    100 best hold what is known, as in the code, or new ones alone made no difference that 20 runs
    could show, nor did trees of any depth.
    """

    best, trees, depth, sample = 100, 100, 10, 10_000

    def choose(
        self,
        known: Sequence[Architecture],
        values: np.ndarray,
        seen: set[str],
        generator: np.random.Generator,
    ) -> list[Architecture]:
        """The new ones among the best in random order, then all others."""
        everything: Sequence[Architecture] = self.everything or ()
        if not everything:
            everything = [self.space.sample(generator) for _ in range(self.sample)]
        forest = RandomForestRegressor(
            self.trees, max_depth=self.depth, random_state=int(generator.integers(2**31))
        )
        forest.fit(one_hot(known), values)
        tokens = one_hot_of_all(self.space) if self.everything else one_hot(everything)
        order = np.argsort(-forest.predict(tokens), kind="stable")
        best = generator.permutation(order[: self.best])
        rest = order[self.best : self.best + len(seen) + ROUND]
        new = [everything[place] for place in (*best, *rest)]
        return [architecture for architecture in new if architecture.key not in seen]


class Paths:
    """The path encoding: which sequences of operations lead from an input to the output.

    One column for each of the 100 paths that most random architectures have: all 70 of
    TransNAS-Bench-101; the official code keeps 30 on NAS-Bench-201, no better in 20 runs here.

    Where these are not nine in ten of the paths that architectures have, the one-hot tokens are
    taken instead: the only path of a chain is hardly another's. So it is on NAS-Bench-Graph (63 %;
    its best network on arxiv is a chain): from 100 random results the networks predicted the rank
    of others at .25 by paths, .28 by all paths, .73 by tokens.
    """

    sample, most = 2000, 100

    def __init__(self, space: Space) -> None:
        generator = np.random.default_rng(derive_seed("paths"))
        drawn = [space.without_limits.sample(generator) for _ in range(self.sample)]
        found = [paths(architecture) for architecture in drawn]
        counted = Counter(path for one in found for path in one)
        likely = sorted(counted, key=lambda path: (-counted[path], path))[: self.most]
        self.column = {path: place for place, path in enumerate(likely)}
        encoded = sum(counted[path] for path in likely)
        self.tokens = encoded < 0.9 * sum(counted.values())
        self.columns = one_hot(drawn).shape[1] if self.tokens else len(self.column)

    def __call__(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """The features, one row for each architecture (N, F)."""
        if self.tokens:
            return one_hot(architectures)
        rows = np.zeros((len(architectures), self.columns), dtype=np.float32)
        for row, architecture in zip(rows, architectures, strict=True):
            row[[self.column[p] for p in paths(architecture) if p in self.column]] = 1
        return rows


@lru_cache(maxsize=2)
def paths_of(space: Space) -> Paths:
    """The path encoding of a space, which depends on nothing else."""
    return Paths(space)


def paths(architecture: Architecture) -> set[tuple[str, ...]]:
    """The labels along every path, after the graph's number and input."""
    return {
        (f"{part} {path[0]}", *path[1:])
        for part, graph in enumerate(architecture.graphs)
        for path in _paths(graph)
    }


def _paths(graph: Graph) -> set[tuple[str, ...]]:
    """The paths from the inputs to the outputs, without the label of the output."""
    reached: list[set[tuple[str, ...]]] = [set() for _ in graph.labels]
    for vertex in graph.inputs:
        reached[vertex] = {(graph.labels[vertex],)}
    for source, target, _ in graph.edges:  # sorted, so that all edges into a source came before
        label = () if target in graph.outputs else (graph.labels[target],)
        reached[target] |= {(*path, *label) for path in reached[source]}
    return set().union(*(reached[vertex] for vertex in graph.outputs))


PEERS: Mapping[str, MethodFactory] = {
    "bananas-like": BananasLike,
    "weaknas-like": WeakNasLike,
    "gp-one-hot": GpOneHot,
}
