"""How much memory a worker holds, and who goes first where the machine has none left."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from naokit.base import EvaluationFailed

PAUSE = 0.02
"""Seconds between two looks at this process: at two gigabytes a second, 40 megabytes."""
CHILDREN = 1.0
"""Seconds between two looks at its children, which cost a walk through all processes."""
GRACE = 5.0
"""Seconds in which the submitter ends the worker, before it ends itself."""


def goes_first() -> None:
    """Has the kernel end this process, not the search, where the machine's memory is short."""
    with suppress(OSError):  # Linux only, and not everywhere allowed
        Path("/proc/self/oom_score_adj").write_text("1000")


@contextmanager
def watched(most: int | None, leave: Callable[[EvaluationFailed], None]) -> Iterator[None]:
    """Ends this process where it and its children hold too much memory, after its last words.

    A thread looks: numpy and torch let it run while they fill large arrays.

    Args:
        most: How many bytes they may hold; None is no limit.
        leave: Takes the last words.
    """
    if most is None:
        yield
        return
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(most, leave, done), daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()


def _watch(most: int, leave: Callable[[EvaluationFailed], None], done: threading.Event) -> None:
    process, children, looked = psutil.Process(), 0, -CHILDREN
    while not done.wait(PAUSE):
        if time.monotonic() - looked >= CHILDREN:
            children, looked = _of_children(process), time.monotonic()
        held = _own(process) + children
        if held > most:
            leave(EvaluationFailed("out of memory", f"{held:,} bytes are held, of {most:,}"))
            time.sleep(GRACE)
            os._exit(1)


def _own(process: psutil.Process) -> int:
    """The bytes of a process; a mapped file and an object store are not its own."""
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def _of_children(process: psutil.Process) -> int:
    """The bytes of its children, each byte once: what a forked process shares is not its own."""
    held = 0
    for child in process.children(recursive=True):
        with suppress(psutil.Error):  # it has ended, or may not be looked at
            held += int(child.memory_full_info().uss)
    return held
