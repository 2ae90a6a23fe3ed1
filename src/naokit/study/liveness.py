"""Whether the process that evaluates a trial still lives.

A process id alone is used again, and a start time moves with the clock. Linux counts the ticks from
boot to a process's start, names each boot, and numbers process ids anew in each container::

    {"host": ..., "process": 4711, "ticks": 290828, "boot": "19b1...", "namespace": ...}

Elsewhere, and in records that were made before, `started` is the time at which the process began.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import psutil

from naokit.base import Json

BOOT = Path("/proc/sys/kernel/random/boot_id")
PROCESSES = Path("/proc")

TOLERANCE = 2.0
"""Seconds by which a start time may move when the clock is adjusted."""


def this_worker() -> dict[str, Json]:
    """What distinguishes this process from every other one."""
    return dict(_worker(os.getpid()))


@lru_cache(maxsize=1)
def _worker(process: int) -> dict[str, Json]:
    """The record of this process; a forked process makes its own."""
    started = psutil.Process(process).create_time()
    record = {"host": platform.node(), "process": process, "started": started}
    ticks = _ticks(process)
    if ticks is None or not BOOT.exists():
        return record
    boot = BOOT.read_text().strip()
    return record | {"ticks": ticks, "boot": boot, "namespace": _namespace()}


def lives(worker: Mapping[str, Json]) -> bool | None:
    """Whether a process still runs; None if it is on another machine, where it cannot be seen."""
    if worker["host"] != platform.node():
        return None
    here = this_worker()
    if "ticks" not in worker or "ticks" not in here:
        return _began_at(worker["process"], worker["started"])
    if worker["boot"] != here["boot"]:
        return False  # the machine was started anew
    if worker["namespace"] != here["namespace"]:
        return None  # another container, whose process ids mean nothing here
    same: bool = _ticks(worker["process"]) == worker["ticks"]
    return same


def _ticks(process: int) -> int | None:
    """Clock ticks from boot to the start of a process; None if there is none, or only a zombie.

    Fields 3 (state) and 22 (start time) of proc(5): the name before them may hold anything.
    """
    try:
        text = (PROCESSES / str(process) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _namespace() -> str:
    """The namespace of this process's id."""
    try:
        return str((PROCESSES / "self" / "ns" / "pid").readlink())
    except OSError:
        return ""


def _began_at(process: int, started: float) -> bool:
    """Whether there is a process of this id that began at about this time."""
    try:
        found = psutil.Process(process)
        same: bool = abs(found.create_time() - started) < TOLERANCE
        ended: bool = found.status() == psutil.STATUS_ZOMBIE  # its parent has not noticed yet
    except psutil.NoSuchProcess:
        return False
    return same and not ended
