"""What this machine has and what really computes on it."""

from __future__ import annotations

import os
import platform
import shutil
import warnings
from collections.abc import Iterator
from typing import get_args

from naokit.runs.doctor.extras import version_of
from naokit.runs.doctor.finding import Finding, State
from naokit.training.device import Precision, make_fabric, seeded
from naokit.version import __version__
from naokit.wording import counted, first_line
from naokit.workers.devices import cores

LIBRARIES = ("torch", "optuna", "numpy")
ALWAYS = "32-true"
"""The precision that every device computes in."""
LITTLE = 10**9
"""Bytes of memory that are few for a training."""


def versions() -> Iterator[Finding]:
    """The versions of naokit, Python and the libraries that results depend on."""
    for name, found in (("naokit", __version__), ("python", platform.python_version())):
        yield Finding("version", name, "ok", found, {"version": found})
    for name in LIBRARIES:
        there = version_of(name)
        if there is None:
            text = "not installed: pip install naokit"
            yield Finding("version", name, "broken", text, {"version": None})
        else:
            yield Finding("version", name, "ok", there, {"version": there})


def devices() -> Iterator[Finding]:
    """The devices that are seen, and which of them "auto" takes."""
    import torch

    yield Finding("device", "cpu", "ok", f"{counted(cores(), 'core')} usable", {"cores": cores()})
    with warnings.catch_warnings(record=True) as warned:  # of a driver that is too old
        warnings.simplefilter("always")
        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for warning in warned:
        yield Finding("device", "cuda", "note", first_line(Exception(str(warning.message))))
    if not gpus and torch.version.cuda is None and shutil.which("nvidia-smi"):
        text = "there is an NVIDIA driver, but this torch is built without CUDA: see pytorch.org"
        yield Finding("device", "cuda", "note", text)
    for number in range(gpus):
        gpu = torch.cuda.get_device_properties(number)
        yield _accelerator(f"cuda:{number}", gpu.name, gpu.total_memory)
    if torch.backends.mps.is_available():
        yield _accelerator("mps", "Apple GPU", torch.mps.recommended_max_memory())
    fabric = make_fabric()
    device, precision = str(fabric.device), fabric.strategy.precision.precision
    figures = {"device": device, "precision": precision}
    yield Finding("device", "auto", "ok", f"takes {device} in {precision}", figures)


def _accelerator(device: str, name: str, memory: int) -> Finding:
    text = f"{name}, {memory / 1e9:,.1f} GB"
    return Finding("device", device, "ok", text, {"name": name, "memory_bytes": memory})


def precisions() -> Iterator[Finding]:
    """Whether the device that "auto" takes makes a training step in each precision."""
    for precision in get_args(Precision):
        if precision == "auto":
            continue
        try:
            device = _step(precision)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the reason
            state: State = "broken" if precision == ALWAYS else "note"
            text = f"fails: {first_line(error)}"
            yield Finding("precision", precision, state, text, {"works": False})
        else:
            yield Finding("precision", precision, "ok", f"works on {device}", {"works": True})


def _step(precision: Precision) -> str:
    """The device on which a tiny network was trained for one step.

    Raises:
        ArithmeticError: The weights are not finite afterwards, or were not changed.
        Exception: What the libraries raise.
    """
    import torch
    from torch import nn

    fabric = make_fabric("auto", precision)
    with seeded(0, fabric.device):
        bare = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 4 * 4, 2))
        images = torch.rand(4, 3, 6, 6)
    before = [parameter.detach().clone() for parameter in bare.parameters()]
    network, optimizer = fabric.setup(bare, torch.optim.SGD(bare.parameters(), 0.1))
    fabric.backward(network(images.to(fabric.device)).square().mean())
    optimizer.step()
    after = [parameter.detach().cpu() for parameter in bare.parameters()]
    if not all(bool(weights.isfinite().all()) for weights in after):
        raise ArithmeticError("the weights are not finite after one step")
    if all(torch.equal(*pair) for pair in zip(before, after, strict=True)):
        raise ArithmeticError("one step changes no weight")
    return str(fabric.device)


def threads() -> Iterator[Finding]:
    """Whether as many threads compute as there are cores."""
    import torch

    said, usable, taken = os.environ.get("OMP_NUM_THREADS"), cores(), torch.get_num_threads()
    figures = {"threads": taken, "cores": usable, "omp_num_threads": said}
    state: State = "ok"
    text = f"{counted(taken, 'thread')} on {counted(usable, 'core')}"
    if taken > usable:
        state = "note"
        text += f" hinder each other: set OMP_NUM_THREADS={usable}"
    elif said is not None and taken < usable:
        state = "note"
        text += (
            f" because of OMP_NUM_THREADS={said}: good for up to "
            f"{counted(usable // taken, 'worker')}, but one training alone leaves cores idle"
        )
    yield Finding("threads", "torch", state, text, figures)


def memory() -> Iterator[Finding]:
    """The memory that is free."""
    import psutil

    found = psutil.virtual_memory()
    figures = {"free_bytes": found.available, "bytes": found.total}
    text = f"{found.available / 1e9:,.1f} of {found.total / 1e9:,.1f} GB"
    if found.available < LITTLE:
        yield Finding("memory", "free", "note", f"{text}: little for a training", figures)
    else:
        yield Finding("memory", "free", "ok", text, figures)
