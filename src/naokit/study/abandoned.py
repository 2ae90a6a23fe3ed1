"""Trials whose process is gone: found, and ended, so that what they evaluated is done again.

A process of this machine is looked at; one elsewhere shows signs of life where the storage keeps
them. What shows none is ended by nobody but the user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial

from naokit.base import Json
from naokit.study.heartbeat import GRACE, Pulse
from naokit.study.ledger import ARCHITECTURE, INTERRUPTED, OUTCOME, WORKER, Ledger, state_of
from naokit.study.liveness import lives, this_worker
from naokit.study.stored import Stored
from naokit.wording import counted

# Beneath Optuna's own logger, so that `optuna.logging.set_verbosity` governs it.
_logger = optuna.logging.get_logger("optuna.naokit")


class Watch:
    """Looks after the trials of other processes.

    Args:
        ledger: The ledger of the study.
        held: The trials of this process, by number.
        pulse: The signs of life.
    """

    def __init__(self, ledger: Ledger, held: Mapping[int, int], pulse: Pulse) -> None:
        self._stored = ledger.stored
        self._ledger = ledger
        self._held = held
        self._pulse = pulse

    def release_abandoned(self) -> None:
        """Looks at the study, and ends trials whose process is gone.

        Their evaluations are done again where they have no outcome.
        """
        abandoned = [frozen for frozen in self._of_others() if self._is_abandoned(frozen)]
        for frozen in abandoned:
            settle(self._stored, frozen)
        if abandoned:
            self._ledger.read()

    def release_silent(self) -> int:
        """Ends trials that run on other machines without a sign of life, and says how many."""
        silent = self.silent()
        for frozen in silent:
            settle(self._stored, frozen)
        return len(silent)

    def at_work(self) -> list[FrozenTrial]:
        """Trials of other processes that live, or whose death is seen and not yet settled."""
        others = [one for one in self._of_others() if _worker_of(one) != this_worker()]
        silent = {frozen.number for frozen in self._silent_of(others)}
        return [frozen for frozen in others if frozen.number not in silent]

    def silent(self) -> list[FrozenTrial]:
        """Trials that run on other machines and do not show whether they live."""
        return self._silent_of(self._of_others())

    def _silent_of(self, others: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        unseen = [frozen for frozen in others if _lives(frozen) is None]
        living = self._pulse.living() if unseen else frozenset()
        return [frozen for frozen in unseen if self._stored.id_of(frozen) not in living]

    def say_silent(self) -> None:
        """Warns of silent trials that began long ago, since only `release` ends them."""
        silent = [frozen for frozen in self.silent() if _age(frozen) > timedelta(seconds=GRACE)]
        if silent:
            hosts = sorted({str((_worker_of(frozen) or {}).get("host")) for frozen in silent})
            _logger.warning(
                f"{counted(len(silent), 'trial')} of the study {self._stored.study.study_name} "
                f"{'runs' if len(silent) == 1 else 'run'} on {', '.join(hosts)} without a sign of "
                "life; where that is gone, --release-abandoned (study.release()) has the same "
                "evaluated again"
            )

    def _of_others(self) -> list[FrozenTrial]:
        running = self._ledger.read().running.values()
        return [frozen for frozen in running if frozen.number not in self._held]

    def _is_abandoned(self, frozen: FrozenTrial) -> bool:
        if _worker_of(frozen) is None:  # made by Optuna alone, or cut off while it was made
            return _age(frozen) > timedelta(minutes=1)
        alive = _lives(frozen)
        if alive is not None:
            return not alive
        return self._stored.id_of(frozen) in self._pulse.stopped()


def settle(stored: Stored, frozen: FrozenTrial) -> None:
    """Ends a running trial as its outcome says, or as interrupted where it has none."""
    outcome = frozen.user_attrs.get(OUTCOME, {})
    values = outcome.get("values")
    storage, trial_id = stored.storage, stored.id_of(frozen)
    with suppress(UpdateFinishedTrialError):  # another process has done it
        if not outcome.keys() & {"values", "reason", "stopped"}:
            storage.set_trial_user_attr(trial_id, OUTCOME, {"reason": INTERRUPTED})
        storage.set_trial_state_values(trial_id, state_of(outcome), values)


def _worker_of(frozen: FrozenTrial) -> dict[str, Json] | None:
    worker: dict[str, Json] | None = frozen.user_attrs.get(ARCHITECTURE, frozen.user_attrs).get(
        WORKER
    )
    return worker


def _lives(frozen: FrozenTrial) -> bool | None:
    """Whether its process runs; None where that is on another machine or unknown."""
    worker = _worker_of(frozen)
    return None if worker is None else lives(worker)


def _age(frozen: FrozenTrial) -> timedelta:
    now = datetime.now()
    return now - (frozen.datetime_start or now)
