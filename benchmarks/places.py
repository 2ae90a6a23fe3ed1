"""Storages to measure: memory, SQLite, SQLite with a write-ahead log, a journal file, PostgreSQL.

PostgreSQL is a server of our own, from the machine's binaries, on a socket in a folder of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend

from naokit.space import Space
from naokit.study import Study, create_study, opening

NOBODY = 65534
"""PostgreSQL refuses to run as root."""


@contextmanager
def place(kind: str) -> Iterator[str]:
    """The address of an empty storage, "" in memory, which is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="naokit-"))  # a short path: sockets have no long ones
    try:
        if kind == "postgresql":
            with _server(home):
                yield f"postgresql+psycopg://naokit@/postgres?host={home}"
            return
        if kind == "memory":
            yield ""
            return
        if kind == "sqlite wal":
            with sqlite3.connect(home / "s.db") as connection:
                connection.execute("pragma journal_mode=wal")
            connection.close()
        yield f"journal:{home}/s.log" if kind == "journal" else f"sqlite:///{home}/s.db"
    finally:
        shutil.rmtree(home)


def naokits(address: str, space: Space, method: str) -> Study:
    """A study of naokit at an address; its own door takes no journal file yet."""
    storage = optuna.storages.get_storage(storage_at(address))
    with mock.patch.object(opening, "open_storage", return_value=storage):
        return create_study(space, method=method)


def storage_at(address: str) -> str | BaseStorage | None:
    """What Optuna takes for an address."""
    if address.startswith("journal:"):
        return JournalStorage(JournalFileBackend(address.removeprefix("journal:")))
    return address or None


@contextmanager
def _server(home: Path) -> Iterator[None]:
    """A server with its data in the folder; settings are the defaults, so commits are synced."""
    found = sorted(Path("/").glob("usr/lib/postgresql/*/bin"))
    binaries = found[-1] if found else Path(shutil.which("postgres") or "postgres").parent
    who: dict[str, Any] = {"cwd": home}
    if os.getuid() == 0:
        os.chown(home, NOBODY, NOBODY)
        who |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    options = ["--username=naokit", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    subprocess.run(
        [binaries / "initdb", f"--pgdata={home}/data", *options],
        stdout=subprocess.DEVNULL,
        check=True,
        **who,
    )
    settings = ["-c", "listen_addresses=", "-c", "max_connections=300", "-k", str(home)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", home / "data", *settings], stderr=log, **who
        )
    try:
        _await(home)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def _await(home: Path) -> None:
    """Waits until the server takes connections."""
    import psycopg

    for _ in range(600):
        try:
            psycopg.connect(f"user=naokit dbname=postgres host={home}").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError((home / "log").read_text())
