"""Workers that are slots: each holds one worker at a time, and gets another where that has died."""

from __future__ import annotations

import atexit
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue

from naokit.base import EvaluationFailed, InputError
from naokit.doors import WORKER_DIED, Evaluator, Reporter, Result, Workers
from naokit.space import Architecture
from naokit.workers.conversation import Call, Conversation, Line, Lost, Over

GRACE = 1.0
"""Seconds in which a worker that is lost may end by itself, so that it can be told why."""

PATIENCE = 5.0
"""Seconds in which the threads must have seen that their workers are gone."""


def check_limits(seconds: float | None, memory: int | None) -> None:
    """Raises InputError where a limit leaves nothing."""
    for name, limit in (("`seconds`", seconds), ("`memory`", memory)):
        if limit is not None and limit <= 0:
            raise InputError(f"{name} is {limit:g}; expected more than 0")


class Slot(ABC):
    """One worker at a time, begun when it is first needed, and again when it has ended.

    Args:
        seconds: How long an evaluation may take. If None, there is no limit.
        memory: How many bytes a worker may hold. If None, there is no limit.
    """

    def __init__(self, seconds: float | None, memory: int | None) -> None:
        self.seconds, self.memory = seconds, memory
        self._conversation: Conversation | None = None
        self._closed = False
        self._lock = threading.Lock()  # `close` comes from another thread than `evaluate`

    @abstractmethod
    def begin(self) -> Line:
        """Begins a worker without waiting for it; the line to it."""

    @abstractmethod
    def stop(self, grace: float) -> str:
        """Ends the worker and all that it has begun, if there is one; how it ended, in words.

        Args:
            grace: The seconds in which it may end by itself.
        """

    def unready(self, how: str) -> Exception:
        """The error where a worker ended before it said that it is ready."""
        return EvaluationFailed(WORKER_DIED, how)

    def evaluate(self, call: Call) -> Result:
        """What the evaluator gives or raises there.

        Raises:
            EvaluationFailed: Also where the worker died, or took too much time or memory.
        """
        try:
            return self.opened().evaluate(call, self.seconds)
        except Over as over:
            self.end()
            raise over.failure from None
        except Lost as lost:
            raise EvaluationFailed(WORKER_DIED, self.end(GRACE) or str(lost)) from None

    def wait_for_room(self) -> None:  # noqa: B027  # few have to
        """Waits until a worker can be begun; by default there always is room for one."""

    def opened(self) -> Conversation:
        """The conversation with the worker, who is begun if there is none."""
        if self._conversation is not None:
            return self._conversation
        with self._lock:
            self._check_open()
            line = self.begin()
        try:
            line.receive()  # it is ready
        except Lost as lost:
            how = self.end(GRACE) or str(lost)
            self._check_open()
            raise self.unready(how) from None
        self._conversation = Conversation(line)
        return self._conversation

    def _check_open(self) -> None:
        if self._closed:
            raise EvaluationFailed(WORKER_DIED, "it was closed")

    def end(self, grace: float = 0.0) -> str:
        """Ends the worker; how it ended, in words."""
        with self._lock:
            self._conversation = None
            return self.stop(grace)

    def close(self) -> None:
        """Ends the worker for good."""
        self._closed = True
        self.end()


class Slots(Workers):
    """Workers with a thread for each slot, which waits for what is evaluated there.

    Args:
        slots: The slots.
    """

    def __init__(self, slots: Sequence[Slot]) -> None:
        self.slots = len(slots)
        self._slots, self._closed = slots, False
        self._waiting: SimpleQueue[tuple[Future[Result], Call] | None] = SimpleQueue()
        # Not of a pool: Python would wait for the evaluations of one before it ends.
        self._threads = [
            threading.Thread(target=self._work, args=(slot,), daemon=True) for slot in slots
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(self.close)

    def submit(
        self,
        evaluator: Evaluator,
        architecture: Architecture,
        seed: int,
        told: Reporter | None = None,
    ) -> Future[Result]:
        """The result to come, of the next slot that is idle."""
        if self._closed:
            raise RuntimeError("these workers are closed")
        future: Future[Result] = Future()
        self._waiting.put((future, Call(evaluator, architecture, seed, told)))
        return future

    def close(self) -> None:
        """Ends the workers at once."""
        atexit.unregister(self.close)
        self._closed = True
        with suppress(Empty):
            while waiting := self._waiting.get_nowait():
                waiting[0].cancel()
        for slot in self._slots:
            slot.close()
            self._waiting.put(None)
        ends = time.monotonic() + PATIENCE
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, ends - time.monotonic()))

    def _work(self, slot: Slot) -> None:
        while True:
            slot.wait_for_room()  # meanwhile other slots take what waits
            waiting = self._waiting.get()
            if waiting is None:
                return
            future, call = waiting
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(slot.evaluate(call))
                except BaseException as error:  # noqa: BLE001  # the future raises it
                    future.set_exception(error)
