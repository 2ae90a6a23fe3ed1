"""Evaluations that report each epoch: what they reported is kept, and some stop early.

    evaluator ──report──> trial's curve ──> pruner ──> stop, or go on

An evaluation that was stopped is a result of lower fidelity. It goes on from its checkpoint where
the pruner would not stop it any more.
"""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from naokit.base import Curve, EvaluationFailed, InputError, derive_seed
from naokit.doors import Evaluator, Reporter, Trial
from naokit.files import temporary_folder
from naokit.space import Architecture
from naokit.study.corridor import Asked
from naokit.study.ledger import Ledger, Reading
from naokit.study.origins import REPEAT, RESCORED
from naokit.study.pruning import Pruner, Seen

TRIALS = "trials"
"""The folder of the checkpoints of stopped evaluations."""
MOST_BYTES = 2 << 30
"""How much these may take; beyond it the least promising go, and would begin anew."""


class Stopping:
    """The learning curves of a study, and who is stopped by them.

    Args:
        ledger: The ledger of the study.
        held: The trials of this process, from number to trial id.
        sign: 1 where more is better, -1 where less is.
        pruner: Who decides. If None, nobody is stopped.
    """

    def __init__(
        self, ledger: Ledger, held: Mapping[int, int], sign: float, pruner: Pruner | None
    ) -> None:
        self.pruner = pruner
        self._ledger, self._held, self._sign = ledger, held, sign
        self._curves: dict[int, dict[int, float]] = {}  # of the trials that run here; more: better
        self._ended: dict[int, Seen] = {}
        self._told: dict[int, Told] = {}
        self._checkpoints: Checkpoints | None = None
        self._lock = threading.Lock()

    def keep_in(self, folder: Path | None) -> None:
        """Checkpoints are kept in this folder, or in one of its own that ends with the process."""
        if self.pruner is not None:
            self._checkpoints = Checkpoints(folder or temporary_folder(self))

    def told(self, asked: Asked, evaluator: Evaluator) -> Told | None:
        """Who is told of an evaluation that is about to begin; None where it cannot be stopped."""
        if self.pruner is None or evaluator.epochs == 1 or asked.origin in (REPEAT, RESCORED):
            return None
        assert self._checkpoints is not None  # `keep_in` was called
        waiting = [trial for trial in reporting(self._ledger.read()) if trial.stopped]
        waiting.sort(key=self._promise, reverse=True)
        self._checkpoints.bound(trial.architecture for trial in waiting)
        folder = self._checkpoints.of(asked.architecture)
        told = Told(self, asked.number, evaluator.epochs, folder)
        self._told[asked.number] = told
        return told

    def over(self, asked: Asked) -> bool:
        """Whether an evaluation that ended was told to stop; else its checkpoint is removed."""
        told = self._told.pop(asked.number, None)
        if told is None:
            return False
        assert self._checkpoints is not None
        if not told.stopped:
            self._checkpoints.drop(asked.architecture)
        return told.stopped

    def ended(self, *, complete: bool) -> None:
        """The search ended; where it is complete, the checkpoints of what does not run go."""
        if not complete or self._checkpoints is None:
            return
        reading = self._ledger.read()
        running = reading.choices_running()
        for trial in reporting(reading):
            if trial.architecture.choices not in running:
                self._checkpoints.drop(trial.architecture)
        self._checkpoints.close()

    def begin(self, number: int, curve: Curve) -> None:
        """A trial of this process begins, or goes on where this curve ends."""
        with self._lock:
            self._curves[number] = self._turned(curve)

    def report(self, number: int, epoch: int, value: float) -> None:
        """Keeps the value of a trial after an epoch.

        Raises:
            InputError: The epoch is not after those that were reported.
            EvaluationFailed: The value is not finite.
        """
        curve = self._curve(number)
        if isinstance(epoch, bool) or int(epoch) != epoch or epoch <= max(curve, default=0):
            raise InputError(
                f"trial {number} reports epoch {epoch} after epoch {max(curve, default=0)}: report "
                "whole epochs in order, from 1"
            )
        if not math.isfinite(value):
            raise EvaluationFailed("diverged", f"the value is {value} after epoch {epoch}")
        trial_id = self._held[number]
        self._ledger.stored.storage.set_trial_intermediate_value(trial_id, int(epoch), float(value))
        with self._lock:
            curve[int(epoch)] = self._sign * float(value)

    def should_stop(self, number: int) -> bool:
        """Whether the pruner stops a trial after the last epoch that it reported."""
        curve = self._curve(number)
        if self.pruner is None or not curve:
            return False
        reading = self._ledger.read()
        running = [
            self._turned(frozen.intermediate_values)
            for other, frozen in reading.running.items()
            if other != number and frozen.intermediate_values
        ]
        with self._lock:
            return self.pruner.stops(curve, self._seen(reading), running)

    def last(self, number: int) -> int:
        """The last epoch that a trial of this process reported; 0 if there is none."""
        return max(self._curves.get(number, {}), default=0)

    def to_continue(self) -> Trial | None:
        """The stopped evaluation that goes on after all: of those that came farthest, the best."""
        if self.pruner is None:
            return None
        reading = self._ledger.read()
        resumes = self.pruner.resumes(self._seen(reading))
        running = reading.choices_running()
        found = [
            trial
            for trial, goes_on in zip(reporting(reading), resumes, strict=True)
            if goes_on and trial.stopped
            if trial.architecture.choices not in running
        ]
        return max(found, key=self._promise, default=None)

    def _promise(self, trial: Trial) -> tuple[float, ...]:
        """The larger, the more a stopped evaluation promises."""
        return (trial.stopped, max(self._turned(trial.curve).values()), -trial.number)

    def _seen(self, reading: Reading) -> list[Seen]:
        found = []
        for trial in reporting(reading):
            if trial.number not in self._ended:
                self._ended[trial.number] = Seen(self._turned(trial.curve), trial.value is not None)
            found.append(self._ended[trial.number])
        return found

    def _turned(self, curve: Curve) -> dict[int, float]:
        """A curve in which more is better."""
        return {epoch: self._sign * value for epoch, value in curve.items()}

    def _curve(self, number: int) -> dict[int, float]:
        with self._lock:
            return self._curves.setdefault(number, {})


def reporting(reading: Reading) -> list[Trial]:
    """The evaluations that reported and ended, one of each architecture, as far as it came."""
    return [trial for trial in reading.history if trial.curve]


def check_epochs(pruner: object | None, evaluator: Evaluator, epochs: int | None) -> None:
    """Raises InputError where a budget is too small for one evaluation, or counts nothing."""
    if epochs is None:
        return
    if pruner is None or evaluator.epochs == 1:
        raise InputError(
            "`epochs` counts what evaluations report: give a `pruner`, and an evaluator that "
            "reports its epochs"
        )
    if epochs < evaluator.epochs:
        raise InputError(
            f"`epochs` is {epochs}, fewer than the {evaluator.epochs} of one evaluation: allow "
            "more, or shorten the recipe"
        )


class Told(Reporter):
    """Is told of one evaluation of a study.

    Args:
        stopping: The curves of the study.
        number: The number of the trial.
        epochs: How many epochs the evaluation has; after the last one it is not stopped.
        folder: Where it may keep its checkpoint.

    Attributes:
        stopped: Whether it was told to stop.
    """

    def __init__(self, stopping: Stopping, number: int, epochs: int, folder: Path) -> None:
        self.stopped = False
        self.folder = folder
        self._stopping, self._number, self._epochs = stopping, number, epochs

    def report(self, epoch: int, value: float) -> bool:
        """Keeps the value, and asks the pruner."""
        if epoch > self._epochs:
            raise InputError(f"epoch {epoch} is reported, but an evaluation has {self._epochs}")
        if epoch <= self._stopping.last(self._number):  # it began anew where it should go on
            return False
        self._stopping.report(self._number, epoch, value)
        self.stopped = epoch < self._epochs and self._stopping.should_stop(self._number)
        return self.stopped


class Checkpoints:
    """Where stopped evaluations wait: a folder for each architecture, as long as it may go on.

    Args:
        folder: The folder of the search.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / TRIALS

    def of(self, architecture: Architecture) -> Path:
        """The folder of an architecture; it is there once something is written."""
        return self._folder / f"{derive_seed('checkpoint', architecture.key):016x}"

    def drop(self, architecture: Architecture) -> None:
        """Removes that of an evaluation that ended."""
        shutil.rmtree(self.of(architecture), ignore_errors=True)

    def bound(self, waiting: Iterable[Architecture], most: int = MOST_BYTES) -> None:
        """Removes those that promise least, the last ones, where all take too much."""
        if not self._folder.exists():
            return
        left = most
        for architecture in waiting:
            left -= sum(file.stat().st_size for file in self.of(architecture).glob("*"))
            if left < 0:
                self.drop(architecture)

    def close(self) -> None:
        """Removes the folder of all of them, if nothing is left there."""
        with suppress(OSError):
            self._folder.rmdir()
