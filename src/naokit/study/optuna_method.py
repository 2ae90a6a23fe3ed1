"""One of Optuna's samplers as a method: it is shown the history as a study of its own, in memory.

These samplers ask for known architectures again and again. They are then told the known values,
for this proposal alone; one that will not stop gets a random architecture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import optuna
from optuna.samplers import BaseGASampler, BaseSampler
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial

from naokit.base import Curve, derive_seed
from naokit.doors import Method, Observation, Proposal
from naokit.method.baselines import RandomStream
from naokit.space import Architecture, Space
from naokit.study.replayed import Replay, empty_study

SUGGESTIONS = 50
"""How often a sampler may ask for what is known."""

SamplerFactory = Callable[[int], BaseSampler]
"""The number of evaluations, those that are pending included -> the sampler of what is next."""


class OptunaMethod(Method):
    """Proposes what a sampler suggests, one categorical parameter a position of the grammar.

    A sampler that is made anew for each proposal, with a seed that follows from the history,
    resumes exactly. One that is always the same object keeps a state of its own.

    Args:
        space: What is searched.
        seed: The seed of the random architectures.
        sampler: Makes the sampler of a proposal.
    """

    def __init__(self, space: Space, seed: int, sampler: SamplerFactory) -> None:
        self._space = space
        self._seed = seed
        self._sampler = sampler
        self._objectives = 1
        self._replay = Replay(self._replayed)

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """The sampler's first suggestion that is new and allowed."""
        sampler = self._sampler(len(history) + len(pending))
        study = self._study(history, sampler)
        study.add_trials([self._running(architecture) for architecture in pending])
        known = {one.architecture.key: _values(one) for one in history}
        known |= {architecture.key: () for architecture in pending}
        for _ in range(SUGGESTIONS):
            trial = study.ask()
            architecture = self._space.suggest(trial)
            if architecture.key not in known and self._space.allows(architecture.choices):
                return Proposal(architecture, type(sampler).__name__)
            _tell(study, trial.number, known.get(architecture.key, ()))
        seed = derive_seed(self._seed, "suggested", len(known))
        return Proposal(RandomStream(self._space, seed).next(known), "random")

    def _study(self, history: Sequence[Observation], sampler: BaseSampler) -> optuna.Study:
        """The history as a study that nobody else has; what was replayed before is copied."""
        objectives = max((len(_values(one)) for one in history), default=0) or 1
        if objectives != self._objectives:
            self._objectives, self._replay = objectives, Replay(self._replayed)
        return self._replay.show(empty_study(objectives, sampler=sampler), history)

    def _replayed(self, study: optuna.Study, observation: Observation) -> None:
        study.add_trial(self._running(observation.architecture, _curve(observation)))
        trial = study.get_trials(deepcopy=False)[-1]
        if isinstance(study.sampler, BaseGASampler):
            study.sampler.get_trial_generation(study, trial)  # which it notes in the trial
        if observation.stopped:
            study.tell(trial.number, state=TrialState.PRUNED)
        else:
            _tell(study, trial.number, _values(observation))

    def _running(self, architecture: Architecture, curve: Curve | None = None) -> FrozenTrial:
        """A trial of the parameters that the space would have asked for."""
        fixed = FixedTrial(dict(zip(self._space.grammar.names, architecture.choices, strict=True)))
        self._space.suggest(fixed)
        return create_trial(
            state=TrialState.RUNNING,
            params=fixed.params,
            distributions=fixed.distributions,
            intermediate_values=dict(curve or {}),
        )


def _curve(observation: Observation) -> Curve:
    """What a sampler is shown of an evaluation that was stopped early."""
    values = _values(observation)
    return {observation.stopped: values[0]} if observation.stopped and values else {}


def _values(observation: Observation) -> tuple[float, ...]:
    """What a sampler is told; it knows no limits but those that cost no evaluation."""
    known = observation.known
    return observation.values or (() if known is None else (known,))


def _tell(study: optuna.Study, number: int, values: Sequence[float]) -> None:
    state = TrialState.COMPLETE if values else TrialState.FAIL
    study.tell(number, list(values) or None, state)  # Optuna takes none, not an empty one
