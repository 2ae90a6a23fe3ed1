"""What is evaluated next: a trial is made of it, and whoever asked has it to itself.

new ones            what was given, then what the method proposes
continued ones      that were stopped early and go on after all
a round             all of it before the first is evaluated
evaluations again   of the best few, or where they tell most

Several threads may ask; other processes are kept off by claims.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress

from naokit.base import SpaceExhausted, derive_seed
from naokit.doors import Evaluator
from naokit.space import Architecture
from naokit.study.claims import Claims
from naokit.study.corridor import Asked
from naokit.study.ledger import record_of
from naokit.study.origins import CONTINUED, REPEAT, RESCORED, firsts
from naokit.study.proposing import Proposing
from naokit.study.rounds import Round
from naokit.study.standings import Ranking, Standing, most_telling
from naokit.study.stopping import Stopping
from naokit.study.storage import storage_errors


class Asking:
    """Asks for what is evaluated next.

    Args:
        ranking: The study.
        seed: The seed of its evaluations.
        claims: Its trials.
        proposing: Who proposes.
        stopping: What was stopped early.
    """

    def __init__(
        self,
        ranking: Ranking,
        seed: int,
        claims: Claims,
        proposing: Proposing,
        stopping: Stopping,
    ) -> None:
        self._ranking, self._seed = ranking, seed
        self._claims, self._ledger = claims, claims.ledger
        self._proposing, self._stopping = proposing, stopping
        self._sign = ranking.goals.objectives[0].sign
        self._counted: set[int] = set()  # not those that the user asks for, and may never tell
        self._lock = threading.Lock()

    def next(self) -> Asked:
        """The next architecture to evaluate; raises SpaceExhausted where there is none left."""
        with self._errors(), self._lock:
            self._claims.watch.release_abandoned()
            return self._next()

    def _next(self) -> Asked:
        """The same of what the last look at the study found."""
        number, proposal = self._claims.first_free(self._proposing.next)
        return self._asked(number, proposal.architecture, proposal.origin)

    def next_or_continued(self, evaluations: int) -> Iterator[Asked]:
        """Asks for a stopped evaluation that goes on after all, or for a new one."""
        with self._errors(), self._lock:
            stopped = self._stopping.to_continue()
            number = None if stopped is None else self._claims.going_on(stopped)
        if stopped is None or number is None:
            yield from self.new(evaluations)
        else:
            self._stopping.begin(number, stopped.curve)
            yield self._asked(number, stopped.architecture, CONTINUED)

    def new(self, evaluations: int, most: int = 1) -> Iterator[Asked]:
        """Asks for architectures that were not evaluated yet, as far as there are any.

        Args:
            evaluations: How many the study shall hold in all, whichever processes make them.
            most: How many are asked for.
        """
        with suppress(SpaceExhausted):
            for _ in range(most):
                with self._errors(), self._lock:
                    self._claims.watch.release_abandoned()
                    if not self._has_room(evaluations):
                        return
                    asked = self._next()
                self._counted.add(asked.number)
                if not self._has_room(evaluations, asked.number):  # other processes were faster
                    self._claims.give_back(asked.number)
                    return
                yield asked

    def _has_room(self, evaluations: int, before: float = math.inf) -> bool:
        """Whether fewer first evaluations ended or run than the study shall hold.

        The last look at the storage may be old. It is taken again where it says no, and those that
        run count only if their process lives.

        Args:
            evaluations: How many it shall hold.
            before: Trials from this number on do not count.
        """
        latest = self._ledger.latest
        if len(latest.ended) + len(latest.running) < evaluations:
            return True  # without counting which are first ones
        if self._first(before) + len(self._running(before)) < evaluations:
            return True
        with self._errors():
            self._claims.watch.release_abandoned()
            living = {frozen.number for frozen in self._claims.watch.at_work()}
        living |= self._claims.held.keys() & self._counted
        return self._first(before) + len(self._running(before) & living) < evaluations

    def _first(self, before: float) -> int:
        """How many first evaluations ended among the trials before this number."""
        return sum(trial.number < before for trial in firsts(self._ledger.latest.ended))

    def _running(self, before: float) -> set[int]:
        """The numbers of first evaluations that run, before this number."""
        return {number for number in self._ledger.latest.pending if number < before}

    def round(
        self,
        evaluator: Evaluator,
        evaluations: int,
        ends: float | None,
        on_stage: Callable[[str], None] | None,
    ) -> Iterator[Asked]:
        """Asks for all of a round, and prepares the evaluator: new ones, then those that stay."""
        stage = on_stage or (lambda name: None)
        stage("proposing")
        asked, number = False, (unfinished := self._round(evaluator)).number
        for new in self.new(evaluations, unfinished.missing):
            asked = True
            yield new  # at once, so that whoever is interrupted gives back what was asked for
        current = self._round(evaluator, number)
        again = current.again()
        if asked or again:
            left = None if ends is None else ends - time.monotonic()
            stage("preparing")
            evaluator.prepare(current.pool(), number, left)
            stage("evaluating")
            for architecture in again:
                record = record_of(architecture, RESCORED, round_number=number)
                with self._errors():
                    yield self._asked(self._claims.make(record), architecture, RESCORED)

    def _round(self, evaluator: Evaluator, number: int | None = None) -> Round:
        with self._errors():
            return Round(self._ledger.read(), evaluator, self._ranking.goals, number)

    def again(self, standings: Sequence[Standing], times: int) -> Iterator[Asked]:
        """Asks for further evaluations of these until each has `times`."""
        for standing in standings:
            while True:
                with self._errors(), self._lock:
                    self._claims.watch.release_abandoned()
                    found = self._claims.again(standing.architecture, times)
                if found is None:
                    break
                yield self._asked(found[0], standing.architecture, REPEAT, found[1])

    def decisive(self, repeats: int) -> Iterator[Asked]:
        """Asks for the evaluation again that tells most of what is best."""
        with self._errors(), self._lock:
            self._claims.watch.release_abandoned()
            reading = self._ledger.read()
            running = reading.choices_running(REPEAT)
            done = sum(trial.origin == REPEAT for trial in reading.ended)
            standings = self._ranking.standings()
            if done + len(running) >= repeats or not standings:
                return
            chosen = most_telling(standings, self._sign, running)
            number, place = self._claims.once_more(chosen.architecture)
        yield self._asked(number, chosen.architecture, REPEAT, place)

    def _asked(
        self, number: int, architecture: Architecture, origin: str, repeat: int = 0
    ) -> Asked:
        seed = derive_seed(self._seed, "evaluation", architecture.key, repeat)
        return Asked(number, self._ledger.space.architecture(architecture.choices), origin, seed)

    def _errors(self) -> AbstractContextManager[None]:
        return storage_errors(self._ranking.name)
