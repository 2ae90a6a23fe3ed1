"""What a submitter and a worker say to each other, whatever carries it.

    submitter                                 worker
                                          <-  READY
    KNOW evaluator                        ->
                                          <-  KNOWN, or RAISED error
    EVALUATE architecture seed reporter   ->
                                          <-  EPOCH number value, any number of times,
    ANSWER whether it stops, or an error  ->  each answered
                                          <-  ENDED result, RAISED error, or LEAVING error

A worker is told the evaluator once. One that is leaving evaluates nothing more.
"""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from naokit.base import EvaluationFailed, InputError
from naokit.doors import Evaluator, Reporter, Result
from naokit.space import Architecture
from naokit.workers.here import evaluated
from naokit.workers.memory import watched

READY, KNOW, KNOWN, EVALUATE, EPOCH, ANSWER, ENDED, RAISED, LEAVING = (
    *("ready", "know", "known", "evaluate", "epoch", "answer", "ended", "raised", "leaving"),
)

Message = tuple[Any, ...]


class Lost(Exception):
    """The other end of a line is gone."""


class Over(Exception):
    """An evaluation has failed and its worker is of no more use."""

    def __init__(self, failure: EvaluationFailed) -> None:
        super().__init__(str(failure))
        self.failure = failure


def not_sent(error: Exception, what: str = "the evaluator or the architecture") -> InputError:
    """What to say where a message cannot be carried."""
    return InputError(
        f"{what} cannot be sent to another process ({error}): define it in a module, not in a "
        "function, or leave `workers` out"
    )


def not_made(reason: object) -> InputError:
    """What to say where a message cannot be made again at the other end."""
    return InputError(
        f"the evaluator or the architecture cannot be made again in another process ({reason}): "
        "define it in a module that can be imported, or leave `workers` out"
    )


class Line(Protocol):
    """Carries messages between a submitter and a worker, whole and in order."""

    def send(self, message: Message) -> None:
        """Sends a message.

        Raises:
            Lost: The other end is gone.
            InputError: The message cannot be carried.
        """

    def receive(self, seconds: float | None = None) -> Message | None:
        """The next message; None where these seconds have passed without one.

        Raises:
            Lost: The other end is gone, and nothing that it sent is left.
            InputError: The message cannot be made again here.
        """


@dataclass(frozen=True)
class Call:
    """One evaluation that was submitted; the fields are the arguments of `Workers.submit`."""

    evaluator: Evaluator
    architecture: Architecture
    seed: int
    told: Reporter | None


class Conversation:
    """The submitter's side.

    Args:
        line: The line to the worker, who has said that it is ready.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._known: Evaluator | None = None

    def evaluate(self, call: Call, seconds: float | None) -> Result:
        """What the evaluator gives or raises there; who is told of epochs is told here.

        Args:
            call: What is evaluated.
            seconds: How long it may take there.

        Raises:
            Lost: The worker is gone.
            Over: The evaluation took too long or too much memory.
        """
        if call.evaluator is not self._known:
            self._line.send((KNOW, call.evaluator))
            self._heard(None)
            self._known = call.evaluator
        remote = None if call.told is None else Remote(call.told.folder)
        self._line.send((EVALUATE, call.architecture, call.seed, remote))
        left = seconds
        while True:
            asked = time.monotonic()
            kind, *said = self._heard(left)
            if kind == ENDED:
                result: Result = said[0]
                return result
            if left is not None:  # what is done here does not count
                left = max(0.0, left - (time.monotonic() - asked))
            assert call.told is not None  # else nobody there reports
            self._line.send((ANSWER, _answer(call.told, *said)))

    def _heard(self, seconds: float | None) -> Message:
        """The worker's next message, unless it says that something went wrong."""
        message = self._line.receive(seconds)
        if message is None:
            raise Over(EvaluationFailed("out of time", f"not done after {seconds:g} seconds"))
        if message[0] == RAISED:
            raise message[1]
        if message[0] == LEAVING:
            raise Over(message[1])
        return message


def _answer(told: Reporter, epoch: int, value: float) -> bool | Exception:
    """Whether to stop, or an error that the evaluation shall raise."""
    try:
        return told.report(epoch, value)
    except (EvaluationFailed, InputError) as error:
        return error


class Remote(Reporter):
    """Reports to the submitter, and waits for what it says.

    Args:
        folder: Where the evaluation may keep a checkpoint.
    """

    line: Line

    def __init__(self, folder: Path | None) -> None:
        self.folder = None if folder is None else folder.absolute()
        parents = () if self.folder is None else self.folder.parents
        self._there = next((parent for parent in parents if parent.exists()), None)

    def arrived(self, line: Line) -> None:
        """Called at the worker, whose machine may have other disks: then nothing is kept."""
        self.line = line
        if self._there is not None and not self._there.exists():
            self.folder = None

    def report(self, epoch: int, value: float) -> bool:
        """Whether to stop here, or the error that was raised there."""
        self.line.send((EPOCH, epoch, value))
        answer = self.line.receive()
        assert answer is not None
        if isinstance(answer[1], Exception):
            raise answer[1]
        return bool(answer[1])


def serve(line: Line, memory: int | None) -> None:
    """The worker's side: evaluates what it is asked to, until the line is lost.

    Args:
        line: The line to the submitter.
        memory: How many bytes this process and its children may hold while they evaluate.
    """
    line.send((READY,))
    evaluator: Evaluator | None = None
    while True:
        try:
            kind, *said = line.receive() or ()
        except Lost:
            return
        except InputError as error:
            line.send((RAISED, error))
            continue
        if kind == KNOW:
            evaluator = said[0]
            line.send((KNOWN,))
        else:
            assert evaluator is not None
            line.send(_outcome(line, memory, evaluator, *said))


def _outcome(
    line: Line,
    memory: int | None,
    evaluator: Evaluator,
    architecture: Architecture,
    seed: int,
    remote: Remote | None,
) -> Message:
    """The result of an evaluation, or its error."""
    if remote is not None:
        remote.arrived(line)
    try:
        with watched(memory, lambda failure: line.send((LEAVING, failure))):
            result = evaluated(evaluator, architecture, seed, remote)
        pickle.dumps(result)
    except Exception as error:  # noqa: BLE001  # it is raised where the result is waited for
        return RAISED, _portable(error)
    return ENDED, result


def _portable(error: Exception) -> Exception:
    """The error, or one that says the same and can be sent."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # written a moment ago
    except Exception:  # noqa: BLE001  # whatever its class does when it is made again
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
