"""A line between two processes of one machine."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from naokit.base import InputError
from naokit.workers.conversation import Lost, Message, not_made, not_sent

PAUSE = 0.5
"""Seconds between two looks at whether the process at the other end still lives."""


class Pipe:
    """A line between processes of one machine, by pickling.

    Args:
        connection: This end.
        lives: Whether the process at the other end does. That its end is closed does not show
            while a process that it has forked holds it too.
    """

    def __init__(self, connection: Connection, lives: Callable[[], bool] = lambda: True) -> None:
        self._connection, self._lives = connection, lives
        self._sending = threading.Lock()

    def send(self, message: Message) -> None:
        """See `Line.send`."""
        try:
            content = pickle.dumps(message)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise not_sent(error) from error
        try:
            with self._sending:
                self._connection.send_bytes(content)
        except OSError:
            raise Lost from None

    def receive(self, seconds: float | None = None) -> Message | None:
        """See `Line.receive`."""
        content = self._content(seconds)
        if content is None:
            return None
        try:
            message: Message = pickle.loads(content)  # noqa: S301  # our parent or child sent it
        except InputError:  # of an evaluator that reads its data
            raise
        except Exception as error:
            raise not_made(error) from error
        return message

    def _content(self, seconds: float | None) -> bytes | None:
        ends = None if seconds is None else time.monotonic() + seconds
        try:
            while True:
                left = PAUSE if ends is None else max(0.0, min(PAUSE, ends - time.monotonic()))
                lives = self._lives()
                if self._connection.poll(left):
                    return self._connection.recv_bytes()
                if not lives:
                    raise Lost
                if ends is not None and time.monotonic() >= ends:
                    return None
        except (EOFError, OSError):
            raise Lost from None
