"""A Ray cluster, joined or started, and left without a trace."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any

import psutil

from naokit.base import InputError
from naokit.workers.devices import cores
from naokit.workers.guard import Guard

REACHED = 5.0
"""Seconds in which the address of a cluster must answer."""

SAID_BY_US = "A worker died or was killed|has been marked dead"
"""What Ray would print of each worker and machine that dies; the evaluation says it."""


class Cluster:
    """A cluster that this process has joined or started.

    Args:
        address: See `Ray`.
    """

    def __init__(self, address: str | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", SAID_BY_US)  # it is read on import
        try:
            import ray
        except ImportError:
            raise InputError("Ray is not installed: pip install 'naokit[ray]'") from None
        self.ray: Any = ray
        self._joined = not ray.is_initialized()
        if self._joined:
            self._join(address)

    def _join(self, address: str | None) -> None:
        before = _children()
        if address is None:
            self._init("local", include_dashboard=False)
        else:
            _check_reached(address)
            self._init(address)
        self._guard = Guard(*(_children() - before))  # some would stay for a minute

    def _init(self, address: str, **options: Any) -> None:
        try:
            self.ray.init(address, log_to_driver=False, logging_level="ERROR", **options)
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise InputError(
                f"there is no Ray cluster at `address` {address}: {said[0]}; see `ray status`"
            ) from None

    def room(self, asked: dict[str, float]) -> int:
        """How many workers that ask for so much of each resource its machines hold together."""
        asked = {name: amount for name, amount in asked.items() if amount}
        if not asked:
            return cores()
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        return sum(min(int(node.get(n, 0) // a) for n, a in asked.items()) for node in nodes)

    def leave(self) -> None:
        """Ends what was started, or leaves what was joined."""
        if self._joined:
            self._joined = False
            self.ray.shutdown()
            self._guard.end()


def _children() -> set[int]:
    """The processes that this one has begun, but for workers, which Ray puts into groups."""
    group, found = os.getpgid(0), set()
    for child in psutil.Process().children(recursive=True):
        with suppress(ProcessLookupError):  # it has ended
            if os.getpgid(child.pid) == group:
                found.add(child.pid)
    return found


def _check_reached(address: str) -> None:
    """Raises InputError at once where nothing answers; Ray itself would wait for half a minute."""
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACHED).close()
    except ValueError:
        raise InputError(
            f"`address` is {address!r}; expected auto, host:port or ray://host:port"
        ) from None
    except OSError as error:
        raise InputError(f"nothing answers at `address` {address}: {error}") from None
