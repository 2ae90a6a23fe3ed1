"""Runs spread over processes that end with the process that began them, however it ends."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from naokit.bench.search import Search
from naokit.workers.local import end_with_parent


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
    with ProcessPoolExecutor(processes, context, end_with_parent, (held,)) as pool:
        waiting = [pool.submit(function, *call) for call in calls]
        try:
            for future in as_completed(waiting):
                yield future.result()
        except BaseException:
            ours.close()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    ours.close()
