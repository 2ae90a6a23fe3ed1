"""A short form of `make chaos`: faults injected into searches, and nothing lost."""

from collections.abc import Callable

import pytest
from benchmarks.chaos import (
    Ground,
    disturbed,
    host_renamed,
    prepared,
    two_drivers_at_once,
    workers_killed,
)

EVALUATIONS = 12


@pytest.mark.parametrize(
    ("fault", "database", "place"),
    [
        (workers_killed, "sqlite", "local:2"),
        (two_drivers_at_once, "postgres", "local:2"),
        (host_renamed, "postgres", "here"),
    ],
)
def test_nothing_is_lost(
    fault: Callable[[Ground], int],
    database: str,
    place: str,
    request: pytest.FixtureRequest,
) -> None:
    where = request.getfixturevalue("server") if database == "postgres" else None
    with prepared(database, place, EVALUATIONS, where) as ground:
        verdict = disturbed(fault, ground)
        assert verdict.holds(ground), verdict
