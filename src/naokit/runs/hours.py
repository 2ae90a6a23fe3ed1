"""How the time of a run is shared out between its search and its final training."""

from __future__ import annotations

import time
from dataclasses import dataclass

from naokit.presets import FINAL_SHARE


@dataclass(frozen=True)
class Hours:
    """The time that a run may take.

    Attributes:
        ends: When it is over, on the monotonic clock. If None, there is no limit.
        share: The seconds of it that are kept for the final training.
    """

    ends: float | None = None
    share: float = 0.0

    @classmethod
    def of(cls, hours: float | None, began: float | None = None, *, final: bool = True) -> Hours:
        """The time of a run that trains its winner to the end, or does not.

        Args:
            hours: How many there are. If None, there is no limit.
            began: When they began, on the monotonic clock. If None, now.
            final: Whether a share of them is kept for the final training.
        """
        if hours is None:
            return cls()
        began = time.monotonic() if began is None else began
        return cls(began + 3600 * hours, FINAL_SHARE * 3600 * hours if final else 0.0)

    @property
    def left(self) -> float | None:
        """The seconds that are left, below 0 where they are over; None where there is no limit."""
        return None if self.ends is None else self.ends - time.monotonic()

    @property
    def for_search(self) -> float | None:
        """The seconds that are left for evaluations."""
        return None if self.left is None else self.left - self.share

    @property
    def for_final(self) -> float | None:
        """The seconds for the final training: its share also where the search took longer."""
        return None if self.left is None else max(self.left, self.share)

    @property
    def search_is_over(self) -> bool:
        """Whether no evaluation may begin any more."""
        return self.for_search is not None and self.for_search <= 0

    @property
    def for_search_in_all(self) -> float:
        """The seconds of all of it that the final training leaves to evaluations."""
        return self.share / FINAL_SHARE - self.share
