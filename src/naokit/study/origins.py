"""Where the architecture of a trial came from, other than from a method."""

from __future__ import annotations

from collections.abc import Sequence

from naokit.doors import Trial

REPEAT = "repeat"
"""The origin of a repeated evaluation, which methods do not see."""
RESCORED = "rescored"
"""The origin of an evaluation in a later round, whose value replaces the earlier ones."""
CONTINUED = "continued"
"""The origin of an evaluation that goes on where it was stopped, and whose result replaces that."""
REPLACES = (RESCORED, CONTINUED)
"""The origins of evaluations whose result replaces the earlier ones of the architecture."""
AGAIN = (REPEAT, *REPLACES)
"""The origins of evaluations of an architecture that the study has evaluated already."""
FIRST = "given"
"""The origin of an architecture that the user wanted evaluated first."""
TOLD = "told"
"""The origin of a known result: methods learn from it, but the study did not evaluate it."""
KNOWN = "known"
"""The origin of trials that earlier versions made where a sampler repeated an architecture."""


def firsts(trials: Sequence[Trial]) -> list[Trial]:
    """The evaluations that a budget counts: each architecture once, without told ones."""
    return [trial for trial in trials if trial.origin not in (TOLD, *AGAIN)]


def epochs_of(trials: Sequence[Trial]) -> int:
    """How many epochs were reported of each architecture, all together."""
    reached: dict[tuple[int, ...], int] = {}
    for trial in trials:
        choices = trial.architecture.choices
        reached[choices] = max(reached.get(choices, 0), *trial.curve, 0)
    return sum(reached.values())


def current(trials: Sequence[Trial]) -> Sequence[Trial]:
    """The trials without those whose architecture was evaluated again in a later round."""
    last = {t.architecture.choices: t.round for t in trials if t.origin == RESCORED}
    if not last:
        return trials
    return [t for t in trials if t.round >= last.get(t.architecture.choices, 0)]
