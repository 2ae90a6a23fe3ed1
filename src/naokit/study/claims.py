"""Which process evaluates what: trials made with their architecture, none taken twice, given back.

    propose ──> trial ──> anybody else's? ──no──> evaluate ──> tell
       ^                        │yes
       └── the same trial again ┘

A trial is made together with its architecture, at once: of several processes that make one of the
same architecture, that with the lowest number has it. An architecture that is written into a trial
later (`CLAIM`) cannot be ordered so: it is first written as asked for, and as taken once a look
at the others has found nobody. Of two that have only asked the lower number goes first.
"""

from __future__ import annotations

import copy
import math
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from naokit.base import Curve, Json
from naokit.doors import Proposal, Trial
from naokit.space import Architecture
from naokit.study.abandoned import Watch, settle
from naokit.study.heartbeat import Pulse
from naokit.study.ledger import (
    ARCHITECTURE,
    INTERRUPTED,
    OUTCOME,
    Ledger,
    Reading,
    interrupted,
    origin_of,
    read_architecture,
    record_of,
    state_of,
)
from naokit.study.origins import CONTINUED, KNOWN, REPEAT
from naokit.study.patience import TICKET

CLAIM = "claim"
"""How far a claim has come where the architecture was written after the trial was made."""
ASKED, TAKEN = "asked", "taken"

Propose = Callable[[Reading, Sequence[int]], tuple[Proposal, int]]
"""Gives a proposal and the number of its round; see `Claims.first_free`."""

WAIT = 10.0
"""Seconds that a claim waits for another that has only asked as well, before it gives way."""


class Claims:
    """The trials of one study that this process works at.

    Attributes:
        held: The trials that were asked for and not told, from number to trial id.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.stored = ledger.stored
        self.held: dict[int, int] = {}
        self.pulse = Pulse(self.stored, self.held)
        self.watch = Watch(ledger, self.held, self.pulse)

    def first_free(self, propose: Propose) -> tuple[int, Proposal]:
        """Makes a trial of the first proposal that nobody else has, after a look at the study.

        A trial that lost its architecture to another process takes the next proposal.

        Args:
            propose: Gives a proposal and the number of its round, told what the study holds and
                which trials will have another proposal before.
        """
        proposal, record = _recorded(propose, *self._in_turn())
        with self._given_back_on_error(self.make(record)) as number:
            while self.lost(number, proposal.architecture, record):
                self.ledger.waive(number)
                proposal, record = _recorded(propose, *self._in_turn(number))
                self.write(number, record)
            self.confirm(number, record)
        return number, proposal

    def _in_turn(self, number: float = math.inf) -> tuple[Reading, list[int]]:
        """The last look without the trials that have lost, and those of these before a number.

        Processes that ask at the same moment propose the same. Each knows from the numbers who has
        it, and which of the others take the next proposals before its own: they do not meet again.
        """
        reading, losers = self.ledger.latest, []
        taken: set[str] = set()
        for other, architecture in reading.pending.items():
            known = architecture.key in taken or self.ledger.evaluated(architecture.key)
            if known and other not in self.held:
                losers.append(other)
            taken.add(architecture.key)
        return reading.without(losers), [loser for loser in losers if loser < number]

    def again(self, architecture: Architecture, times: int) -> tuple[int, int] | None:
        """Makes a trial that repeats an evaluation, with its place; None if there are enough.

        The first `times` evaluations that end or run count, whichever process makes them.
        """
        if len(self._whole(architecture)) >= times:
            return None
        number, place = self.once_more(architecture)
        if place < times:
            return number, place
        self.give_back(number)
        return None

    def once_more(self, architecture: Architecture) -> tuple[int, int]:
        """Makes a trial that repeats an evaluation, with its place among all of them."""
        with self._given_back_on_error(self.make(record_of(architecture, REPEAT))) as number:
            before = [other for other in self._whole(architecture) if other < number]
        return number, len(before)

    def going_on(self, stopped: Trial) -> int | None:
        """Makes a trial that goes on where this one was stopped; None if another one does."""
        record = record_of(stopped.architecture, CONTINUED)
        with self._given_back_on_error(self.make(record, stopped.curve)) as number:
            others = self._running(stopped.architecture)
            others += [trial.number for trial in self._ended(stopped.architecture)]
        if not any(stopped.number < other < number for other in others):
            return number
        self.give_back(number)
        return None

    def _whole(self, architecture: Architecture) -> list[int]:
        """The trials of an architecture that run or were not stopped, repeats included."""
        ended = [trial.number for trial in self._ended(architecture) if not trial.stopped]
        return ended + self._running(architecture)

    def _ended(self, architecture: Architecture) -> list[Trial]:
        ended = self.ledger.read().ended
        return [trial for trial in ended if trial.architecture.key == architecture.key]

    def _running(self, architecture: Architecture) -> list[int]:
        running, space = self.ledger.read().running.values(), self.ledger.space
        named = [trial for trial in running if origin_of(trial) not in ("", KNOWN)]
        return [t.number for t in named if read_architecture(t, space).key == architecture.key]

    def make(self, record: dict[str, Json], curve: Curve | None = None) -> int:
        """Makes a running trial that has its architecture from the beginning; its number.

        Args:
            record: What the trial stores of its architecture.
            curve: What an earlier trial reported that this one continues.
        """
        template = create_trial(
            state=TrialState.RUNNING,
            user_attrs={ARCHITECTURE: record, TICKET: uuid.uuid4().hex},
            intermediate_values=dict(curve or {}),
        )
        made = self.stored.make(template)
        number, trial_id = made.number, self.stored.id_of(made)
        self.held[number] = trial_id
        with self._given_back_on_error(number):
            self.pulse.begin(trial_id)
        return number

    def write(self, number: int, record: dict[str, Json]) -> None:
        """Writes an architecture into an existing trial: it is asked for, not taken yet."""
        record[CLAIM] = ASKED
        self.stored.storage.set_trial_user_attr(self.held[number], ARCHITECTURE, record)
        self.ledger.claim(number)

    def confirm(self, number: int, record: dict[str, Json]) -> None:
        """Takes the architecture that the trial has asked for."""
        if CLAIM in record:
            record[CLAIM] = TAKEN
            self.stored.storage.set_trial_user_attr(self.held[number], ARCHITECTURE, record)

    def lost(self, number: int, architecture: Architecture, record: dict[str, Json]) -> bool:
        """Whether another trial has evaluated this architecture, or claimed it first."""
        until = time.monotonic() + WAIT
        while True:
            reading = self.ledger.read()
            if self.ledger.evaluated(architecture.key):
                return True
            rivals = _rivals(reading, number, architecture.key)
            if any(_is_before(rival, number, CLAIM in record) for rival in rivals):
                return True
            if not any(_claim(rival) for rival in rivals):
                return False  # whoever is left comes later, and will see this claim
            if time.monotonic() > until:
                return True
            time.sleep(0.01)

    def tell(
        self, number: int, outcome: dict[str, Json], values: Sequence[float] | None
    ) -> FrozenTrial:
        """Ends a trial, unless another process has ended it already."""
        storage, trial_id = self.stored.storage, self.held[number]
        outcome = outcome if values is None else {"values": list(values), **outcome}
        state = state_of(outcome)
        try:
            storage.set_trial_user_attr(trial_id, OUTCOME, outcome)
            told = self.stored.study.tell(number, values, state, skip_if_finished=True)
        except UpdateFinishedTrialError:
            told = storage.get_trial(trial_id)
        del self.held[number]
        if not interrupted(told) or outcome.get("reason") == INTERRUPTED:
            return told
        return self._told_anew(told, outcome, values)

    def add(
        self,
        record: dict[str, Json],
        outcome: dict[str, Json],
        values: Sequence[float] | None,
        curve: Curve | None = None,
    ) -> FrozenTrial:
        """Makes a trial that has already ended."""
        template = create_trial(
            state=state_of(outcome if values is None else {"values": values}),
            values=values,
            user_attrs={ARCHITECTURE: record, OUTCOME: outcome, TICKET: uuid.uuid4().hex},
            intermediate_values=dict(curve or {}),
        )
        return self.stored.make(template)

    def give_back(self, number: int) -> None:
        """Ends an untold trial of this process as `settle` does."""
        trial_id = self.held.pop(number, None)
        if trial_id is not None:
            with suppress(StorageInternalError, SQLAlchemyError):  # what ended it says more
                settle(self.stored, self.stored.storage.get_trial(trial_id))

    def _told_anew(
        self, told: FrozenTrial, outcome: dict[str, Json], values: Sequence[float] | None
    ) -> FrozenTrial:
        """Keeps the result of a trial that another process took for abandoned.

        If another process has begun or ended the same evaluation, that one counts in the study.
        """
        reading, record = self.ledger.read(), told.user_attrs[ARCHITECTURE]
        architecture = self.ledger.space.architecture(record["choices"])
        others = _rivals(reading, told.number, architecture.key)
        if not others and not self.ledger.evaluated(architecture.key):
            return self.add(record, outcome, values, told.intermediate_values)
        told = copy.deepcopy(told)
        told.state = state_of(outcome)
        told.values = values
        told.user_attrs[OUTCOME] = outcome
        return told

    @contextmanager
    def _given_back_on_error(self, number: int) -> Iterator[int]:
        try:
            yield number
        except BaseException:
            self.give_back(number)
            raise


def _recorded(
    propose: Propose, reading: Reading, before: Sequence[int]
) -> tuple[Proposal, dict[str, Json]]:
    """A proposal and what its trial remembers, how long it took included."""
    began = time.perf_counter()
    proposal, round_number = propose(reading, before)
    took = round(time.perf_counter() - began, 6)
    record = record_of(
        proposal.architecture,
        proposal.origin,
        proposal.model,
        round_number,
        proposal.described,
        took,
    )
    return proposal, record


def _rivals(reading: Reading, number: int, key: str) -> list[FrozenTrial]:
    """Other running trials of an architecture of this key."""
    return [
        reading.running[other]
        for other, architecture in reading.pending.items()
        if other != number and architecture.key == key
    ]


def _claim(frozen: FrozenTrial) -> str | None:
    """How far a claim has come; None if the architecture was there from the beginning."""
    claim: str | None = frozen.user_attrs[ARCHITECTURE].get(CLAIM)
    return claim


def _is_before(rival: FrozenTrial, number: int, written_later: bool) -> bool:
    """Whether a rival's claim comes first, for certain or possibly."""
    if written_later:
        return _claim(rival) != ASKED or rival.number < number
    return _claim(rival) is not None or rival.number < number
