"""Ends processes once this one has ended, however it ended."""

from __future__ import annotations

import os
import subprocess
import weakref
from typing import ClassVar

_SCRIPT = 'read _; kill -s KILL -- "$@"'


class Guard:
    """A shell that waits until nobody holds the other end of its input, then kills.

    A thread could not: what hangs may hold Python's lock, and what it has forked would stay.

    Args:
        targets: The numbers of the processes; minus that of its leader means a group.
    """

    _all: ClassVar[weakref.WeakSet[Guard] | None] = None

    def __init__(self, *targets: int) -> None:
        self._shell = subprocess.Popen(  # noqa: S603  # the line above
            ["/bin/sh", "-c", _SCRIPT, "sh", *map(str, targets)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        if Guard._all is None:
            Guard._all = weakref.WeakSet()
            os.register_at_fork(after_in_child=Guard._let_go)
        Guard._all.add(self)

    def end(self) -> None:
        """Guards no longer."""
        self._shell.kill()
        self._shell.communicate()

    @classmethod
    def _let_go(cls) -> None:
        """Closes what a forked process has inherited, which would keep the shells waiting."""
        for guard in cls._all or ():
            assert guard._shell.stdin is not None
            guard._shell.stdin.close()
