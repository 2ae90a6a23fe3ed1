"""Storages to measure: memory, SQLite, SQLite with a write-ahead log, a journal, PostgreSQL."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.postgresql import start_server
from naokit.space import Space
from naokit.study import Study, create_study


@contextmanager
def place(kind: str) -> Iterator[str]:
    """The address of an empty storage, "" in memory, which is gone afterwards."""
    if kind == "postgresql":
        server = start_server("max_connections=300", "fsync=on")
        try:
            yield server.database()
        finally:
            server.stop()
            shutil.rmtree(server.home)
        return
    with tempfile.TemporaryDirectory() as home:
        if kind == "sqlite wal":
            with sqlite3.connect(Path(home) / "s.db") as connection:
                connection.execute("pragma journal_mode=wal")
            connection.close()
        files = {"memory": "", "journal": f"journal:///{home}/s.log"}
        yield files.get(kind, f"sqlite:///{home}/s.db")


def naokits(address: str, space: Space, method: str) -> Study:
    """A study of naokit at an address."""
    return create_study(space, storage=address or None, method=method)
