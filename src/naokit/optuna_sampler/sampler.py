"""The sampler: what Optuna calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.samplers._base import _process_constraints_after_trial
from optuna.trial import FrozenTrial, TrialState

from naokit.base import derive_seed
from naokit.method.surrogate import one_blas_thread
from naokit.optuna_sampler.history import RELATIVE, VALUED, History
from naokit.optuna_sampler.parameters import ParameterSpace, union
from naokit.optuna_sampler.proposal import best_new
from naokit.optuna_sampler.results import targets

INITIAL = 5
"""Random trials at the start (method.md, section 3)."""

ATTEMPTS = 100
"""How many random assignments are tried at the start for one that is new."""

# Beneath Optuna's own logger, so that `optuna.logging.set_verbosity` governs it.
_logger = optuna.logging.get_logger("optuna.naokit")


class NAOSampler(BaseSampler):
    """Proposes the parameters of any Optuna study, by the model of naokit's method `nao`.

    One line changes::

        study = optuna.create_study(sampler=naokit.NAOSampler(seed=0))

    A Gaussian process on the ranks of the results says how good each assignment is likely to be,
    and the one whose evaluation promises most is proposed. Conditional parameters belong to the
    model: which of them an objective asks for is learnt from the trials. In a finite space no
    assignment is proposed twice while there are new ones.

    A suggestion depends on the seed, the trial's number and the study's trials alone, so a study
    resumed from a storage goes on as if it had not been stopped.

    **Pruned trials** count as results behind all complete ones, those that came further before the
    others, as in TPESampler. **Failed trials** have no result: near them, success is taken to be
    less likely. **Constraints** (`constraints_func`, or `set_constraint` of Optuna's trials) are
    learnt from how far each trial was within them or beyond. **Running trials** of parallel workers
    are taken to turn out as expected. **Several objectives** are weighed anew for each suggestion.

    **A parameter that changed** is searched as the last trial had it: values of another range lie
    outside of it, choices that are gone count as not known.

    **Where it falls back** on random values: until `n_startup_trials` trials have results; for a
    parameter that no finished trial asked for; for one whose range is no longer that of the last
    trial that had it, where the proposed value lies outside. After the start the fall-backs are
    logged, unless `warn_independent_sampling` is False.

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
        history = History(ParameterSpace(search_space), others)
        if len(history.valued) < self._n_startup_trials:
            return self._random(study, trial, search_space, history)
        generator = np.random.default_rng(derive_seed(self._seed, "parameters", trial.number))
        with one_blas_thread():
            values = targets(history.valued, study.directions, generator)
            row, asked = best_new(history, values, trial.number, generator)
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
