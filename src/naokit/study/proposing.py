"""Who proposes in a study: a method by its name, a user's own, or one of Optuna's samplers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, TPESampler

from naokit import method as methods
from naokit.base import InputError, Method, Observation, Proposal, derive_seed
from naokit.method import MethodFactory
from naokit.study.goals import Goals
from naokit.study.ledger import Reading
from naokit.study.optuna_method import OptunaMethod

AnyMethod = str | Method | MethodFactory | BaseSampler

SAMPLERS: Mapping[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed),
    "gp": lambda seed: GPSampler(seed=seed),
    "nsga2": lambda seed: NSGAIISampler(seed=seed),
}
"""Optuna's own samplers by name, at their defaults."""


def check_method(name: str) -> None:
    """Raises InputError unless a method of ours, or a sampler of Optuna's, has this name."""
    factory_of(name)


def factory_of(method: AnyMethod) -> MethodFactory:
    """What makes the method for a space, a seed and a budget; raises InputError."""
    if isinstance(method, str) and method in SAMPLERS:
        return _sampler_named(method)
    if isinstance(method, str):
        return methods.factory(method, others=SAMPLERS)
    if isinstance(method, BaseSampler):
        return lambda space, seed, evaluations: OptunaMethod(space, seed, lambda _: method)
    if isinstance(method, Method):
        return lambda space, seed, evaluations: method
    if callable(method):
        return method
    raise InputError(
        f"`method` is {method!r}; expected a name, a naokit.Method, a function (space, seed, "
        "evaluations) that makes one, or a sampler of Optuna's"
    )


def _sampler_named(name: str) -> MethodFactory:
    """One of `SAMPLERS`, made anew for each proposal; Optuna's seeds have 32 bits."""
    return lambda space, seed, evaluations: OptunaMethod(
        space, seed, lambda count: SAMPLERS[name](derive_seed(seed, name, count) % 2**32)
    )


def name_of(method: AnyMethod) -> str:
    """What a study records of its method."""
    if isinstance(method, str):
        return method
    return str(getattr(method, "__name__", type(method).__name__))


class Proposing:
    """Shows a method what a study holds, each trial once where none alters another.

    Attributes:
        method: Who proposes.
    """

    def __init__(self, method: Method, goals: Goals, seed: int) -> None:
        self.method = method
        self._goals = goals
        self._seed = seed
        self._seen: dict[int, Observation] = {}

    def next(self, reading: Reading) -> Proposal:
        """What the method proposes after what was read; raises SpaceExhausted."""
        return self.method.propose(self._history(reading), list(reading.pending.values()))

    def _history(self, reading: Reading) -> list[Observation]:
        """The evaluations in order; with several objectives each new one may alter all scores."""
        trials = reading.history
        if len(self._goals.objectives) > 1:
            return self._goals.observations(trials, self._seed)
        new = [trial for trial in trials if trial.number not in self._seen]
        found = self._goals.observations(new, self._seed)
        self._seen |= {trial.number: one for trial, one in zip(new, found, strict=True)}
        return [self._seen[trial.number] for trial in trials]
