"""A training step and a scored cell with shared weights, against plainer ways of doing either.

    OMP_NUM_THREADS=1 python -m benchmarks.sharing_speed [path/to/cifar10]

A step is forward, backward, clipping and update for one batch, by the builds

    ours         only the sampled cell, in the layout of our trainings
    gathers      every operation on what a sampled branch reads, stacked, and one taken (as the
                 official TensorFlow code does); otherwise ours, with the same weights
    contiguous   `gathers` in torch's usual layout

and a scored cell is what the evaluator `supernet` does, which counts parameters and macs of a cell
that it does not know from an earlier round, against the official PyTorch pattern: for each cell a
loader is made, decodes a shuffled batch and is thrown away; only the sampled cell is computed, with
batch statistics, in torch's usual layout. `parts_ms` and `parts_cpu_ms` say what they consist of.

All take turns, cell after cell; of the repeats of a cell the least counts, and the figures are
medians over cells: of the clock, and of the processor, where the workers of a loader count as well
and other jobs of the machine do not. Without a path the images are random bytes. On one thread of
a similar machine the official code took 1.49 s for a step of conv-small (N=3, F=20, batch 16) and
1.37 s for a cell scored on 50 images.
"""

from __future__ import annotations

import copy
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler

from benchmarks.record import write
from naokit.evaluators import Supernet
from naokit.images.data import ImageData, Split
from naokit.images.loading import load_images
from naokit.images.memory_format import laid_out, lay_out
from naokit.images.recipes import RECIPES
from naokit.images.subject import ImageSubject
from naokit.networks.cell import CellPlan
from naokit.networks.edge import EDGE_OPERATIONS, SharedEdgeCell
from naokit.networks.shared_image import SharedCell
from naokit.space import Architecture, Space
from naokit.spaces import ConvCells, NasBench201
from naokit.training.normalising import batch_statistics
from naokit.training.sharing import as_sampled

CELLS, REPEATS = 5, 3
BATCH, EXAMPLES = 16, 50
WORKERS = (0, 1, 2)
OFFICIAL_SECONDS = {"step": 1.49, "scored cell": 1.37}
"""Of conv-small, N=3, F=20, one thread of a similar machine."""


@dataclass(frozen=True)
class Case:
    """A shared network.

    Attributes:
        space: Its space.
        channels: The paper's F.
        cells: The paper's N.
    """

    space: Space
    channels: int
    cells: int

    def __str__(self) -> str:
        return f"{self.space.name}, N={self.cells}, F={self.channels}"


CASES = (
    Case(ConvCells.small(), 20, 3),
    Case(ConvCells.small(), 8, 1),
    Case(NasBench201(), 16, 5),
    Case(NasBench201(), 8, 1),
)


def main() -> None:
    """Measures every case."""
    torch.set_num_threads(1)
    data = load_images(sys.argv[1]) if len(sys.argv) > 1 else noise(50_000)
    found: dict[str, Any] = {
        "threads": 1,
        "load_before": os.getloadavg()[0],
        "data": Path(data.name).name,
        "batch": BATCH,
        "examples": EXAMPLES,
        "cells": CELLS,
        "repeats": REPEATS,
        "official_seconds": OFFICIAL_SECONDS,
        "cases": {},
    }
    for case in CASES:
        found["cases"][str(case)] = measured(case, data, CELLS, REPEATS)
        print(case, found["cases"][str(case)], flush=True)
        write("sharing_speed", found)


def measured(case: Case, data: ImageData, amount: int, repeats: int) -> dict[str, Any]:
    """Steps and scored cells of one case, in milliseconds."""
    generator = np.random.default_rng(0)
    cells = [case.space.sample(generator) for _ in range(amount)]
    subject = ImageSubject(data, case.channels, case.cells)
    evaluator = Supernet(
        case.space, subject, RECIPES["small"], rounds=1, pool=2, examples=EXAMPLES, device="cpu"
    )
    lay_out(evaluator.network, torch.channels_last)
    score = in_turn(scorings(evaluator, data), cells, repeats)
    of = in_turn(parts(evaluator, data), cells, repeats)
    score |= {"parts_ms": of["ms"], "parts_cpu_ms": of["cpu_ms"]}
    return {"step": in_turn(steps(evaluator, data.image), cells, repeats), "scored cell": score}


Run = Callable[[Architecture], object]


def in_turn(
    runs: Mapping[str, Run], cells: Sequence[Architecture], repeats: int
) -> dict[str, dict[str, float]]:
    """Milliseconds of each way, and how many times those of the first they are."""
    least: dict[str, list[np.ndarray]] = {name: [] for name in runs}
    for run in runs.values():
        run(cells[0])  # warms up
    for cell in cells:
        times: dict[str, list[np.ndarray]] = {name: [] for name in runs}
        for _ in range(repeats):
            for name, run in runs.items():
                began = spent()
                run(cell)
                times[name].append(1000 * (spent() - began))
        for name, taken in times.items():
            least[name].append(np.min(taken, axis=0))
    ours = np.array(next(iter(least.values())))
    found: dict[str, dict[str, float]] = {}
    for place, clock in enumerate(("ms", "cpu_ms")):
        rows = {name: np.array(row)[:, place] for name, row in least.items()}
        found[clock] = {name: round(float(np.median(row)), 1) for name, row in rows.items()}
        found[f"times_the_{clock}"] = {
            name: round(float(np.median(row / ours[:, place])), 2) for name, row in rows.items()
        }
    return found


def spent() -> np.ndarray:
    """Seconds of the clock, and of the processor by this process and those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return np.array([time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in used)])


def steps(evaluator: Supernet, image: tuple[int, int, int]) -> dict[str, Run]:
    """A training step by each build."""
    network, space = evaluator.network, evaluator.space
    images, labels = torch.randn(BATCH, *image), torch.arange(BATCH) % 2

    def step(build: nn.Module, layout: torch.memory_format) -> Run:
        build = copy.deepcopy(build).train()
        lay_out(build, layout)
        weights, batch = list(build.parameters()), laid_out(images, layout)
        optimizer = torch.optim.SGD(weights, 0.01, momentum=0.9, foreach=True)

        def run(cell: Architecture) -> None:
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(build(batch, space.plan(cell)), labels).backward()
            nn.utils.clip_grad_norm_(weights, 5.0, foreach=True)
            optimizer.step()

        return run

    gathers = gathering(network)
    return {
        "ours": step(network, torch.channels_last),
        "gathers": step(gathers, torch.channels_last),
        "contiguous": step(gathers, torch.contiguous_format),
    }


def scorings(evaluator: Supernet, data: ImageData) -> dict[str, Run]:
    """A scored cell by each way."""
    network, pictures = contiguous(evaluator), Pictures(data)

    def official(workers: int) -> Run:
        @torch.no_grad()
        def run(cell: Architecture) -> float:
            images, labels = fresh_batch(pictures, workers)
            logits = network(images, evaluator.space.plan(cell))
            return float((logits.argmax(dim=1) == labels).float().mean())

        return run

    named = {f"fresh loader, {workers} workers": official(workers) for workers in WORKERS}

    def ours(cell: Architecture) -> None:
        evaluator._counted.clear()  # as for a cell that is scored for the first time
        evaluator.evaluate(cell, 0)

    return {"ours": ours, "ours, known cell": lambda cell: evaluator.evaluate(cell, 0), **named}


def parts(evaluator: Supernet, data: ImageData) -> dict[str, Run]:
    """What a scored cell of ours, and then what one of the official pattern, consists of."""
    network, space, scorer = evaluator.network, evaluator.space, evaluator.scorer
    plain, pictures = contiguous(evaluator), Pictures(data)
    images, _ = fresh_batch(pictures, 0)

    def mode(_: Architecture) -> None:
        with batch_statistics(network):
            pass

    def both(cell: Architecture) -> None:
        with batch_statistics(network):
            scorer(as_sampled(network, space.plan(cell)))

    def counted(cell: Architecture) -> None:
        evaluator._counted.clear()
        dict(evaluator.static_metrics(cell))

    @torch.no_grad()
    def slow(cell: Architecture) -> None:
        plain(images, space.plan(cell))

    def loaded(workers: int) -> Run:
        return lambda _: fresh_batch(pictures, workers)

    return {
        "network, and batch statistics on and off": both,
        "batch statistics on and off": mode,
        "parameters and macs": counted,
        "network in the usual layout": slow,
        **{f"fresh loader alone, {workers} workers": loaded(workers) for workers in WORKERS},
    }


def contiguous(evaluator: Supernet) -> nn.Module:
    """A copy of the shared network in torch's usual layout, normalising by batch statistics."""
    made = copy.deepcopy(evaluator.network).train()
    lay_out(made, torch.contiguous_format)
    return made


class Gathering(nn.Module):
    """All operations of a branch, of which one output is taken."""

    def __init__(self, operations: Sequence[nn.Module], place: int) -> None:
        super().__init__()
        self.operations, self.place = operations, place

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([operation(x) for operation in self.operations])[self.place]


class GatheringCell(SharedCell):
    """A shared cell that computes every operation of the sampled sources."""

    def sampled(self, plan: CellPlan) -> list[nn.Module]:
        return [
            Gathering(list(self.options[number][branch.source]), self.names[branch.operation])  # type: ignore[index]
            for number, branch in enumerate(plan.branches)
        ]


class Nothing(nn.Module):
    """Zeros."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


class GatheringEdgeCell(SharedEdgeCell):
    """A shared cell that computes every operation of each edge."""

    def at(self, edge: int, name: str) -> nn.Module:
        options: nn.ModuleDict = self.options[edge]  # type: ignore[assignment]
        names = [*EDGE_OPERATIONS, "none"]
        return Gathering([*options.values(), Nothing()], names.index(name))


def gathering(network: nn.Module) -> nn.Module:
    """A copy of a shared network that computes every operation."""
    made = copy.deepcopy(network)
    for cell in made.cells:  # type: ignore[union-attr]
        cell.__class__ = GatheringCell if isinstance(cell, SharedCell) else GatheringEdgeCell
    return made


class Pictures(Dataset[tuple[Tensor, int]]):
    """The training part picture by picture, standardised one by one, as torchvision does."""

    def __init__(self, data: ImageData) -> None:
        part = data.train
        assert isinstance(part, Split)
        self.images, self.labels = part.images.transpose(0, 2, 3, 1), part.labels
        self.mean, self.std = (torch.tensor(a).float().view(-1, 1, 1) for a in data.statistics)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(np.ascontiguousarray(self.images[row]))
        values = torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()
        return (values.float() / 255 - self.mean) / self.std, int(self.labels[row])

    def __len__(self) -> int:
        return len(self.labels)


def fresh_batch(pictures: Pictures, workers: int) -> tuple[Tensor, Tensor]:
    """The first batch of a new loader, shuffled, of the last tenth of the pictures."""
    held_out = range(len(pictures) - len(pictures) // 10, len(pictures))
    loader = DataLoader(
        pictures, EXAMPLES, sampler=SubsetRandomSampler(held_out), num_workers=workers
    )
    images, labels = next(iter(loader))
    return images, labels


def noise(images: int) -> ImageData:
    """Random bytes of CIFAR-10's size."""
    generator = np.random.default_rng(0)
    values = generator.integers(0, 256, (images, 3, 32, 32), dtype=np.uint8)
    part = Split(values, generator.integers(0, 10, images))
    return ImageData("random bytes", part, part, part, tuple("0123456789"))


if __name__ == "__main__":
    main()
