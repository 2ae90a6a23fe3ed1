"""Architectures that one of Optuna's samplers composes, parameter by parameter.

These samplers ask for known architectures again and again. They are told the known values, which
counts as no evaluation; one that will not stop gets a random architecture.
"""

from __future__ import annotations

from collections.abc import Callable

from optuna.samplers import BaseSampler

from naokit.base import Proposal, Space
from naokit.method.baselines import RandomStream
from naokit.study.claims import Claims
from naokit.study.ledger import KNOWN, record_of

SUGGESTIONS = 50
"""How often a sampler may ask for what is known."""


def suggested(
    claims: Claims,
    allowed: Space,
    known: dict[str, tuple[float, ...]],
    sampler: Callable[[], BaseSampler],
    seed: int,
) -> tuple[int, Proposal]:
    """A trial of a new architecture, and what it is.

    Args:
        claims: who makes trials.
        allowed: the space within the limits.
        known: values of what has been evaluated by key; none where it failed or is running.
        sampler: puts the sampler of the next trial into the study.
        seed: of the random architecture, if it comes to that.

    Raises:
        SpaceExhausted: there is none left.
    """
    for _ in range(SUGGESTIONS):
        sampler()
        found = _composed(claims, allowed, known)
        if found is not None:
            return found
    stream = RandomStream(allowed, seed)
    while True:
        choices = stream.next(known).choices
        parameters = dict(zip(allowed.grammar.names, choices, strict=True))
        found = _composed(claims, allowed, known, parameters)
        if found is not None:
            return found


def _composed(
    claims: Claims,
    allowed: Space,
    known: dict[str, tuple[float, ...]],
    parameters: dict[str, int] | None = None,
) -> tuple[int, Proposal] | None:
    """A trial as the sampler composes it; None, and told what is known, where that is known."""
    with claims.composing(parameters) as trial:
        architecture = claims.ledger.space.suggest(trial)
        new = architecture.key not in known and allowed.allows(architecture.choices)
        origin = type(trial.study.sampler).__name__
        if new:
            record = record_of(architecture, origin)
            claims.write(trial.number, record)
            if not claims.lost(trial.number, architecture, record):
                claims.confirm(trial.number, record)
                return trial.number, Proposal(architecture, origin)
        values = known.setdefault(architecture.key, ())
        claims.dismiss(trial.number, record_of(architecture, KNOWN), values)
    return None
