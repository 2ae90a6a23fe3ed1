"""Architectures as Optuna trials: an Optuna sampler, and Optuna's own by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import (
    BaseSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from naokit.base import Direction, Method, Observation, Proposal, Space
from naokit.study.goals import Goals, Objective
from naokit.study.ledger import ARCHITECTURE, Ledger, Reading, read_architecture, record_of

__all__ = ["SAMPLERS", "ArchitectureSampler", "optuna_sampler", "read_architecture"]

SAMPLERS: Mapping[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed),
    "gp": lambda seed: GPSampler(seed=seed),
    "nsga2": lambda seed: NSGAIISampler(seed=seed),
}
"""Optuna's own samplers by name, at their defaults."""


def optuna_sampler(name: str, seed: int) -> BaseSampler:
    """One of `SAMPLERS`; Optuna seeds have 32 bits."""
    return SAMPLERS[name](seed % 2**32)


class ArchitectureSampler(BaseSampler):
    """Lets a method propose the architecture of each trial of any Optuna study.

    `naokit.study.sampler.read_architecture(trial, space)` gives it to the objective::

        study = optuna.create_study(sampler=ArchitectureSampler(space, method))
        study.optimize(lambda trial: score(read_architecture(trial, space)), n_trials=100)

    Parameters that the objective suggests besides are drawn at random.
    """

    def __init__(
        self,
        space: Space,
        method: Method,
        seed: int | None = None,
        goals: Goals | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.space = space
        self.method = method
        self.seed = seed or 0
        self.goals = goals
        self._others = RandomSampler(seed)
        self._ledger = ledger
        self._seen: dict[int, Observation] = {}

    def prepare(self, study: optuna.Study) -> Proposal:
        """The proposal of the next trial, made before the trial is; raises SpaceExhausted."""
        reading = self._read(study)
        return self.method.propose(self._shown(study, reading), list(reading.pending.values()))

    def history(self, study: optuna.Study) -> list[Observation]:
        """The finished evaluations in order, one value each, higher is better."""
        return self._shown(study, self._read(study))

    def _read(self, study: optuna.Study) -> Reading:
        """What the study holds now; a sampler that is given another study begins anew."""
        if self._ledger is None or self._ledger.study._study_id != study._study_id:
            self._ledger = Ledger(study, self.space)
            self._seen = {}
        return self._ledger.read()

    def _shown(self, study: optuna.Study, reading: Reading) -> list[Observation]:
        """The history as methods shall see it: each trial once where one does not alter another."""
        way: Direction = "minimize"
        if study.directions[0] == StudyDirection.MAXIMIZE:
            way = "maximize"
        goals = self.goals or Goals((Objective("value", way),))
        history = reading.history
        if len(goals.objectives) > 1:
            return goals.observations(history, self.seed)
        new = [trial for trial in history if trial.number not in self._seen]
        seen = goals.observations(new, self.seed)
        self._seen |= {trial.number: one for trial, one in zip(new, seen, strict=True)}
        return [self._seen[trial.number] for trial in history]

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Writes the proposal into the trial."""
        proposal = self.prepare(study)
        record = record_of(proposal.architecture, proposal.origin, proposal.model)
        study._storage.set_trial_user_attr(trial._trial_id, ARCHITECTURE, record)
        trial.set_user_attr(ARCHITECTURE, record)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """None: the architecture is an attribute, not a set of parameters."""
        del study, trial
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """None."""
        del study, trial, search_space
        return {}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A random value."""
        return self._others.sample_independent(study, trial, param_name, param_distribution)

    def reseed_rng(self) -> None:
        """Only what is drawn for other parameters: proposals follow the method's seed."""
        self._others.reseed_rng()
