"""Runs spread over processes that end with the process that began them, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.connection import Connection

from naokit.bench.search import Search


def in_processes(
    calls: Sequence[tuple[object, ...]], function: Callable[..., Search], processes: int
) -> Generator[Search]:
    """Yields what the calls return, as they end; closing the iterator ends the processes.

    Args:
        calls: The arguments of each call.
        function: A function of a module, so that another process finds it.
        processes: How many calls run at once.
    """
    context = multiprocessing.get_context("spawn")  # a forked BLAS or torch may hang
    held, ours = context.Pipe(duplex=False)  # ours closes with this process, even by `kill -9`
    with ProcessPoolExecutor(processes, context, _end_with_parent, (held,)) as pool:
        waiting = [pool.submit(function, *call) for call in calls]
        try:
            for future in as_completed(waiting):
                yield future.result()
        except BaseException:
            ours.close()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    ours.close()


def _end_with_parent(held: Connection) -> None:
    """Ends this process once the other end of the pipe is closed; Ctrl-C is the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        held.poll(None)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
