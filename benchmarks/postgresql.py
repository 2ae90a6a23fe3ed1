"""A PostgreSQL server of our own, from the machine's binaries, in a folder with a socket."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

NOBODY = 65534  # PostgreSQL refuses to run as root
DEBIAN = "usr/lib/postgresql/*/bin"


class Unavailable(Exception):
    """There is none on this machine; the message says what is missing."""


@dataclass
class Server:
    """A PostgreSQL server of our own."""

    process: subprocess.Popen[bytes]
    home: Path
    who: dict[str, Any]
    databases: int = 0

    def database(self) -> str:
        """The address of a new database."""
        import psycopg

        self.databases += 1
        name = f"naokit{self.databases}"
        with psycopg.connect(self._where("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name}")
        return f"postgresql+psycopg://naokit@/{name}?host={self.home}"

    def answers(self) -> bool:
        """Whether it takes connections."""
        import psycopg

        try:
            psycopg.connect(self._where("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def start_again(self) -> None:
        """As after a restart of the machine: the same data, new connections."""
        self.process = subprocess.Popen(self.process.args, stderr=subprocess.DEVNULL, **self.who)
        wait_until(self.answers)

    def stop(self) -> None:
        """Ends it as an administrator would who does not wait for clients."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)

    def _where(self, database: str) -> str:
        return f"user=naokit dbname={database} host={self.home}"


def start_server(*settings: str) -> Server:
    """A server that has just begun.

    Args:
        settings: Further settings, such as `max_connections=300`.

    Raises:
        Unavailable: There is no PostgreSQL here, or no driver for it.
    """
    if find_spec("psycopg") is None:
        raise Unavailable("no driver: pip install naokit[postgres]")
    folders = [*os.environ["PATH"].split(os.pathsep), *map(str, Path("/").glob(DEBIAN))]
    binary = shutil.which("postgres", path=os.pathsep.join(folders))
    if binary is None or not Path(binary).resolve().with_name("initdb").exists():
        raise Unavailable("no PostgreSQL server on this machine")
    binaries = Path(binary).resolve().parent
    home = Path(tempfile.mkdtemp(prefix="naokit-"))  # a short path: sockets have no long ones
    who: dict[str, Any] = {"cwd": home}
    if os.getuid() == 0:
        os.chown(home, NOBODY, NOBODY)
        who |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    options = ["--username=naokit", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    made = subprocess.run(
        [binaries / "initdb", f"--pgdata={home}/data", *options], capture_output=True, **who
    )
    assert made.returncode == 0, made.stderr
    each = (("-c", setting) for setting in ("listen_addresses=", "fsync=off", *settings))
    given = [*chain.from_iterable(each), "-k", str(home)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", home / "data", *given], stderr=log, **who
        )
    server = Server(process, home, who)
    wait_until(server.answers)
    return server


def wait_until(happened: Callable[[], object], seconds: float = 60) -> None:
    """Waits until something is true; AssertionError after so many seconds."""
    limit = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < limit, f"waited for {seconds} seconds"
        time.sleep(0.02)
