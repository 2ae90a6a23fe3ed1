"""Signs of life of the trials that a process holds, for processes that cannot look at it.

Optuna keeps them in its database, by the database's clock. Its own `optimize` beats; here a
thread does, from asking to telling, whoever evaluates in between. A journal has no clock: there a
sign is a number in the trial, and whoever waits for the next one looks at its own clock.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from naokit.study.stored import Stored

BEAT = 60
"""Seconds between two signs of life."""

GRACE = 900
"""Seconds without one after which a trial counts as abandoned: three times what is waited for a
storage that does not answer, so that a database that was away costs no worker its trial."""

SIGN = "naokit:sign"
"""The attribute of a trial in a journal that changes with every sign of life."""


class Pulse:
    """Gives signs of life for trials and tells which others have stopped, if the storage keeps any.

    Args:
        stored: The study of the trials.
        held: The trials of this process, from number to trial id, looked at before each beat.
    """

    def __init__(self, stored: Stored, held: Mapping[int, int]) -> None:
        self._signs = _signs_in(stored)
        self._held = held
        self._thread: threading.Thread | None = None
        self._never = threading.Event()
        self._looked = -float("inf")
        self._stopped: frozenset[int] = frozenset()

    def begin(self, trial_id: int) -> None:
        """Gives the first sign of life of a trial; others follow."""
        if self._signs is None:
            return
        self._signs.give(trial_id)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._go_on, args=(self._signs,), daemon=True)
            self._thread.start()

    def stopped(self) -> frozenset[int]:
        """Ids of running trials whose signs of life stopped long ago, looked up once a minute."""
        if self._signs is not None and time.monotonic() - self._looked >= BEAT:
            self._stopped = self._signs.silent_for(GRACE)
            self._looked = time.monotonic()
        return self._stopped

    def living(self) -> frozenset[int]:
        """Ids of running trials whose last sign of life is recent."""
        if self._signs is None:
            return frozenset()
        return self._signs.silent_for(-1) - self._signs.silent_for(GRACE)

    def _go_on(self, signs: _Signs) -> None:
        while self._held and not self._never.wait(BEAT):
            for trial_id in tuple(self._held.values()):
                signs.give(trial_id)
        signs.end()


class _Signs(ABC):
    """Where signs of life are kept."""

    @abstractmethod
    def give(self, trial_id: int) -> None:
        """Gives one sign; if the storage does not answer, the next one will do."""

    @abstractmethod
    def silent_for(self, seconds: int) -> frozenset[int]:
        """Ids of running trials that gave a sign once, but not in the last seconds."""

    def end(self) -> None:  # noqa: B027  # many have nothing to end
        """Called by the thread that gave signs, when it ends."""


def _signs_in(stored: Stored) -> _Signs | None:
    """Where a storage keeps signs; None where nobody else can look into it."""
    backend = getattr(stored.storage, "_backend", None)
    if isinstance(backend, RDBStorage):
        return _InDatabase(stored, backend)
    return _InJournal(stored) if isinstance(backend, JournalFileBackend) else None


class _InDatabase(_Signs):
    """Optuna's own, by the clock of the database."""

    def __init__(self, stored: Stored, storage: RDBStorage) -> None:
        self._stored, self._storage = stored, storage

    def give(self, trial_id: int) -> None:
        """Has Optuna record a heartbeat."""
        try:
            self._storage.record_heartbeat(trial_id)
        except (StorageInternalError, SQLAlchemyError):
            self._storage.remove_session()

    def silent_for(self, seconds: int) -> frozenset[int]:
        """Asks Optuna for stale trials."""
        storage, asked = self._storage, cast(Any, self._stored.storage)
        # The constructor's arguments would warn of an experiment, and so would asking Optuna.
        storage.heartbeat_interval, storage.grace_period = BEAT, seconds
        try:
            return frozenset(asked._get_stale_trial_ids(self._stored.id))
        finally:
            storage.heartbeat_interval = None

    def end(self) -> None:
        """Gives the connection of this thread back."""
        self._storage.remove_session()


class _InJournal(_Signs):
    """A number that changes, by the clock of whoever watches it."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._given = 0
        self._seen: dict[int, tuple[int, float]] = {}

    def give(self, trial_id: int) -> None:
        """Writes another number than before."""
        self._given += 1
        with suppress(OSError, UpdateFinishedTrialError):
            self._stored.storage.set_trial_system_attr(trial_id, SIGN, self._given)

    def silent_for(self, seconds: int) -> frozenset[int]:
        """Compares with what was there at earlier looks; the first look counts as a sign."""
        silent = set()
        for frozen in self._stored.trials():
            if frozen.state != TrialState.RUNNING or SIGN not in frozen.system_attrs:
                continue
            trial_id, sign = self._stored.id_of(frozen), frozen.system_attrs[SIGN]
            if self._seen.get(trial_id, (None,))[0] != sign:
                self._seen[trial_id] = (sign, time.monotonic())
            if time.monotonic() - self._seen[trial_id][1] > seconds:
                silent.add(trial_id)
        return frozenset(silent)
