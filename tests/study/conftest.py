"""What the tests of studies share."""

import shutil
from collections.abc import Iterator
from typing import Any

import optuna
import pytest
from benchmarks.postgresql import Server, Unavailable, start_server
from optuna.storages import RDBStorage


@pytest.fixture(autouse=True)
def _connections_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server's connections stay open as long as the process; psycopg warns where it notices."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    opened: list[Any] = []
    get_storage = optuna.storages.get_storage

    def remembered(storage: str) -> Any:
        opened.append(get_storage(storage))
        return opened[-1]

    monkeypatch.setattr(optuna.storages, "get_storage", remembered)
    yield
    for storage in opened:
        if isinstance(backend := getattr(storage, "_backend", None), RDBStorage):
            backend.engine.dispose()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL server for the tests of a module; skips where there is none, or no driver."""
    running = begun_server()
    yield running
    running.stop()
    shutil.rmtree(running.home)


def begun_server() -> Server:
    """One that a test may stop; skips where there is none, or no driver."""
    try:
        return start_server()
    except Unavailable as reason:
        pytest.skip(str(reason))
