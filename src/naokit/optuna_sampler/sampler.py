"""The sampler that Optuna calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.samplers._base import _process_constraints_after_trial  # as Optuna's own samplers do
from optuna.trial import FrozenTrial, TrialState

from naokit.base import derive_seed
from naokit.method.surrogate import one_blas_thread
from naokit.optuna_sampler.history import RELATIVE, VALUED, History
from naokit.optuna_sampler.parameters import ParameterSpace, union
from naokit.optuna_sampler.proposal import best_new
from naokit.optuna_sampler.results import targets

INITIAL = 5
"""The number of random trials at the start."""

ATTEMPTS = 100
"""At the start, at most this many random assignments are drawn to find a new one."""

# Beneath Optuna's own logger, so that `optuna.logging.set_verbosity` governs it.
_logger = optuna.logging.get_logger("optuna.naokit")


class NAOSampler(BaseSampler):
    """Proposes the parameters of any Optuna study, by the model of naokit's method `nao`.

    One line changes::

        study = optuna.create_study(sampler=naokit.NAOSampler(seed=0))

    A Gaussian process on the ranks of the results predicts how good each assignment is, and the one
    whose evaluation is worth most is proposed. Conditional parameters are part of the model: which
    of them an objective asks for is learnt from the trials. In a finite space no assignment is
    proposed twice while there are new ones.

    A suggestion depends only on the seed, the trial's number and the study's trials, so a study
    that is resumed from a storage continues as if it had not been stopped.

    **Pruned trials** count as worse than all complete ones, and those that came further as better,
    as in TPESampler. **Failed trials** have no result; near them, success is assumed to be less
    likely. **Constraints** (`constraints_func`, or `set_constraint` of Optuna's trials) are learnt
    from how far each trial was within or beyond them. **Running trials** of parallel workers are
    assumed to turn out as the model expects. **Several objectives** are combined with new weights
    for each suggestion.

    **A parameter that changed** is searched with the distribution of the last trial that had it.
    Earlier values may lie outside of its range, and choices that no longer exist count as unknown.

    **Random values** are taken until `n_startup_trials` trials have results, for a parameter that
    no finished trial asked for, and where the range of a parameter is no longer that of the last
    trial and the proposed value lies outside. After the start each such case is logged, unless
    `warn_independent_sampling` is False.

    Args:
        seed: The seed of everything random. If None, a new one is drawn.
        n_startup_trials: The number of complete or pruned trials before the model is used, at
            least 1.
        constraints_func: The function that gives the constraints of a finished trial; a value above
            0 violates one.
        warn_independent_sampling: Whether random values after the start are logged.
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
        """Draws a new seed. Optuna calls this in each of several parallel workers."""
        self._seed = int(np.random.default_rng().integers(2**63))

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """All parameters that any finished trial asked for, conditional ones included."""
        del trial
        return union(t for t in study.get_trials(deepcopy=False) if t.state.is_finished())

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Values for all parameters. Optuna ignores those that the objective does not ask for."""
        if not search_space:
            return {}
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        history = History(ParameterSpace(search_space), others)
        if len(history.valued) < self._n_startup_trials:
            return self._random(study, trial, search_space, history)
        generator = np.random.default_rng(derive_seed(self._seed, "parameters", trial.number))
        with one_blas_thread():
            values = targets(history.valued, study.directions, generator)
            row, asked = best_new(history, values, trial.number, generator)
        # Optuna hands samplers a frozen trial: only the storage, which is private, can write to it.
        planned = {history.space.names[place]: row[place] for place in np.flatnonzero(asked)}
        study._storage.set_trial_system_attr(trial._trial_id, RELATIVE, json.dumps(planned))
        return history.space.decode(row)

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
        trials = study.get_trials(deepcopy=False, states=VALUED)
        return len(trials) >= self._n_startup_trials

    def _random(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: Mapping[str, BaseDistribution],
        history: History,
    ) -> dict[str, Any]:
        """A random assignment, a new one if a few attempts find one."""
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
        """A random value that depends only on the seed, the trial and the parameter."""
        seed = derive_seed(self._seed, "random", trial.number, name, attempt) % 2**32
        return RandomSampler(seed).sample_independent(study, trial, name, distribution)
