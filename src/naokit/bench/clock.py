"""A virtual clock: workers side by side whose evaluations take as long as a table says.

    begin ──> running: (when it ends, its number), ... ──wait──> ended, and the clock is there

Asynchronous workers begin again as soon as they are free, synchronous ones once all have ended.
"""

from __future__ import annotations

import heapq


class Clock:
    """The time of a search that needs none.

    Attributes:
        now: The time, 0 at the beginning, in the unit of the costs.

    Args:
        workers: How many evaluations run side by side.
        synchronous: Whether none begins before all of the last ones have ended.
    """

    def __init__(self, workers: int, synchronous: bool) -> None:
        self.now = self._idle = self._busy = 0.0
        self._workers = workers
        self._synchronous = synchronous
        self._running: list[tuple[float, int, float]] = []  # a heap: end, number, cost

    @property
    def free(self) -> int:
        """How many evaluations may begin now."""
        return self._workers - len(self._running)

    @property
    def idle_share(self) -> float:
        """The share of the workers' time, as far as evaluations have ended, that they waited."""
        return self._idle / (self._idle + self._busy) if self._idle else 0.0

    def begin(self, number: int, cost: float) -> None:
        """Begins an evaluation."""
        heapq.heappush(self._running, (self.now + cost, number, cost))

    def wait(self) -> list[tuple[int, float]]:
        """Goes on to where workers are free: the numbers of what ended by then, and when each did.

        What ends at the same moment comes together, in the order of the numbers.
        """
        self.now = max(self._running)[0] if self._synchronous else self._running[0][0]
        found: list[tuple[int, float]] = []
        while self._running and self._running[0][0] <= self.now:
            end, number, cost = heapq.heappop(self._running)
            found.append((number, end))
            self._busy += cost
            self._idle += self.now - end
        return found
