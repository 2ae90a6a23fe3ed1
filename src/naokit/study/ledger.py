"""What the trials of a study hold; each is parsed once.

A trial carries two JSON attributes. Forty ordinary parameters would cost SQLite 440 ms a trial;
one attribute costs 28 (measured)::

    architecture   {"text": ..., "choices": [...], "origin": ..., "worker": {...}, "model": {...},
                    "proposing": ..., "round": ...,
                    "described": [{"choices": [...], "values": {...}}, ...]}
    outcome        {"values": [...], "metrics": {...}, "seconds": ..., "reason": ...,
                    "stopped": ...}

What an evaluation reported epoch by epoch are the trial's intermediate values. One that was stopped
early is pruned, as Optuna says.
"""

from __future__ import annotations

import threading
from bisect import insort
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import optuna
from optuna.trial import FrozenTrial, TrialState

from naokit.base import Json
from naokit.doors import Trial
from naokit.space import Architecture, Space
from naokit.study.liveness import this_worker
from naokit.study.origins import AGAIN, KNOWN, REPLACES
from naokit.study.stored import Stored

ARCHITECTURE = "architecture"
OUTCOME = "outcome"
WORKER = "worker"
"""The process of a trial: earlier versions wrote it before the trial had an architecture."""
INTERRUPTED = "interrupted"
"""The reason of a trial whose process ended before its evaluation did; it does not count."""


def record_of(
    architecture: Architecture,
    origin: str,
    model: Mapping[str, float] | None = None,
    round_number: int = 0,
    described: Sequence[Json] = (),
    proposing: float = 0.0,
) -> dict[str, Json]:
    """What a trial stores: the architecture, the quality of the model then, the process.

    Args:
        architecture: The architecture.
        origin: Where it came from.
        model: The quality of the model.
        round_number: The number of the round.
        described: The descriptors that were measured for the proposal, of any architectures.
        proposing: How long the proposal took, in seconds.
    """
    return {
        "text": str(architecture),
        "choices": list(architecture.choices),
        "origin": origin,
        "worker": this_worker(),
        **({"model": dict(model)} if model else {}),
        **({"proposing": proposing} if proposing else {}),
        **({"round": round_number} if round_number else {}),
        **({"described": list(described)} if described else {}),
    }


def read_architecture(trial: optuna.Trial | FrozenTrial, space: Space) -> Architecture:
    """The architecture of a trial."""
    return space.architecture(trial.user_attrs[ARCHITECTURE]["choices"])


def origin_of(frozen: FrozenTrial) -> str:
    """Where a trial's architecture came from; "" where it has none."""
    origin: str = frozen.user_attrs.get(ARCHITECTURE, {}).get("origin", "")
    return origin


def round_of(frozen: FrozenTrial) -> int:
    """The round in which a trial was proposed; 0 also where there are no rounds."""
    number: int = frozen.user_attrs[ARCHITECTURE].get("round", 0)
    return number


def described_in(frozen: FrozenTrial) -> Sequence[Json]:
    """The descriptors that a trial holds; see `record_of`."""
    found: Sequence[Json] = frozen.user_attrs.get(ARCHITECTURE, {}).get("described", ())
    return found


def ended(frozen: FrozenTrial) -> bool:
    """Whether a finished trial is an evaluation, repeats included, that was not interrupted."""
    if frozen.state == TrialState.PRUNED and not stopped(frozen):
        return False
    return origin_of(frozen) not in ("", KNOWN) and not interrupted(frozen)


def state_of(outcome: Mapping[str, Json]) -> TrialState:
    """The state of a trial that ended with this outcome."""
    if "values" in outcome:
        return TrialState.COMPLETE
    return TrialState.PRUNED if "stopped" in outcome else TrialState.FAIL


def stopped(frozen: FrozenTrial) -> int:
    """The epoch after which an evaluation was stopped early; 0 if it was not."""
    epoch: int = frozen.user_attrs.get(OUTCOME, {}).get("stopped", 0)
    return epoch


def interrupted(frozen: FrozenTrial) -> bool:
    """Whether an evaluation ended without an outcome and has to be repeated."""
    reason = frozen.user_attrs.get(OUTCOME, {}).get("reason")
    return frozen.state != TrialState.COMPLETE and bool(reason == INTERRUPTED)


def to_trial(frozen: FrozenTrial, space: Space) -> Trial:
    """The trial that a finished Optuna trial stores."""
    outcome = frozen.user_attrs.get(OUTCOME, {})
    values = tuple(frozen.values or ()) if frozen.state == TrialState.COMPLETE else ()
    return Trial(
        frozen.number,
        read_architecture(frozen, space),
        values[0] if values else None,
        reason=outcome.get("reason", ""),
        origin=origin_of(frozen),
        model=frozen.user_attrs[ARCHITECTURE].get("model", {}),
        values=values,
        metrics=outcome.get("metrics", {}),
        seconds=outcome.get("seconds", 0.0),
        round=round_of(frozen),
        curve=dict(sorted(frozen.intermediate_values.items())),
        stopped=stopped(frozen),
        proposing=frozen.user_attrs[ARCHITECTURE].get("proposing", 0.0),
    )


@dataclass(frozen=True)
class Reading:
    """What a study held at one moment.

    Attributes:
        ended: Every evaluation that ended, in order, with repeats, without interrupted ones.
        running: The trials that have not ended, by number.
        pending: The architectures of the running trials, without those evaluated again.
        interrupted: First evaluations that ended without an outcome.
    """

    ended: tuple[Trial, ...]
    running: Mapping[int, FrozenTrial]
    pending: Mapping[int, Architecture]
    interrupted: tuple[Trial, ...]

    def without(self, numbers: Collection[int]) -> Reading:
        """The same, but that these trials have no architecture."""
        kept = {number: one for number, one in self.pending.items() if number not in numbers}
        return replace(self, pending=kept)

    def choices_running(self, *origins: str) -> list[tuple[int, ...]]:
        """The choices of the trials that run: of those origins, or of all of them."""
        named = [trial for trial in self.running.values() if ARCHITECTURE in trial.user_attrs]
        return [
            tuple(trial.user_attrs[ARCHITECTURE]["choices"])
            for trial in named
            if not origins or origin_of(trial) in origins
        ]

    @property
    def history(self) -> list[Trial]:
        """The evaluations that methods learn from: one of each architecture, its latest."""
        latest = {t.architecture.choices: t for t in self.ended if t.origin in REPLACES}
        first = [trial for trial in self.ended if trial.origin not in AGAIN]
        return [latest.get(t.architecture.choices, t) for t in first] if latest else first


class Ledger:
    """Reads the trials of a study, each finished one once. Several threads may use it.

    Attributes:
        stored: The study in its storage.
        space: The space of its architectures.
    """

    def __init__(self, stored: Stored, space: Space) -> None:
        self.stored = stored
        self.space = space
        self._lock = threading.RLock()
        self._ended: list[Trial] = []
        self._keys: set[str] = set()
        self._unkeyed: list[Trial] = []  # a key is a graph's digest: only who asks pays for it
        self._interrupted: list[Trial] = []
        self._parsed: set[int] = set()
        self._prefix = 0  # trials before it are all parsed
        self._pending: dict[int, Architecture] = {}
        self._waived: set[int] = set()
        self._latest: Reading | None = None

    @property
    def latest(self) -> Reading:
        """What the last look found; one is taken where there was none."""
        return self._latest or self.read()

    def read(self) -> Reading:
        """All trials, from one look at the storage: one that ends meanwhile is not lost."""
        with self._lock:
            trials = self.stored.trials()
            new = [t for t in trials[self._prefix :] if t.number not in self._parsed]
            for frozen in new:
                if frozen.state.is_finished():
                    self._parse(frozen)
            open_ones = [frozen for frozen in new if frozen.number not in self._parsed]
            self._prefix = open_ones[0].number if open_ones else len(trials)
            running = {t.number: t for t in open_ones if t.state == TrialState.RUNNING}
            pending, cut = self._pending_of(running), tuple(self._interrupted)
            self._latest = Reading(tuple(self._ended), running, pending, cut)
            return self._latest

    def evaluated(self, key: str) -> bool:
        """Whether an architecture of this key was evaluated when the study was last read."""
        with self._lock:
            self._keys.update(trial.architecture.key for trial in self._unkeyed)
            self._unkeyed.clear()
            return key in self._keys

    def waive(self, number: int) -> None:
        """Removes a running trial from the pending ones until it has another architecture."""
        with self._lock:
            self._pending.pop(number, None)
            self._waived.add(number)
            self._latest = self.latest.without([number])

    def claim(self, number: int) -> None:
        """Counts a waived trial as pending again."""
        with self._lock:
            self._waived.discard(number)

    def _parse(self, frozen: FrozenTrial) -> None:
        self._parsed.add(frozen.number)
        if interrupted(frozen) and origin_of(frozen) not in ("", KNOWN, *AGAIN):
            self._interrupted.append(to_trial(frozen, self.space))
        if ended(frozen):
            trial = to_trial(frozen, self.space)
            if trial.architecture == self._pending.get(trial.number):  # whose key may be known
                trial = replace(trial, architecture=self._pending[trial.number])
            insort(self._ended, trial, key=lambda other: other.number)
            self._unkeyed.append(trial)

    def _pending_of(self, running: Mapping[int, FrozenTrial]) -> Mapping[int, Architecture]:
        """The architectures of running trials; known ones keep what they have cached."""
        found = {}
        for number, frozen in running.items():
            if origin_of(frozen) in ("", KNOWN, *AGAIN) or number in self._waived:
                continue
            choices = tuple(frozen.user_attrs[ARCHITECTURE]["choices"])
            known = self._pending.get(number)
            if known is None or known.choices != choices:
                known = self.space.architecture(choices)
            found[number] = known
        self._pending = found
        return dict(found)
