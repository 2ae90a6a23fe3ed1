"""Signs of life of the trials that a process holds, for processes that cannot look at it.

Optuna keeps them in its database, by the database's clock. Its own `optimize` beats; here a
thread does, from asking to telling, whoever evaluates in between.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, cast

from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from naokit.study.stored import Stored

BEAT = 60
"""Seconds between two signs of life."""

GRACE = 900
"""Seconds without one after which a trial counts as abandoned: three times what is waited for a
storage that does not answer, so that a database that was away costs no worker its trial."""


class Pulse:
    """Gives signs of life for trials and tells which others have stopped, if the storage keeps any.

    Args:
        stored: The study of the trials.
        held: The trials of this process, from number to trial id, looked at before each beat.
    """

    def __init__(self, stored: Stored, held: Mapping[int, int]) -> None:
        backend = getattr(stored.storage, "_backend", None)
        self._storage = backend if isinstance(backend, RDBStorage) else None
        self._stored = stored
        self._held = held
        self._thread: threading.Thread | None = None
        self._never = threading.Event()
        self._looked = -float("inf")
        self._stopped: frozenset[int] = frozenset()

    def begin(self, trial_id: int) -> None:
        """Gives the first sign of life of a trial; others follow."""
        if self._storage is None:
            return
        self._beat(self._storage, trial_id)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._go_on, args=(self._storage,), daemon=True)
            self._thread.start()

    def stopped(self) -> frozenset[int]:
        """Ids of running trials whose signs of life stopped long ago, looked up once a minute."""
        if self._storage is not None and time.monotonic() - self._looked >= BEAT:
            self._stopped = self._silent_for(GRACE)
            self._looked = time.monotonic()
        return self._stopped

    def living(self) -> frozenset[int]:
        """Ids of running trials whose last sign of life is recent."""
        return self._silent_for(-1) - self._silent_for(GRACE)

    def _silent_for(self, seconds: int) -> frozenset[int]:
        """Ids of running trials that beat once, but not in the last seconds."""
        storage, asked = self._storage, cast(Any, self._stored.storage)
        if storage is None:
            return frozenset()
        # The constructor's arguments would warn of an experiment, and so would asking Optuna.
        storage.heartbeat_interval, storage.grace_period = BEAT, seconds
        try:
            return frozenset(asked._get_stale_trial_ids(self._stored.id))
        finally:
            storage.heartbeat_interval = None

    def _go_on(self, storage: RDBStorage) -> None:
        while self._held and not self._never.wait(BEAT):
            for trial_id in tuple(self._held.values()):
                self._beat(storage, trial_id)
        storage.remove_session()

    @staticmethod
    def _beat(storage: RDBStorage, trial_id: int) -> None:
        """Gives one sign of life; if the storage does not answer, the next one will do."""
        try:
            storage.record_heartbeat(trial_id)
        except (StorageInternalError, SQLAlchemyError):
            storage.remove_session()
