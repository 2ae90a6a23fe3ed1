"""The sampler: what Optuna calls, and the model behind it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.samplers._base import _process_constraints_after_trial
from optuna.trial import FrozenTrial, TrialState
from threadpoolctl import ThreadpoolController

from naokit.base import derive_seed
from naokit.method.acquisition import feasibility, promise
from naokit.method.features import distances
from naokit.method.surrogate import GaussianProcess, fit_parameters
from naokit.nao_sampler.candidates import CandidateSearch
from naokit.nao_sampler.features import Features
from naokit.nao_sampler.parameters import SAME, ParameterSpace, union
from naokit.nao_sampler.presence import Presence
from naokit.nao_sampler.results import RELATIVE, suggested, targets, violation

INITIAL = 5
"""Random trials at the start (method.md, section 3)."""

WHOLE = 10_000
"""A space of so many assignments at most is scored whole, anew for each suggestion."""

FITTED = 200
"""The kernel's parameters are fitted to so many trials at most: the cost grows with the cube."""

NOISE_PRIOR = (math.log(0.0003), 1.0)
"""Of log s: parameters say all about a trial, as a graph's features do not about a network, where it
is .03 (which ends at .28 on the benchmark's floats and .36 on its integers, not .18 and .25)."""

ATTEMPTS = 100
"""How many random assignments are tried at the start for one that is new."""

# Beneath Optuna's own logger, so that `optuna.logging.set_verbosity` governs it.
_logger = optuna.logging.get_logger("optuna.naokit")


class NAOSampler(BaseSampler):
    """Proposes the parameters of any Optuna study, by the model of naokit's method `nao`.

    One line changes::

        study = optuna.create_study(sampler=naokit.NAOSampler(seed=0))

    A Gaussian process on the ranks of the results says how good each assignment is likely to be, and
    the one whose evaluation promises most is proposed. Conditional parameters belong to the model:
    which of them an objective asks for is learnt from the trials. In a finite space no assignment is
    proposed twice while there are new ones.

    A suggestion depends on the seed, the trial's number and the study's trials alone, so a study
    resumed from a storage goes on as if it had not been stopped.

    **Pruned trials** count as results behind all complete ones, those that came further before the
    others, as TPESampler has it. **Failed trials** have no result: where they lie, success is taken
    to be less likely. **Trials with violated constraints** (`constraints_func`, or Optuna's
    `trial.set_constraint`) are both, results behind all others and failures. **Running trials** of
    parallel workers are taken to turn out as expected. **Several objectives** are weighed anew for
    each suggestion.

    **Where it falls back** on random values: until `n_startup_trials` trials have results; for a
    parameter that no finished trial asked for; for one whose range or choices are no longer those of
    the last trial that had it, where the proposed value lies outside. After the start the fall-backs
    are logged, unless `warn_independent_sampling` is False.

    Args:
        seed: of everything random; None: another one each time.
        n_startup_trials: how many complete or pruned trials the model waits for, at least 1.
        constraints_func: the constraints of a finished trial; above 0 is violated.
        warn_independent_sampling: whether fall-backs are logged.
    """

    def __init__(
        self,
        seed: int | None = None,
        *,
        n_startup_trials: int = INITIAL,
        constraints_func: Callable[[FrozenTrial], Sequence[float]] | None = None,
        warn_independent_sampling: bool = True,
    ) -> None:
        self._seed = seed
        self._n_startup_trials = max(1, n_startup_trials)
        self._constraints_func = constraints_func
        self._warn_independent_sampling = warn_independent_sampling
        if seed is None:
            self.reseed_rng()

    def reseed_rng(self) -> None:
        """Another seed: Optuna calls this in each of several parallel workers."""
        self._seed = int(np.random.default_rng().integers(2**63))

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Every parameter that any finished trial asked for, conditional ones included."""
        del trial
        return union(t for t in study.get_trials(deepcopy=False) if t.state.is_finished())

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Values for all of them; Optuna ignores those that the objective does not ask for."""
        if not search_space:
            return {}
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        history = _History(ParameterSpace(search_space), others)
        if len(history.valued) < self._n_startup_trials:
            return self._random(study, trial, search_space, history)
        generator = np.random.default_rng(derive_seed(self._seed, "parameters", trial.number))
        # Matrices are small here: two BLAS threads beside another process took 13 times as long.
        with _blas().limit(limits=1, user_api="blas"):
            values = targets(history.valued, study.directions, generator)
            row = _best_new(history, values, trial.number, generator)
        found = history.space.decode(row)
        study._storage.set_trial_system_attr(trial._trial_id, RELATIVE, json.dumps(found))
        return found

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A random value."""
        if self._warn_independent_sampling and self._is_past_start(study):
            _logger.warning(
                f"The parameter {param_name!r} of trial {trial.number} is drawn at random: no "
                "finished trial had it, or its range has changed. Silence this with "
                "NAOSampler(warn_independent_sampling=False)."
            )
        return self._draw(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Stores the constraints."""
        del values
        if self._constraints_func is not None:
            _process_constraints_after_trial(self._constraints_func, study, trial, state)

    def _is_past_start(self, study: optuna.Study) -> bool:
        trials = study.get_trials(deepcopy=False, states=_VALUED)
        return len(trials) >= self._n_startup_trials

    def _random(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: Mapping[str, BaseDistribution],
        history: _History,
    ) -> dict[str, Any]:
        """A random assignment, a new one if there is one among a few."""
        for attempt in range(ATTEMPTS):
            found = {
                name: self._draw(study, trial, name, distribution, attempt)
                for name, distribution in search_space.items()
            }
            if history.is_new(history.space.encode([found])[0]):
                break
        return found

    def _draw(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        name: str,
        distribution: BaseDistribution,
        attempt: int = 0,
    ) -> Any:
        """A random value that depends on the seed, the trial and the parameter alone."""
        seed = derive_seed(self._seed, "random", trial.number, name, attempt) % 2**32
        return RandomSampler(seed).sample_independent(study, trial, name, distribution)


_VALUED = (TrialState.COMPLETE, TrialState.PRUNED)


class _History:
    """The other trials of a study as rows of a space.

    Attributes:
        valued: the trials with results.
        known: their rows, (n, P), NaN for what was not asked for.
        failed: rows of trials without, infeasible ones included.
        running: rows of those being evaluated.
    """

    def __init__(self, space: ParameterSpace, trials: Sequence[FrozenTrial]) -> None:
        self.space = space
        self.valued = [t for t in trials if t.state in _VALUED]
        self.known = self._rows(self.valued)
        self.feasible = np.array([violation(t) == 0 for t in self.valued], dtype=bool)
        without = self._rows([t for t in trials if t.state == TrialState.FAIL])
        self.failed = np.concatenate([without, self.known[~self.feasible]])
        self.running = self._rows([t for t in trials if t.state == TrialState.RUNNING])
        self._tried = np.concatenate([self.known, self.failed, self.running])

    def is_new(self, row: np.ndarray) -> bool:
        """Whether no trial had these values in all that it asked for.

        A trial that did would be the same again, whatever stands in the rest of the row.
        """
        same = np.isnan(self._tried) | (np.abs(self._tried - row) < SAME)
        return not bool(same.all(axis=1).any())

    def complete(self) -> np.ndarray:
        """Rows of complete trials: only these asked for everything that they ask for."""
        return self.known[[t.state == TrialState.COMPLETE for t in self.valued]]

    def _rows(self, trials: Sequence[FrozenTrial]) -> np.ndarray:
        """Rows of the trials that asked for anything."""
        rows = self.space.encode([suggested(trial) for trial in trials])
        return rows if trials is self.valued else rows[~np.isnan(rows).all(axis=1)]


def _best_new(
    history: _History, values: np.ndarray, turn: int, generator: np.random.Generator
) -> np.ndarray:
    """The new row whose evaluation promises most; the most promising one if none is new."""
    presence = Presence(history.space, history.complete())
    score = _Score(history, Features(history.space, presence, generator), values, turn)
    first = None
    for row in _candidates(history, presence, score, values, generator):
        if history.is_new(row):
            return row
        first = row if first is None else first
    assert first is not None
    return first


def _candidates(
    history: _History,
    presence: Presence,
    score: _Score,
    values: np.ndarray,
    generator: np.random.Generator,
) -> Iterator[np.ndarray]:
    """Rows, the most promising first."""
    everything = history.space.everything(WHOLE)
    if everything is not None:
        order = np.argsort(-score(presence(everything)), kind="stable")
        yield from everything[order]
        return
    known = history.known[np.argsort(-values, kind="stable")]
    best = history.space.completed(known, generator)
    yield from CandidateSearch(history.space, presence, generator)(score, best)


class _Score:
    """What an evaluation of each row promises.

    Args:
        history: the trials.
        features: of rows.
        values: targets of the trials with results, (n,).
        turn: of the acquisition.
    """

    def __init__(
        self, history: _History, features: Features, values: np.ndarray, turn: int
    ) -> None:
        self.features = features
        self.turn = turn
        known = features(history.known)
        some = np.unique(np.linspace(0, len(values) - 1, FITTED).astype(int))
        parts = [block[some] for block in known]
        parameters = fit_parameters(distances(parts, parts), values[some], NOISE_PRIOR)
        self.blocks, self.values = known, values
        self.process = GaussianProcess(parameters, distances(known, known), _nothing(known))
        if len(history.running):
            # Kriging believer: what is running turns out as expected, which leaves the means alone.
            running = features(history.running)
            expected, _ = self._foretell(running)
            self.values = np.append(values, expected)
            self.blocks = [np.concatenate(pair) for pair in zip(known, running, strict=True)]
            between = distances(self.blocks, self.blocks)
            self.process = GaussianProcess(parameters, between, _nothing(self.blocks))
        self.feasible = [block[history.feasible] for block in known]
        self.failed = features(history.failed) if len(history.failed) else None

    def __call__(self, settled: np.ndarray) -> np.ndarray:
        """The promise of settled rows, (N,)."""
        blocks = self.features(settled)
        mean, deviation = self._foretell(blocks)
        likely = None
        if self.failed is not None:
            likely = feasibility(
                distances(self.feasible, blocks), distances(self.failed, blocks)
            )
        return promise(self.turn, mean, deviation, self.values, likely)

    def _foretell(self, blocks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return self.process.posterior_at(self.values, distances(self.blocks, blocks), smooth=True)


def _nothing(blocks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Distances to no candidates."""
    return [np.zeros((len(block), 0)) for block in blocks]


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController()
