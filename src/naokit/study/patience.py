"""Repeats what a storage does not answer, for a stated time.

A database that is started anew, or a file that another process holds, is no reason to lose an
evaluation of an hour. What waiting cannot mend is raised at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, TypeVar

import optuna
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

PATIENCE = 300.0
"""Seconds for which an operation is repeated before its error ends the search."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 15.0
"""Seconds of the first pause and of the longest; each pause doubles the one before."""

T = TypeVar("T")

TICKET = "ticket"
"""The attribute that identifies a trial even if its creation was not confirmed."""

HOPELESS = (
    "no such table",
    "no such column",
    "readonly",
    "read-only",
    "unable to open",
    "disk is full",
    "no space",
    "disk i/o error",
    "not a database",
    "malformed",
    "denied",
    "authentication",
    "does not exist",
)
"""Words of operational errors that waiting does not mend."""

# Beneath Optuna's own logger, so that `optuna.logging.set_verbosity` governs it.
_logger = optuna.logging.get_logger("optuna.naokit")


def may_pass(error: BaseException) -> bool:
    """Whether an error of a storage may pass: it is locked, or does not answer."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, DBAPIError) and cause.connection_invalidated:
        return True
    if isinstance(cause, PendingRollbackError):  # of a connection that broke in a transaction
        return True
    if not isinstance(cause, (OperationalError, InterfaceError, PoolTimeout, ConnectionError)):
        return False
    said = str(cause.orig if isinstance(cause, DBAPIError) else cause).lower()
    return not any(word in said for word in HOPELESS)


class Patient:
    """A storage whose operations are tried again; everything else is the storage's own.

    What was done although its answer was lost is not done twice.
    """

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage
        self._given_up = False

    def __getattr__(self, name: str) -> Any:
        if name == "_storage":  # of a copy that is being made
            raise AttributeError(name)
        found = getattr(self._storage, name)
        if not callable(found):
            return found
        # Whatever the storage has: the arguments pass through as they are.
        return lambda *given, **named: self._tried(lambda _: found(*given, **named))

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """A new trial, or the one that was made of the same ticket."""

        def make(again: bool) -> int:
            made = self._made_of(study_id, template_trial) if again else None
            return (
                self._storage.create_new_trial(study_id, template_trial) if made is None else made
            )

        return self._tried(make)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Whether the state is this one now."""

        def write(again: bool) -> bool:
            try:
                return self._storage.set_trial_state_values(trial_id, state, values)
            except UpdateFinishedTrialError:
                if not again or self._storage.get_trial(trial_id).state != state:
                    raise
                return True  # that was us: the first attempt went through

        return self._tried(write)

    def _made_of(self, study_id: int, template: FrozenTrial | None) -> int | None:
        """The trial of this template's ticket."""
        ticket = template and template.user_attrs.get(TICKET)
        trials = self._storage.get_all_trials(study_id, deepcopy=False) if ticket else []
        for trial in trials:
            if trial.user_attrs.get(TICKET) == ticket:
                return self._storage.get_trial_id_from_study_id_trial_number(study_id, trial.number)
        return None

    def _tried(self, operation: Callable[[bool], T]) -> T:
        """The result of the operation, which is told whether it was tried before."""
        pause, ends, again = FIRST_PAUSE, monotonic() + PATIENCE, False
        while True:
            try:
                found = operation(again)
            except (StorageInternalError, SQLAlchemyError, ConnectionError) as error:
                self._given_up |= monotonic() + pause > ends
                if self._given_up or not may_pass(error):
                    raise
                self._give_up_session()
                if not again:
                    self._say(error)
            else:
                if again:
                    _logger.warning("the storage answers again")
                self._given_up = False
                return found
            again = True
            self._wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _give_up_session(self) -> None:
        """Has the storage take a new connection, since a broken transaction stays broken."""
        database = getattr(self._storage, "_backend", None)  # beneath what remembers trials
        if isinstance(database, RDBStorage):
            with suppress(StorageInternalError, SQLAlchemyError):
                database.remove_session()

    def _wait(self, seconds: float) -> None:
        """Pauses; after Ctrl-C nothing is tried again, so that the process can end."""
        try:
            sleep(seconds)
        except BaseException:
            self._given_up = True
            raise

    def _say(self, error: Exception) -> None:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        _logger.warning(
            f"the storage does not answer ({reason}): what is asked of it is tried again for up to "
            f"{PATIENCE / 60:g} minutes; nothing is lost meanwhile"
        )
