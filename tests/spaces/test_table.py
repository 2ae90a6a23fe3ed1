"""Spaces bounded by a table: mutants of rows are rows, also where rows are few."""

import itertools

import numpy as np
import pytest

from naokit.space import Architecture
from naokit.spaces import Choice, Choices
from naokit.spaces.table import NEAREST, PROBES, TableSpace
from naokit.study.limits import LimitedSpace

WIDE = Choices("wide", tuple(Choice(f"c{place}", tuple("abcde")) for place in range(12)))
SMALL = Choices("small", (Choice("a", (1, 2, 3)), Choice("b", (1, 2, 3))))


def bounded(space: Choices, rows: list[tuple[int, ...]]) -> TableSpace:
    return TableSpace(space, "table", {row: space.key(row) for row in rows})


@pytest.fixture
def sparse() -> TableSpace:
    """300 of 244 million."""
    generator = np.random.default_rng(0)
    return bounded(WIDE, [WIDE.sample(generator).choices for _ in range(300)])


def test_a_mutant_in_a_sparse_table_is_one_of_the_nearest_rows(
    sparse: TableSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, asked = Choices.key, []
    monkeypatch.setattr(Choices, "key", lambda *args: asked.append(args) or key(*args))
    generator = np.random.default_rng(1)
    for _ in range(50):
        row = sparse.sample(generator)
        mutant = sparse.mutate(row, generator)
        away = sorted(distance(row.choices, other) for other in sparse.classes)
        assert mutant.choices in sparse.classes
        assert 0 < distance(row.choices, mutant.choices) <= away[NEAREST]
    assert len(asked) <= PROBES  # to ask about each mutant cost seconds a proposal


def distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def test_a_mutant_in_a_full_table_is_that_of_the_space() -> None:
    """Recorded benchmarks stay true."""
    full = bounded(SMALL, list(itertools.product(range(3), range(3))))
    ours, theirs = np.random.default_rng(2), np.random.default_rng(2)
    row = full.sample(np.random.default_rng(0))
    mutants = [full.mutate(row, ours).choices for _ in range(20)]
    assert mutants == [SMALL.mutate(row, theirs).choices for _ in range(20)]


def test_limits_hold_for_the_mutants_of_a_sparse_table(sparse: TableSpace) -> None:
    limited = LimitedSpace(sparse, ("c0<=1",), "", lambda choices: choices[0] <= 1, cheap=True)
    generator = np.random.default_rng(3)
    row = limited.sample(generator)
    for _ in range(20):
        row = limited.mutate(row, generator)
        assert row.space == limited
        assert row.choices in sparse.classes
        assert row.choices[0] <= 1


def test_a_table_of_one_row_has_no_other_mutant() -> None:
    one = bounded(SMALL, [(0, 0)])
    generator = np.random.default_rng(0)
    assert one.mutate(Architecture(one, (0, 0)), generator).choices == (0, 0)
