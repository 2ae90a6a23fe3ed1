"""Compares our networks with plain, eager, contiguous ones of the same cells: time and memory.

    OMP_NUM_THREADS=1 python -m benchmarks.networks

Forward and backward of a batch, both builds in turn in one process; a ratio is the plain build's
median over ours. Memory is the peak of a process of its own that makes three steps, less what the
imports take. Outputs are compared with equal weights and batch statistics.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.plain_network import OPERATIONS as PLAIN_OPERATIONS
from benchmarks.plain_network import PlainNetwork
from benchmarks.record import write
from naokit.images.memory_format import laid_out, lay_out
from naokit.networks import OPERATIONS, ImageNetwork
from naokit.settings import ImageSettings
from naokit.spaces import ConvCells

NAONET_B = "0 1 0 2 0 1 2 2 1 3 0 2 4 0 1 3 2 1 0 3 1 1 1 0 2 1 2 4 1 0 2 3 3 1 2 2 0 2 0 2"
SPACE = ConvCells.small()
ROUNDS = 7
SHAPE = (32, 36, 32, 32)
"""The shape of the maps on which single operations are timed."""

CASES: dict[str, tuple[str, int, int, int]] = {
    "naonet-b, F=36, N=6, batch 32": (NAONET_B, 36, 6, 32),
    **{
        f"conv-small cell {seed}, F=16, N=2, batch 128": (
            str(SPACE.sample(np.random.default_rng(seed))),
            16,
            2,
            128,
        )
        for seed in range(3)
    },
}
"""The cases that are measured: genotype, F, N, batch."""


def main() -> None:
    """Times everything, or (`CASE BUILD`) makes three steps and prints the peak memory."""
    torch.set_num_threads(1)
    if len(sys.argv) == 3:
        print(peak_memory(*sys.argv[1:]))
        return
    found: dict[str, Any] = {"threads": 1, "rounds": ROUNDS}
    found["networks"] = {case: whole(case) for case in CASES}
    found["operations"] = {
        f"{name}, stride {stride}": operation(name, stride)
        for name in OPERATIONS
        for stride in (1, 2)
        if list(OPERATIONS[name](4, stride).parameters()) or "pool" in name
    }
    write("networks", found)


def whole(case: str) -> dict[str, Any]:
    """Time, memory and difference of one case."""
    plain, ours, images, labels = builds(case)
    differences = {
        str(kind).removeprefix("torch."): difference(case, kind)
        for kind in (torch.float32, torch.float64)
    }

    def step(network: nn.Module, layout: torch.memory_format) -> Callable[[], object]:
        batch = laid_out(images, layout)

        def run() -> None:
            network.zero_grad(set_to_none=True)
            F.cross_entropy(network(batch), labels).backward()

        return run

    times = in_turn(step(plain, torch.contiguous_format), step(ours, torch.channels_last))
    memory = [
        int(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.networks", case, build],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for build in ("plain", "ours")
    ]
    row = {**times, "relative_difference_of_logits": differences, "memory_mb": memory}
    print(case, row, flush=True)
    return row


def difference(case: str, kind: torch.dtype) -> float:
    """Largest difference of a logit in eval mode, as a share of the largest logit."""
    plain, ours, images, _ = builds(case)
    batch = images[:16].to(kind)
    with torch.no_grad():
        ours.to(kind)(laid_out(batch, torch.channels_last))  # sets the batch statistics
        plain.to(kind).copy_from(ours)
        expected = plain.eval()(batch)
        return float((expected - ours.eval()(batch)).abs().max() / expected.abs().max())


def builds(case: str) -> tuple[PlainNetwork, ImageNetwork, Tensor, Tensor]:
    """The plain and our network, images and labels."""
    text, channels, cells, batch = CASES[case]
    torch.manual_seed(0)
    settings = ImageSettings(10, channels, cells, (3, 32, 32))
    ours = SPACE.build(SPACE.parse(text), settings)
    assert isinstance(ours, ImageNetwork)
    plain = PlainNetwork(ours)
    lay_out(ours, torch.channels_last)
    return plain, ours, torch.randn(batch, 3, 32, 32), torch.randint(0, 10, (batch,))


def peak_memory(case: str, build: str) -> int:
    """Megabytes that three steps of one build add to a process."""
    plain, ours, images, labels = builds(case)
    before = high_water_mark()
    network: nn.Module = plain if build == "plain" else ours
    layout = torch.contiguous_format if build == "plain" else torch.channels_last
    for _ in range(3):
        network.zero_grad(set_to_none=True)
        F.cross_entropy(network(laid_out(images, layout)), labels).backward()
    return (high_water_mark() - before) // 1000


def high_water_mark() -> int:
    """The peak memory of this process in kilobytes; getrusage would include its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def operation(name: str, stride: int) -> dict[str, Any]:
    """Time of one operation, forward and backward."""
    torch.manual_seed(0)
    plain = nn.Sequential(*PLAIN_OPERATIONS[name](SHAPE[1], stride))
    ours = OPERATIONS[name](SHAPE[1], stride)
    lay_out(ours, torch.channels_last)
    images = torch.randn(SHAPE)

    def step(module: nn.Module, layout: torch.memory_format) -> Callable[[], object]:
        batch = laid_out(images, layout).requires_grad_()
        gradient = torch.ones_like(module(batch))
        weights = [batch, *module.parameters()]
        return lambda: torch.autograd.grad(module(batch), weights, gradient)

    row = in_turn(step(plain, torch.contiguous_format), step(ours, torch.channels_last))
    print(name, stride, row, flush=True)
    return row


def in_turn(plain: Callable[[], object], ours: Callable[[], object]) -> dict[str, Any]:
    """Medians in milliseconds, their ratio and the ratios of the single rounds."""
    rounds: list[tuple[float, float]] = []
    for number in range(ROUNDS + 1):
        times = []
        for run in (plain, ours):
            began = time.perf_counter()
            run()
            times.append(1000 * (time.perf_counter() - began))
        if number:  # the first round warms up
            rounds.append((times[0], times[1]))
    medians = [statistics.median(part) for part in zip(*rounds, strict=True)]
    ratios = [round(a / b, 2) for a, b in rounds]
    return {
        "plain_ms": round(medians[0], 2),
        "ours_ms": round(medians[1], 2),
        "times_faster": round(medians[0] / medians[1], 2),
        "rounds": ratios,
    }


if __name__ == "__main__":
    main()
