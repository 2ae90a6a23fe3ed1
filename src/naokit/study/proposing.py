"""Who proposes in a study: a method by its name, a user's own, or one of Optuna's samplers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, TPESampler

from naokit import method as methods
from naokit.base import InputError, Weights, derive_seed, unexpected
from naokit.doors import Evaluator, Method, Observation, Proposal, Trial
from naokit.method import MethodFactory
from naokit.method.prior import checked
from naokit.method.results import goes_on
from naokit.space import Architecture, Space, check_architecture
from naokit.study.describing import Described
from naokit.study.goals import Goals
from naokit.study.ledger import Ledger, Reading
from naokit.study.limits import limited, outside
from naokit.study.optuna_method import OptunaMethod
from naokit.study.origins import FIRST
from naokit.study.pruning import Pruner
from naokit.study.rounds import Round

DEFAULT_EVALUATIONS = 100
"""The budget where nobody names one: `ask` before any `optimize`."""

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


_METHODS = (
    "a name, a naokit.Method, a function (space, seed, evaluations) that makes one, or a sampler "
    "of Optuna's"
)


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
    given: object = method
    if callable(given) and not (isinstance(given, type) and issubclass(given, BaseSampler)):
        return method
    raise unexpected("method", method, _METHODS)


def checked_prior(space: Space, method: AnyMethod, prior: Weights) -> dict[str, dict[str, float]]:
    """The prior as a study records it.

    Raises:
        InputError: The method takes no prior, as far as that is known before it is made, or the
            space has no such choices.
    """
    if not _may_take_prior(method):
        raise InputError(
            f"the method {name_of(method)} takes no prior: leave `prior` out, or use one of "
            f"{', '.join(methods.WITH_PRIOR)}"
        )
    return checked(space, prior)


def _may_take_prior(method: AnyMethod) -> bool:
    """Whether a method takes a prior, or may turn out to when it is made."""
    if isinstance(method, str):
        return method in methods.WITH_PRIOR or method not in {*methods.METHODS, *SAMPLERS}
    if isinstance(method, Method):
        return type(method).believe is not Method.believe
    return not isinstance(method, BaseSampler)


def _sampler_named(name: str) -> MethodFactory:
    """One of `SAMPLERS`, made anew for each proposal; Optuna's seeds have 32 bits."""
    return lambda space, seed, evaluations: OptunaMethod(
        space, seed, lambda count: SAMPLERS[name](derive_seed(seed, name, count) % 2**32)
    )


def name_of(chosen: object) -> str:
    """What a study records of its method or its pruner."""
    if isinstance(chosen, str):
        return chosen
    return str(getattr(chosen, "__name__", type(chosen).__name__))


class Proposing:
    """What is evaluated next: what was given, then what the method proposes.

    Attributes:
        evaluator: What scores the architectures, whose limits and rounds count; None at first.

    Args:
        ledger: The ledger of the study.
        method: The method, made at the first proposal, when budget and limits are known.
        goals: The objectives and limits.
        pruner: Who stops evaluations early.
    """

    def __init__(
        self, ledger: Ledger, method: AnyMethod, goals: Goals, pruner: Pruner | None = None
    ) -> None:
        self.evaluator: Evaluator | None = None
        self._pruner = pruner
        self._ledger = ledger
        self._chosen = method
        self._goals = goals
        self._given: list[Architecture] = []
        self._seen: dict[int, Observation] = {}
        self._shown: list[Trial] = []
        self._observed: list[Observation] = []

    def enqueue(self, architectures: Iterable[Architecture]) -> None:
        """Puts architectures before those of the method, each once."""
        known = {architecture.key for architecture in self._given}
        for architecture in architectures:
            check_architecture(architecture)
            if architecture.key not in known:
                known.add(architecture.key)
                self._given.append(self._ledger.space.architecture(architecture.choices))

    def next(self, reading: Reading, before: Sequence[int] = ()) -> tuple[Proposal, int]:
        """What is evaluated next, and the number of its round.

        In a round, interrupted evaluations come first. Elsewhere the method proposes them again.

        Args:
            reading: What the study holds.
            before: Running trials that take the proposals before this one.

        Raises:
            SpaceExhausted: There is nothing left.
        """
        for number in before:
            theirs = self._next(reading)[0].architecture
            reading = replace(reading, pending={**reading.pending, number: theirs})
        return self._next(reading)

    def _next(self, reading: Reading) -> tuple[Proposal, int]:
        if self.evaluator is None or self.evaluator.round_size == 1:
            return self._next_given(reading) or self._proposed(reading), 0
        current = Round(reading, self.evaluator, self._goals)
        proposal = current.interrupted() or self._next_given(reading)
        return proposal or self._proposed(current.before()), current.number

    def _next_given(self, reading: Reading) -> Proposal | None:
        """The next architecture that was given.

        One that another process evaluates now is kept, since that may come to nothing.
        """
        if not self._given:
            return None
        pending = {architecture.key for architecture in reading.pending.values()}
        for given in tuple(self._given):
            if given.key in pending:
                continue
            if not self._ledger.evaluated(given.key) and self._is_within(given):
                return Proposal(given, FIRST)
            self._given.remove(given)
        return None

    def _is_within(self, given: Architecture) -> bool:
        """Whether it is within the limits, as far as this is known without an evaluation."""
        if self.evaluator is None:
            return True
        return not outside(self._ledger.space, self.evaluator, self._goals.limits, [given])

    def _proposed(self, reading: Reading) -> Proposal:
        if self._described is not None:
            self._described.read()
        proposal = self._method.propose(self._history(reading), list(reading.pending.values()))
        if self._described is None:
            return proposal
        return replace(proposal, described=self._described.unstored())

    @cached_property
    def _described(self) -> Described | None:
        """The descriptors; None where the evaluator has none, or what it says changes.

        Nor are there any where evaluations stop early: the first epoch tells more and costs no more
        (docs/results.md).
        """
        evaluator = self.evaluator
        if (
            self._pruner is not None
            or evaluator is None
            or evaluator.round_size > 1
            or not evaluator.descriptor_names
        ):
            return None
        return Described(self._ledger, evaluator)

    @cached_property
    def _method(self) -> Method:
        space = self._ledger.space
        if self.evaluator is not None:
            space = limited(space, self.evaluator, self._goals.limits)
        budget = self._ledger.stored.settings["evaluations"] or DEFAULT_EVALUATIONS
        method = factory_of(self._chosen)(space, self._seed, budget)
        if not isinstance(method, Method):
            raise unexpected("method", self._chosen, _METHODS)
        if prior := self._ledger.stored.settings.get("prior"):
            method.believe(prior)
        if self.evaluator is not None and self.evaluator.round_size > 1:
            size = self.evaluator.round_size
            method.in_rounds(size, size - self.evaluator.kept)
        if self._described is not None:
            method.describe_with(self._described)
        return method

    def _history(self, reading: Reading) -> list[Observation]:
        """The evaluations in order; with several objectives each new one may alter all scores."""
        trials = reading.history
        if len(self._goals.objectives) > 1:
            return self._goals.observations(trials, self._seed)
        if not goes_on(trials, self._shown):  # something was evaluated again
            self._shown, self._observed = [], []
        later = trials[len(self._shown) :]
        new = [trial for trial in later if trial.number not in self._seen]
        found = self._goals.observations(new, self._seed)
        self._seen |= {trial.number: one for trial, one in zip(new, found, strict=True)}
        self._observed += [self._seen[trial.number] for trial in later]
        self._shown = trials
        return list(self._observed)

    @cached_property
    def _seed(self) -> int:
        return int(self._ledger.stored.settings["seed"])
