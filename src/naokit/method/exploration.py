"""What a search does when it stands still: it trusts its model less and less.

A model that is sure of the wrong place proposes there for ever. So the longer nothing improves, the
more proposals do not depend on it. With s proposals since the best one, which was evaluation b,
their share is

    share = 1 - max(PATIENCE, b) / s,     at least 0 and at most MOST

so that a search which has been getting better for long is given as long again.

Half of them are neighbours of the best few: the best of NAS-Bench-201, TransNAS-Bench-101 micro and
NAS-Bench-Graph has a neighbour among the ten best (that of NAS-Bench-101 has none). The others are
steps of climbs from random starts, as local search makes them (White et al. 2021, arXiv
2004.08996), which find what lies elsewhere (docs/results.md has both on planted leaders).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from naokit.base import SpaceExhausted
from naokit.doors import Observation
from naokit.method.baselines import RandomStream, step_of_climb
from naokit.method.candidates import Candidate, Scorer
from naokit.space import Architecture, Space

PATIENCE = 20
"""The fewest proposals without anything better after which others are made. With 10, scene takes a
third more evaluations."""

MOST = 2 / 3
"""What the model proposes is never given up: it may be right in the end."""

PARENTS = 5
"""The neighbours of this many of the best are looked through, those of the best first."""

NEIGHBOUR, START, STEP = "neighbour of the best", "start of a climb", "step of a climb"
EXPLORED = (NEIGHBOUR, START, STEP)
"""The origins of these proposals."""

GUIDED = ("whole space", "mutation", "crossing", "latent step", "described", *EXPLORED)
"""How the origins of proposals that were meant to be better begin: random and given architectures
that bring nothing are no standstill."""


@dataclass(frozen=True)
class Standstill:
    """How long nothing has improved.

    Attributes:
        proposals: How many proposals there were since the best result; failed ones count.
        before: How many evaluations there were up to the best one.
    """

    proposals: int
    before: int

    @classmethod
    def of(cls, history: Sequence[Observation]) -> Standstill:
        """The standstill after these evaluations.

        With several objectives there is none: they are weighed anew for each proposal, and what is
        best changes with that.
        """
        best, count, before = float("-inf"), 0, 0
        for number, trial in enumerate(history, 1):
            if len(trial.values) > 1:
                return cls(0, 0)
            if trial.value is not None and trial.value > best:
                best, count, before = trial.value, 0, number
            elif trial.origin.startswith(GUIDED):
                count += 1
        return cls(count, before)

    @property
    def share(self) -> float:
        """The share of proposals that do not depend on the model."""
        patience = max(PATIENCE, self.before)
        return min(MOST, max(0.0, 1 - patience / max(1, self.proposals)))


class Exploration:
    """The proposals of a search that stands still; a function of seed and history, as all are.

    Args:
        space: The space that is searched.
        seed: The seed of the climbs.
        stream: The random architectures at which climbs begin.
    """

    def __init__(self, space: Space, seed: int, stream: RandomStream) -> None:
        self.space = space
        self.seed = seed
        self.stream = stream

    def __call__(
        self,
        history: Sequence[Observation],
        best: Sequence[Architecture],
        share: float,
        turn: int,
        seen: Container[str],
        score: Scorer,
    ) -> Iterator[Candidate]:
        """What to evaluate instead of the model's choice, if it is time for that.

        Args:
            history: All evaluations so far.
            best: The known architectures, best first.
            share: The share of proposals that do not depend on the model (see `Standstill`).
            turn: The number of evaluations, pending ones included.
            seen: The keys of what was evaluated.
            score: The function that says how much an evaluation of architectures is worth.
        """
        before, after = int(turn * share), int((turn + 1) * share)
        if after == before:
            return
        if after % 2:
            yield from self._neighbours(best[:PARENTS], seen, score)
        climbed = [trial for trial in history if trial.origin in (START, STEP)]
        step = step_of_climb(self.space, self.seed, climbed, seen, STEP)
        if step is not None:
            yield Candidate(step, STEP)
            return
        with suppress(SpaceExhausted):  # the model may still know of some
            yield Candidate(self.stream.next(seen), START)

    def _neighbours(
        self, parents: Sequence[Architecture], seen: Container[str], score: Scorer
    ) -> Iterator[Candidate]:
        """The new neighbours of each parent in turn, those of one by what they are worth."""
        for parent in parents:
            new = {a.key: a for a in self.space.neighbours(parent) if a.key not in seen}
            if new:
                found = list(new.values())
                order = np.argsort(-score(found), kind="stable")
                yield from (Candidate(found[place], NEIGHBOUR) for place in order)
