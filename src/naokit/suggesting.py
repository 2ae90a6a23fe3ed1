"""Architectures that one of Optuna's samplers composes, parameter by parameter.

These samplers ask for known architectures again and again. They are told the known values, which
counts as no evaluation; one that will not stop gets a random architecture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import optuna
from optuna.samplers import BaseSampler
from optuna.trial import TrialState

from naokit.base import Space
from naokit.method.baselines import RandomStream
from naokit.sampler import ARCHITECTURE, KNOWN, record_of

SUGGESTIONS = 50
"""How often a sampler may ask for what is known."""

Known = Mapping[str, tuple[float, ...]]
"""Values by key; none where the evaluation failed or is running."""


def suggested(
    study: optuna.Study,
    space: Space,
    allowed: Space,
    known: Known,
    sampler: Callable[[], BaseSampler],
    seed: int,
) -> optuna.Trial:
    """A trial of a new architecture.

    Args:
        study: the Optuna study.
        space: of the architectures.
        allowed: the space within the limits.
        known: what has been or is being evaluated.
        sampler: puts the sampler of the next trial into the study.
        seed: of the random architecture, if it comes to that.

    Raises:
        SpaceExhausted: there is none left.
    """
    for _ in range(SUGGESTIONS):
        sampler()
        trial = _composed(study, space, allowed, known)
        if trial is not None:
            return trial
    architecture = RandomStream(allowed, seed).next(known)
    names = space.grammar.names
    study.enqueue_trial(dict(zip(names, architecture.choices, strict=True)))
    trial = _composed(study, space, allowed, {})
    assert trial is not None
    return trial


def _composed(
    study: optuna.Study, space: Space, allowed: Space, known: Known
) -> optuna.Trial | None:
    """A trial as the sampler composes it; None, and told what is known, where that is known."""
    trial = study.ask()
    architecture = space.suggest(trial)
    new = architecture.key not in known and allowed.allows(architecture.choices)
    origin = type(study.sampler).__name__ if new else KNOWN
    trial.set_user_attr(ARCHITECTURE, record_of(architecture, origin))
    if new:
        return trial
    values = list(known.get(architecture.key, ())) or None  # Optuna takes none, not an empty one
    study.tell(trial, values, TrialState.COMPLETE if values else TrialState.FAIL)
    return None
