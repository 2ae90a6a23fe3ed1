"""What the process of a worker does: it imports what was started, then evaluates what is sent.

It is a process of its own making, not one of `multiprocessing`: so it begins with its own
environment and its own process group, before anything that CUDA or a thread pool would read.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import Pipe as _Pipe
from multiprocessing import spawn
from multiprocessing.connection import Connection

from naokit.workers.conversation import serve
from naokit.workers.guard import Guard
from naokit.workers.memory import goes_first
from naokit.workers.pipe import Pipe

importing = False
"""Whether this process is a worker that imports what was started."""


class Process:
    """A process of its own group that serves evaluations; it and its children end with this one.

    Args:
        environment: The variables that it has besides those of this process.
        memory: How many bytes it and its children may hold while they evaluate.
    """

    def __init__(self, environment: Mapping[str, str], memory: int | None) -> None:
        preparation = spawn.get_preparation_data("naokit worker")
        preparation.pop("authkey")  # of managers, and not to be sent
        ours, theirs = _Pipe()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # it runs this file
                [spawn.get_executable(), "-c", _code(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **environment},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._guard = Guard(-self._process.pid)
        self.line = Pipe(ours, lambda: self._process.poll() is None)
        with suppress(OSError):  # where it has ended already the line says so
            ours.send((preparation, memory))

    def end(self, grace: float) -> int:
        """Ends it and its children; its exit code, negative where a signal ended it.

        Args:
            grace: The seconds in which it may end by itself.
        """
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        self._guard.end()
        return code


def in_words(code: int) -> str:
    """How a process with this exit code has ended."""
    if code >= 0:
        return f"its process ended with exit code {code}"
    words = signal.strsignal(-code) or "unknown"
    return f"its process was ended by signal {-code} ({words.lower()})"


def _code(descriptor: int) -> str:
    """Begins to serve, with naokit and all else found where this process has found it."""
    path = [str(place) for place in sys.path]
    return (
        f"import sys; sys.path[:] = {path}\n"
        f"from naokit.workers.process import begin; begin({descriptor})"
    )


def begin(descriptor: int) -> None:
    """Serves evaluations until nothing more can come.

    Args:
        descriptor: The file descriptor of the connection to the submitter.
    """
    global importing
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the submitter's
    goes_first()
    connection = Connection(descriptor)
    preparation, memory = connection.recv()
    importing = True
    spawn.prepare(preparation)
    importing = False
    try:
        serve(Pipe(connection), memory)
    except SystemExit as ended:  # of an evaluation; Python would wait for what it has forked
        os._exit(ended.code if isinstance(ended.code, int) else 1)
