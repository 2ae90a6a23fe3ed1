"""What a process sees of the devices of its machine."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from naokit.base import InputError

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The variable that CUDA reads once, when it is first used in a process."""


def environment(device: str) -> dict[str, str]:
    """The variables of a process that sees no other device.

    Args:
        device: "cpu", or "cuda:1" for the second of the devices that this process sees.

    Raises:
        InputError: The name has another form, or this process sees no such device.
    """
    if device == "cpu":
        return {VISIBLE: ""}
    number = re.fullmatch(r"cuda:(\d+)", device)
    if number is None:
        raise InputError(f"`devices` names {device!r}; expected cpu, cuda:0, cuda:1 and so on")
    seen = os.environ.get(VISIBLE)
    if seen is None:
        return {VISIBLE: number[1]}
    names = [name.strip() for name in seen.split(",") if name.strip()]
    if int(number[1]) >= len(names):
        raise InputError(
            f"`devices` names {device}, but {VISIBLE}={seen!r} lets {len(names)} be seen"
        )
    return {VISIBLE: names[int(number[1])]}


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def remarks(processes: int, devices: Sequence[str]) -> tuple[str, ...]:
    """What is unwise though possible: more processes than cores or devices, devices not there."""
    said = []
    if processes > cores():
        said.append(f"{processes} workers share {cores()} cores")
    distinct = list(dict.fromkeys(devices))
    if distinct and "cpu" not in distinct and processes > len(distinct):
        said.append(f"{processes} workers share {', '.join(distinct)}")
    if absent := [device for device in distinct if device != "cpu" and not _is_there(device)]:
        said.append(f"no {', '.join(absent)} is seen here: its workers have no GPU")
    return tuple(said)


def _is_there(device: str) -> bool:
    import torch

    return int(device.removeprefix("cuda:")) < torch.cuda.device_count()
