"""What is said of runs, or of methods on a table, beside each other; `compared.py` finds it out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from naokit.base import Direction, Json, sign_of

Said = Literal["ahead", "level", "behind", "unknown"]


@dataclass(frozen=True)
class RunCompared:
    """A run among others.

    Attributes:
        name: Its name; where several have the same one, its folder.
        folder: Its folder.
        group: The name of the group that it belongs to.
        seed: The seed of its search.
        evaluations: How many ended.
        value: The value of its best. If None, it has none.
        repeats: How many evaluations that is the mean of.
        seconds: How long its evaluations took.
    """

    name: str
    folder: str
    group: str
    seed: int
    evaluations: int
    value: float | None
    repeats: int
    seconds: float


@dataclass(frozen=True)
class CurvePoint:
    """The best so far of a group: its mean, and its 95 % interval where there are several runs."""

    at: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Effort:
    """What it took to find the best value that a table has.

    Attributes:
        evaluations: How many it took on average. A search that did not find it counts with all that
            it had, so that the mean is a lower bound.
        error: The standard error of that mean. If None, there is one search.
        missed: How many searches did not find it.
        seconds: The processor time of one proposal.
    """

    evaluations: float
    error: float | None
    missed: int
    seconds: float


@dataclass(frozen=True)
class Group:
    """Runs, or searches of a table, that were asked the same but for the seed.

    Attributes:
        name: What they have in common.
        runs: Their names.
        values: The values of their best.
        mean: The mean of these. If None, there are none.
        curve: The best so far.
        after: After how many evaluations these values are. If None, at the end of each.
        effort: What it took to find the best of a table. If None, there is no table.
    """

    name: str
    runs: tuple[str, ...]
    values: tuple[float, ...]
    mean: float | None
    curve: tuple[CurvePoint, ...]
    after: int | None = None
    effort: Effort | None = None


@dataclass(frozen=True)
class Difference:
    """How one group stands to another.

    Attributes:
        one: The name of a group.
        other: The name of the other.
        difference: How much larger the mean of `one` is. If None, one of them has no value.
        margin: Half of the 95 % interval of that difference: Welch's of runs, that of the paired
            differences of searches with equal seeds. If None, one of them has a single run, so that
            nothing is known of chance.
        said: How `one` stands, whichever way is better.
        after: After how many evaluations. If None, at the end of each.
    """

    one: str
    other: str
    difference: float | None
    margin: float | None
    said: Said
    after: int | None = None

    @classmethod
    def of(
        cls,
        one: str,
        other: str,
        away: float,
        margin: float | None,
        direction: Direction,
        after: int | None = None,
    ) -> Difference:
        """A difference, and what it allows to say."""
        better = sign_of(direction) * away > 0
        said: Said = "ahead" if better else "behind"
        if margin is None:
            said = "unknown"
        elif abs(away) <= margin:
            said = "level"
        return cls(one, other, away, margin, said, after)


@dataclass(frozen=True)
class Compared:
    """Several runs, or methods on a table, beside each other.

    Attributes:
        name: What is compared, in a few words.
        version: The version of naokit that compares.
        metric: What the values are.
        direction: Which way they are better.
        cost: What curves count along: "evaluations" or "epochs".
        runs: The runs; empty where methods are compared on a table.
        groups: Those that belong together.
        differences: Each group beside each other one.
        best: The best value of the table. If None, there is no table.
    """

    name: str
    version: str
    metric: str
    direction: Direction
    cost: str
    runs: tuple[RunCompared, ...]
    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]
    best: float | None = None

    def to_json(self) -> dict[str, Json]:
        """One object."""
        return dataclasses.asdict(self)
