"""Architectures as Optuna trials: an Optuna sampler, and what a trial's attributes hold.

A trial carries two JSON attributes. Forty ordinary parameters would cost SQLite 440 ms a trial;
one attribute costs 28 (measured, `stack.md`)::

    architecture   {"text": ..., "choices": [...], "origin": ..., "worker": {...}, "model": {...}}
    outcome        {"metrics": {...}, "seconds": ..., "reason": ...}
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import optuna
import psutil
from optuna.distributions import BaseDistribution
from optuna.samplers import (
    BaseSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from naokit.base import Architecture, Direction, Json, Method, Proposal, Space, Trial
from naokit.goals import Goals, Objective

ARCHITECTURE = "architecture"
OUTCOME = "outcome"
INTERRUPTED = "interrupted"
"""Reason of a trial whose process ended before its evaluation did; it counts for nothing."""
REPEAT = "repeat"
"""Origin of a second evaluation of an architecture; methods do not see it."""


FIRST = "given"
"""Origin of an architecture that the user wanted evaluated first."""
TOLD = "told"
"""Origin of what was known before: methods learn from it, it is no evaluation of this study."""
KNOWN = "known"
"""Origin of a trial that one of Optuna's samplers wanted though its architecture was known."""

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

    `naokit.sampler.read_architecture(trial, space)` gives it to the objective::

        study = optuna.create_study(sampler=ArchitectureSampler(space, method))
        study.optimize(lambda trial: score(read_architecture(trial, space)), n_trials=100)

    Parameters that the objective suggests besides are drawn at random.
    """

    def __init__(
        self, space: Space, method: Method, seed: int | None = None, goals: Goals | None = None
    ) -> None:
        self.space = space
        self.method = method
        self.seed = seed or 0
        self.goals = goals
        self._others = RandomSampler(seed)
        self._prepared: Proposal | None = None
        self._finished: dict[int, Trial] = {}

    def prepare(self, study: optuna.Study) -> Proposal:
        """The proposal of the next trial, made before the trial is; raises SpaceExhausted."""
        self._prepared = self.method.propose(self.history(study), pending(study, self.space))
        return self._prepared

    def history(self, study: optuna.Study) -> list[Trial]:
        """The finished evaluations in order, one value each, higher is better."""
        way: Direction = "minimize"
        if study.directions[0] == StudyDirection.MAXIMIZE:
            way = "maximize"
        goals = self.goals or Goals((Objective("value", way),))
        return goals.for_method(list(finished(study, self.space, self._finished)), self.seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Writes the proposal into the trial."""
        proposal = self._prepared or self.prepare(study)
        self._prepared = None
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


def record_of(
    architecture: Architecture, origin: str, model: Mapping[str, float] | None = None
) -> dict[str, Json]:
    """What a trial remembers of its architecture, of the model then, and who evaluates it."""
    return {
        "text": str(architecture),
        "choices": list(architecture.choices),
        "origin": origin,
        "worker": this_worker(),
        **({"model": dict(model)} if model else {}),
    }


def read_architecture(trial: optuna.Trial | FrozenTrial, space: Space) -> Architecture:
    """The architecture of a trial."""
    return space.architecture(trial.user_attrs[ARCHITECTURE]["choices"])


def finished(
    study: optuna.Study, space: Space, known: dict[int, Trial] | None = None
) -> Iterator[Trial]:
    """The evaluations that ended, repeats and interrupted ones left out, in order.

    Args:
        study: the Optuna study.
        space: of its architectures.
        known: those read before, by number; new ones are added.
    """
    known = {} if known is None else known
    for frozen in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL)):
        if not counts(frozen):
            continue
        if frozen.number not in known:
            known[frozen.number] = to_trial(frozen, space)
        yield known[frozen.number]


def counts(frozen: FrozenTrial) -> bool:
    """Whether a trial is an evaluation that methods learn from."""
    return ended(frozen) and frozen.user_attrs[ARCHITECTURE]["origin"] != REPEAT


def ended(frozen: FrozenTrial) -> bool:
    """Whether a finished trial is an evaluation, repeats included, that was not interrupted."""
    if ARCHITECTURE not in frozen.user_attrs:
        return False
    known: bool = frozen.user_attrs[ARCHITECTURE]["origin"] == KNOWN
    return not interrupted(frozen) and not known


def interrupted(frozen: FrozenTrial) -> bool:
    """Whether an evaluation ended without an outcome, and is to be done again."""
    reason = frozen.user_attrs.get(OUTCOME, {}).get("reason")
    return bool(reason == INTERRUPTED)


def to_trial(frozen: FrozenTrial, space: Space) -> Trial:
    """A finished Optuna trial as ours."""
    outcome = frozen.user_attrs.get(OUTCOME, {})
    values = tuple(frozen.values or ()) if frozen.state == TrialState.COMPLETE else ()
    return Trial(
        frozen.number,
        read_architecture(frozen, space),
        values[0] if values else None,
        reason=outcome.get("reason", ""),
        origin=frozen.user_attrs[ARCHITECTURE]["origin"],
        model=frozen.user_attrs[ARCHITECTURE].get("model", {}),
        values=values,
        metrics=outcome.get("metrics", {}),
        seconds=outcome.get("seconds", 0.0),
    )


def pending(study: optuna.Study, space: Space) -> list[Architecture]:
    """What is being evaluated now."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [
        read_architecture(frozen, space)
        for frozen in running
        if ARCHITECTURE in frozen.user_attrs and frozen.user_attrs[ARCHITECTURE]["origin"] != REPEAT
    ]


def taken(study: optuna.Study, trial: optuna.Trial, space: Space, seen: Container[int]) -> bool:
    """Whether another process asked for the trial's architecture at the same moment, and first.

    Of several trials of one architecture the earliest stays. One that is there but has not got its
    architecture yet is waited for.

    Args:
        study: the Optuna study.
        trial: of this process.
        space: of the architectures.
        seen: numbers of the trials that were known when the architecture was proposed.
    """
    until = time.monotonic() + 10
    while True:
        rivals = [
            other
            for other in study.get_trials(deepcopy=False)
            if other.number < trial.number and other.number not in seen
        ]
        unnamed = [t for t in rivals if _is_new(t) and ARCHITECTURE not in t.user_attrs]
        if not unnamed or time.monotonic() > until:
            break
        time.sleep(0.01)
    key = read_architecture(trial, space).key
    return any(
        read_architecture(rival, space).key == key
        for rival in rivals
        if ARCHITECTURE in rival.user_attrs and (rival.state == TrialState.RUNNING or counts(rival))
    )


def _is_new(frozen: FrozenTrial) -> bool:
    """Whether a running trial began in the last seconds."""
    started = frozen.datetime_start or datetime.now()
    return frozen.state == TrialState.RUNNING and datetime.now() - started < timedelta(seconds=10)


def abandoned(study: optuna.Study) -> Sequence[FrozenTrial]:
    """Running trials whose process on this machine is gone.

    One without an architecture was cut off while it was made; a minute tells it from a new one.
    """
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [frozen for frozen in running if _is_abandoned(frozen)]


def release_abandoned(study: optuna.Study) -> None:
    """Marks trials whose process was killed; their evaluation will be done again."""
    for trial in abandoned(study):
        study._storage.set_trial_user_attr(trial._trial_id, OUTCOME, {"reason": INTERRUPTED})
        study.tell(trial.number, state=TrialState.FAIL)


def _is_abandoned(frozen: FrozenTrial) -> bool:
    record = frozen.user_attrs.get(ARCHITECTURE)
    if record is None:
        started = frozen.datetime_start or datetime.now()
        return datetime.now() - started > timedelta(minutes=1)
    worker = record["worker"]
    if worker["host"] != platform.node():
        return False
    try:
        process = psutil.Process(worker["process"])
        same: bool = process.create_time() == worker["started"]
        ended: bool = process.status() == psutil.STATUS_ZOMBIE  # its parent has not noticed yet
    except psutil.NoSuchProcess:
        return True
    return ended or not same


def this_worker() -> dict[str, Json]:
    """Names this process: a process id alone is used again."""
    started = psutil.Process().create_time()
    return {"host": platform.node(), "process": os.getpid(), "started": started}
