"""Where a training runs, how it computes, and the global generators there.

Torch is imported by what needs it: the names are checked before anything else is done.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, get_args

from naokit.base import InputError

if TYPE_CHECKING:
    import torch
    from lightning_fabric import Fabric

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]


def device_named(name: str) -> Device:
    """The device of this name; raises InputError where there is none."""
    device: Device = _known("device", name, Device)
    return device


def precision_named(name: str) -> Precision:
    """The precision of this name; raises InputError where there is none."""
    precision: Precision = _known("precision", name, Precision)
    return precision


def _known(what: str, name: str, names: Any) -> Any:
    if name not in get_args(names):
        raise InputError(f"there is no {what} {name!r}; expected {', '.join(get_args(names))}")
    return name


def make_fabric(
    device: Device = "auto", precision: Precision = "auto", processes: int = 1
) -> Fabric:
    """A Fabric with one process for each device; "auto" takes a GPU, and bf16 where it has it.

    Args:
        device: The name of the device.
        precision: The precision of the computation.
        processes: The number of processes that share a training, each with a GPU of its own where
            there are GPUs.

    Raises:
        InputError: The device is missing, or does not compute in this precision.
    """
    import torch
    from lightning_fabric import Fabric

    device, precision = device_named(device), precision_named(precision)
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device, True):
        raise InputError(f"there is no {device} device here; use `device='cpu'`")
    if precision == "auto":
        wants_cuda = device == "cuda" or (device == "auto" and there["cuda"])
        precision = "bf16-mixed" if wants_cuda and torch.cuda.is_bf16_supported() else "32-true"
    on_cpu = device == "cpu" or (device == "auto" and not any(there.values()))
    if on_cpu and precision == "16-mixed":  # Fabric would take bf16 and only warn
        raise InputError("a processor has no 16-mixed precision; use bf16-mixed or 32-true")
    if processes > 1 and not on_cpu and torch.cuda.device_count() < processes:
        raise InputError(f"there are {torch.cuda.device_count()} GPUs here, not {processes}")
    strategy = "auto" if processes == 1 else "ddp_spawn"
    with _quiet("lightning_fabric.utilities.rank_zero"):
        return Fabric(
            accelerator="cpu" if on_cpu else device,
            devices=processes,
            strategy=strategy,
            precision=precision,
        )


def recorded_precision(fabric: Fabric) -> str | None:
    """The precision as studies and checkpoints store it; None means 32-true.

    None rather than "32-true": what was begun before this was recorded goes on.
    """
    precision: str = fabric.strategy.precision.precision
    return None if precision == "32-true" else precision


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Silences this logger below WARNING."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Seeds the global generators of processor and device, and puts their states back after."""
    import torch

    on_cuda = device is not None and device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else []):
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        elif device is not None and device.type == "mps":
            torch.mps.manual_seed(seed)
        yield
