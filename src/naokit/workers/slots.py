"""Workers that are slots: each holds one worker at a time, and gets another where that has died."""

from __future__ import annotations

import atexit
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue

from naokit.base import EvaluationFailed, InputError
from naokit.doors import WORKER_DIED, Evaluator, Reporter, Result, Workers
from naokit.space import Architecture
from naokit.workers.conversation import Call, Conversation, Line, Lost, Over


class Slot(ABC):
    """One worker at a time, begun when it is first needed, and again when it has ended.

    Args:
        seconds: How long an evaluation may take. If None, there is no limit.
        memory: How many bytes a worker may hold. If None, there is no limit.
    """

    def __init__(self, seconds: float | None, memory: int | None) -> None:
        for name, limit in (("seconds", seconds), ("memory", memory)):
            if limit is not None and limit <= 0:
                raise InputError(f"`{name}` is {limit:g}; expected more than 0")
        self.seconds, self.memory = seconds, memory
        self._conversation: Conversation | None = None
        self._closed = False
        self._lock = threading.Lock()  # `close` comes from another thread than `evaluate`

    @abstractmethod
    def begin(self) -> Line:
        """Begins a worker without waiting for it; the line to it."""

    @abstractmethod
    def stop(self) -> str:
        """Ends the worker and all that it has begun, if there is one; how it ended, in words."""

    def unready(self, how: str) -> Exception:
        """The error where a worker ended before it said that it is ready."""
        return EvaluationFailed(WORKER_DIED, how)

    def evaluate(self, call: Call) -> Result:
        """What the evaluator gives or raises there.

        Raises:
            EvaluationFailed: Also where the worker died, or took too much time or memory.
        """
        try:
            if self._conversation is None:
                self._conversation = self._opened()
            return self._conversation.evaluate(call, self.seconds)
        except Over as over:
            self.end()
            raise over.failure from None
        except Lost:
            raise EvaluationFailed(WORKER_DIED, self.end()) from None

    def _opened(self) -> Conversation:
        with self._lock:
            self._check_open()
            line = self.begin()
        try:
            line.receive()  # it is ready
        except Lost:
            how = self.end()
            self._check_open()
            raise self.unready(how) from None
        return Conversation(line)

    def _check_open(self) -> None:
        if self._closed:
            raise EvaluationFailed(WORKER_DIED, "it was closed")

    def end(self) -> str:
        """Ends the worker; how it ended, in words."""
        with self._lock:
            self._conversation = None
            return self.stop()

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
        for slot in slots:
            # Not of a pool: Python would wait for the evaluations of one before it ends.
            threading.Thread(target=self._work, args=(slot,), daemon=True).start()
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

    def _work(self, slot: Slot) -> None:
        while waiting := self._waiting.get():
            future, call = waiting
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(slot.evaluate(call))
                except BaseException as error:  # noqa: BLE001  # the future raises it
                    future.set_exception(error)
