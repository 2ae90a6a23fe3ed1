"""Where the architecture of a trial came from, other than from a method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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


def epochs_so_far(trials: Iterable[Trial]) -> Iterator[int]:
    """How many epochs of each architecture had been reported, all together, after each trial."""
    reached: dict[tuple[int, ...], int] = {}
    total = 0
    for trial in trials:
        choices = trial.architecture.choices
        before = reached.get(choices, 0)
        reached[choices] = max(before, *trial.curve, 0)
        total += reached[choices] - before
        yield total


def epochs_of(trials: Iterable[Trial]) -> int:
    """How many epochs of each architecture were reported, all together."""
    return max(epochs_so_far(trials), default=0)


def current(trials: Sequence[Trial]) -> Sequence[Trial]:
    """The trials without those whose architecture was evaluated again in a later round."""
    last = {t.architecture.choices: t.round for t in trials if t.origin == RESCORED}
    if not last:
        return trials
    return [t for t in trials if t.round >= last.get(t.architecture.choices, 0)]
