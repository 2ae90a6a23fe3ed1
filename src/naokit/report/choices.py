"""What the choices seem to be worth: a sum of one number for each choice, and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from naokit.grammar import Grammar
from naokit.graphs import SUM, canonical
from naokit.report.reached import Reached, differ, reached_in
from naokit.study.trust import correlation

if TYPE_CHECKING:
    from naokit.study import Study

FEWEST = 20
"""With fewer architectures a sum of so many numbers fits anything."""
MOST = 2000
"""From more architectures so many are taken, at equal distances."""
WIDEST = 200
"""A position of more choices than this is a list of architectures, not a choice."""
PENALTIES = 10.0 ** np.arange(-3, 4)
"""The shrinkages that are compared, as shares of the mean variance."""


@dataclass(frozen=True)
class Option:
    """A choice: its name, how often it was taken, and the mean value of these."""

    name: str
    taken: int
    mean: float


@dataclass(frozen=True)
class Position:
    """What a position seems to be worth.

    Attributes:
        name: Its name.
        share: Its share of all that the fitted sum says, 0 to 1.
        best: The choice that the sum likes most.
        worst: The choice that it likes least.
    """

    name: str
    share: float
    best: Option
    worst: Option


@dataclass(frozen=True)
class Operation:
    """An operation: how often it occurs in a graph, and whether more of it goes with better values.

    Attributes:
        name: Its name.
        mean: How often it occurs in an architecture, on average.
        best: How often it occurs in the best one.
        correlation: The rank correlation of its number with the value; 1: the more the better.
            None where it says nothing.
    """

    name: str
    mean: float
    best: int
    correlation: float | None


@dataclass(frozen=True)
class Choices:
    """What the choices seem to be worth.

    Attributes:
        architectures: How many were looked at.
        explained: How much of the differences the fitted sum foretells of an architecture that is
            left out, as a share; not above 0: nothing.
        positions: The positions, the most important first.
        operations: The operations, the most useful first.
    """

    architectures: int
    explained: float
    positions: tuple[Position, ...]
    operations: tuple[Operation, ...]


def choices_of(study: Study) -> Choices | None:
    """What the choices of a space seem to be worth; None where nothing can be said."""
    grammar, sign = study.space.grammar, study.goals.objectives[0].sign
    reached = reached_in(study)
    if not differ(reached, FEWEST):
        return None
    if len(reached) > MOST:
        places = np.linspace(0, len(reached) - 1, MOST).round().astype(int)
        reached = [reached[place] for place in places]
    values = np.array([one.value for one in reached])
    explained, positions = 0.0, tuple[Position, ...]()
    if max(grammar.counts) <= WIDEST and len(grammar.counts) > 1:
        explained, positions = _positions(grammar, reached, values, sign)
    return Choices(len(reached), explained, positions, _operations(reached, sign))


def _positions(
    grammar: Grammar, reached: Sequence[Reached], values: np.ndarray, sign: float
) -> tuple[float, tuple[Position, ...]]:
    """The positions, by a ridge regression on which choice stands where."""
    from naokit.method.surrogate import rank_gauss

    table = _taken(grammar, reached)
    weights, explained = _ridge(table, rank_gauss(sign * values))
    found: list[Position] = []
    first = 0
    for name, count, options in zip(
        grammar.names, grammar.counts, grammar.named_options, strict=True
    ):
        columns = slice(first, first + count)
        first += count
        part, own = table[:, columns], weights[columns]
        taken = part.sum(axis=0).astype(int)
        used = np.flatnonzero(taken)
        if len(used) < 2:
            continue
        best, worst = used[own[used].argmax()], used[own[used].argmin()]
        liked, disliked = (
            Option(options[one], int(taken[one]), float(values[part[:, one] > 0].mean()))
            for one in (best, worst)
        )
        found.append(Position(name, float((part @ own).var()), liked, disliked))
    total = sum(one.share for one in found) or 1.0
    found.sort(key=lambda one: -one.share)
    return explained, tuple(replace(one, share=one.share / total) for one in found)


def _taken(grammar: Grammar, reached: Sequence[Reached]) -> np.ndarray:
    """One column for each choice of each position: 1 where it is taken and matters."""
    firsts = np.cumsum([0, *grammar.counts])
    table = np.zeros((len(reached), firsts[-1]))
    for row, one in enumerate(reached):
        architecture = one.architecture
        matters = architecture.space.matters(architecture.choices)
        for first, choice, counts in zip(firsts, architecture.choices, matters, strict=False):
            table[row, first + choice] = counts
    return table


def _ridge(table: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, float]:
    """The weights of the columns, and what they foretell of a row that is left out.

    Of the penalties the one is taken by which rows that are left out are foretold best.
    """
    centred, wanted = table - table.mean(axis=0), targets - targets.mean()
    rows, sizes, columns = np.linalg.svd(centred, full_matrices=False)
    squares, along = sizes**2, rows.T @ wanted
    best, weights = np.inf, np.zeros(table.shape[1])
    for penalty in PENALTIES * squares.mean():
        kept = squares / (squares + penalty)
        leverage = (rows**2 * kept).sum(axis=1) + 1 / len(rows)
        wrong = (wanted - rows @ (kept * along)) / np.maximum(1 - leverage, 1e-9)
        error = float((wrong**2).mean())
        if error < best:
            best = error
            weights = columns.T @ (sizes / (squares + penalty) * along)
    of_the_mean = float(((wanted * len(wanted) / (len(wanted) - 1)) ** 2).mean())
    return weights, 1 - best / of_the_mean


def _operations(reached: Sequence[Reached], sign: float) -> tuple[Operation, ...]:
    """The operations of the reduced graphs."""
    counts = [_counted(one) for one in reached]
    values = _numbered([sign * one.value for one in reached])
    leader = counts[max(range(len(reached)), key=lambda row: values[row,])]
    found = []
    for name in sorted({name for one in counts for name in one}):
        times = [one.get(name, 0) for one in counts]
        said = correlation(_numbered(times), values)
        found.append(Operation(name, sum(times) / len(times), leader.get(name, 0), said))
    return tuple(sorted(found, key=lambda one: -(one.correlation or 0)))


def _numbered(values: Sequence[float]) -> Mapping[tuple[int, ...], float]:
    """The values by their places."""
    return {(place,): value for place, value in enumerate(values)}


def _counted(reached: Reached) -> Mapping[str, int]:
    """How often each operation occurs in an architecture, without what changes nothing."""
    found: dict[str, int] = {}
    for graph in map(canonical, reached.architecture.graphs):
        ends = {*graph.inputs, *graph.outputs}
        for vertex, label in enumerate(graph.labels):
            if vertex not in ends and label != SUM:
                found[label] = found.get(label, 0) + 1
    return found
