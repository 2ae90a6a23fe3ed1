"""Checks all that runs on a GPU against the processor's numbers, in at most eight minutes.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --dry-run      the processor against itself, at tiny sizes

Each check does the same twice, from the same weights on the same digits or prose, and prints how
far the GPU is from the processor (a share of the processor's numbers unless it says otherwise) and
how far it may be. Float32 is float32 here: TF32 is off. The figures are written to
`results/gpu.json` as they are found; those of a dry run are not. Exit code 1: a check failed or
there was no time left for it; 2: there is no GPU.

Networks are compared by their gradients in double precision: in single precision a change of 1e-6
in the weights already changes some gradients by a fiftieth. What the loop does is compared by the
mean loss of a few updates, which that change moves by a hundredth, and a resumed training by its
weights, beyond what two whole trainings on the same device differ in.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from benchmarks.record import keep
from naokit.evaluators import Supernet
from naokit.export import export
from naokit.images.recipes import ImageRecipe
from naokit.images.subject import ImageSubject
from naokit.networks import RecurrentCell
from naokit.runs.final import Job, train_final
from naokit.space import Architecture, Space
from naokit.spaces import ConvCells, NasBench201, RecurrentCells
from naokit.subject import Subject
from naokit.text.recipes import TextRecipe
from naokit.text.subject import TextSubject
from naokit.training.device import Device, Precision, make_fabric, seeded
from naokit.training.loop import train
from naokit.training.recipe import Recipe
from naokit.training.sharing import SharedTask, Uniform
from naokit.training.task import Task

LIMIT = 440.0
"""Seconds after which no further check begins."""


@dataclass(frozen=True)
class Sizes:
    """How much is computed.

    Attributes:
        channels: The paper's F.
        cells: The paper's N.
        nodes: The nodes of a cell.
        hidden: The hidden units of a recurrent cell.
        batch: Examples of an image update.
        steps: Updates of a training; a text has about as many.
    """

    channels: int
    cells: int
    nodes: int
    hidden: int
    batch: int
    steps: int

    @property
    def images(self) -> ImageRecipe:
        """A training on the digits without anything random but the order."""
        return ImageRecipe(
            "gpu",
            epochs=1,
            batch=self.batch,
            learning_rate=0.02,
            crop_padding=0,
            flip=False,
            train_images=self.steps * self.batch,
        )

    @property
    def text(self) -> TextRecipe:
        """A training on the prose without dropout."""
        none = dict.fromkeys(("output_dropout", "input_dropout", "state_dropout"), 0.0)
        return TextRecipe(
            "gpu",
            epochs=1,
            batch=8,
            learning_rate=1.0,
            bptt=10,
            embedding_dropout=0.0,
            average_after=None,
            train_tokens=80 * self.steps + 8,
            **none,  # type: ignore[arg-type]
        )

    @property
    def digits(self) -> ImageSubject:
        """Images, and the size of a network that reads them."""
        return ImageSubject("digits", self.channels, self.cells)

    @property
    def prose(self) -> TextSubject:
        """Text, and the size of a network that reads it."""
        return TextSubject("pydoc", self.hidden)


FULL = Sizes(channels=16, cells=2, nodes=5, hidden=200, batch=64, steps=10)
TINY = Sizes(channels=4, cells=1, nodes=2, hidden=8, batch=16, steps=3)


@dataclass(frozen=True)
class Check:
    """Something that is done on two devices.

    Attributes:
        name: What it is.
        most: How large the difference may be.
        difference: How far the device is from the processor.
    """

    name: str
    most: float
    difference: Callable[[Device, Sizes], float]


class NotHereError(Exception):
    """A device cannot do this."""


def main() -> int:
    """Runs every check; the exit code."""
    dry = sys.argv[1:] == ["--dry-run"]
    if not dry and not torch.cuda.is_available():
        print("there is no CUDA device here; --dry-run checks the script itself", file=sys.stderr)
        return 2
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    where: Device = "cpu" if dry else "cuda"
    rows: list[dict[str, Any]] = []
    began = time.monotonic()
    for check in CHECKS:
        in_time = time.monotonic() - began < LIMIT
        rows.append(result(check, where, TINY if dry else FULL) if in_time else late(check))
        print(told(rows[-1]), flush=True)
        if not dry:
            keep("gpu", {**device(), "seconds": time.monotonic() - began, "checks": rows})
    return int(any(row["state"] == "failed" for row in rows))


def result(check: Check, where: Device, sizes: Sizes) -> dict[str, Any]:
    """What came of a check; an error is a failure."""
    began, found, reason = time.monotonic(), math.nan, {}
    try:
        found = check.difference(where, sizes)
    except NotHereError as why:
        return {"check": check.name, "state": "left out", "reason": str(why)}
    except Exception as error:  # noqa: BLE001  the other checks go on
        reason = {"reason": f"{type(error).__name__}: {error}".splitlines()[0]}
    return {
        "check": check.name,
        "state": "passed" if found <= check.most else "failed",
        "difference": None if math.isnan(found) else found,
        "most": check.most,
        "seconds": round(time.monotonic() - began, 2),
        **reason,
    }


def late(check: Check) -> dict[str, Any]:
    """The result of a check that no time is left for."""
    return {"check": check.name, "state": "failed", "reason": f"{LIMIT:.0f} seconds were over"}


def told(row: dict[str, Any]) -> str:
    """The result in one line."""
    line = f"{row['state']:9} {row['check']:39}"
    if row.get("difference") is not None:
        line += f" {row['difference']:8.1e} (at most {row['most']:g}) {row['seconds']:6.1f} s"
    return f"{line} {row.get('reason', '')}".rstrip()


def device() -> dict[str, Any]:
    """The GPU."""
    found = torch.cuda.get_device_properties(0)
    return {
        "device": found.name,
        "capability": f"{found.major}.{found.minor}",
        "memory_gb": round(found.total_memory / 1e9, 1),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


def relative(found: Tensor, expected: Tensor) -> float:
    """The length of the difference, as a share of the expected length."""
    return float((found - expected).norm() / expected.norm())


def flat(tensors: Iterable[Tensor]) -> Tensor:
    """A copy of all numbers in one row."""
    return torch.cat([tensor.detach().cpu().double().flatten() for tensor in tensors])


@dataclass(frozen=True)
class Learning:
    """A training.

    Attributes:
        space: The space of its network.
        subject: The data and the size of the network.
        recipe: How it is trained.
        shared: Whether the network is the shared one, with a few cells of the space.
    """

    space: Space
    subject: Subject
    recipe: Recipe
    shared: bool = False

    def network(self) -> nn.Module:
        """The untrained network, on the processor."""
        if not self.shared:
            return self.subject.network(self.cells[0], self.recipe, 0)
        with seeded(0):
            return self.space.build_shared(self.subject.settings(self.recipe))

    def task(self, fabric: Fabric) -> Task[Any, Any]:
        """What it learns."""
        task = self.subject.task(self.recipe, fabric)
        return SharedTask(task, self.space, Uniform(self.cells)) if self.shared else task

    @property
    def cells(self) -> list[Architecture]:
        """Some cells of the space."""
        return [self.space.sample(np.random.default_rng(seed)) for seed in range(4)]


def images(sizes: Sizes, *, shared: bool = False) -> Learning:
    """A training of cells of `conv-small` on the digits."""
    return Learning(ConvCells.small(nodes=sizes.nodes), sizes.digits, sizes.images, shared)


def edges(sizes: Sizes, *, shared: bool = False) -> Learning:
    """A training of cells of NAS-Bench-201 on the digits."""
    return Learning(NasBench201(), sizes.digits, sizes.images, shared)


def prose(sizes: Sizes, *, shared: bool = False) -> Learning:
    """A training of recurrent cells on prose."""
    return Learning(RecurrentCells(nodes=sizes.nodes), sizes.prose, sizes.text, shared)


Of = Callable[..., Learning]
Difference = Callable[[Device, Sizes], float]


def gradients(of: Of, *, shared: bool = False) -> Difference:
    """The gradients of one batch in double precision."""

    def found(job: Learning, where: Device) -> Tensor:
        fabric = make_fabric(where, "32-true")
        task, network = job.task(fabric), Double(job.network()).to(fabric.device)
        task.lay_out(network)
        update = next(iter(task.batches(task.plan(0, 0), 0, 0, 0)))
        batch = task.prepare(update, torch.Generator().manual_seed(0))
        task.loss(network, batch, slice(0, len(batch))).backward()
        return flat(weight.grad for weight in network.parameters() if weight.grad is not None)

    def difference(where: Device, sizes: Sizes) -> float:
        job = of(sizes, shared=shared)
        return relative(found(job, where), found(job, "cpu"))

    return difference


class Double(nn.Module):
    """A network in double precision that takes inputs in single."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.double()

    def forward(self, given: Tensor, *others: object) -> Any:
        return self.network(given.double() if given.is_floating_point() else given, *others)


def loss(of: Of, precision: Precision = "32-true", *, shared: bool = False) -> Difference:
    """The mean loss of the loop's updates, in any precision, against single precision."""

    def found(job: Learning, where: Device, precision: Precision) -> float:
        told: list[float] = []
        fabric = make_fabric(where, precision)
        task = job.task(fabric)
        train(job.network(), task, seed=0, fabric=fabric, on_epoch=lambda e: told.append(e.loss))
        return told[-1]

    def difference(where: Device, sizes: Sizes) -> float:
        if precision == "16-mixed" and where == "cpu":
            raise NotHereError("a processor has no 16-mixed precision")
        if precision == "bf16-mixed" and where == "cuda" and not torch.cuda.is_bf16_supported():
            raise NotHereError("this GPU has no bf16")
        job = of(sizes, shared=shared)
        expected = found(job, "cpu", "32-true")
        return abs(found(job, where, precision) - expected) / expected

    return difference


def recurrent_cell(where: Device, sizes: Sizes) -> float:
    """Outputs, last state and all gradients of a cell with both masks, in double precision."""
    cell = prose(sizes).network().cell
    assert isinstance(cell, RecurrentCell)
    with seeded(1):
        given = [torch.randn(20, 8, sizes.hidden), torch.rand(8, sizes.hidden)]
        given += [torch.empty(8, sizes.hidden).bernoulli_(0.5) for _ in range(2)]

    def run(there: str) -> Tensor:
        own = copy.deepcopy(cell).double().to(there)
        inputs, *others = (tensor.double().to(there) for tensor in given)
        outputs, state = own(inputs.requires_grad_(), *others)
        value = outputs.sin().sum() + state.square().sum()
        return flat([outputs, state, *torch.autograd.grad(value, [inputs, *own.parameters()])])

    return relative(run(where), run("cpu"))


def supernet_round(of: Of) -> Difference:
    """The scores of a round of an evaluator with shared weights, after its training."""

    def scores(job: Learning, where: Device) -> Tensor:
        evaluator = Supernet(
            job.space, job.subject, job.recipe, rounds=1, pool=4, device=where, precision="32-true"
        )
        evaluator.begin(None)
        evaluator.prepare(job.cells, 0)
        return torch.tensor([evaluator.evaluate(cell, 0).value for cell in job.cells])

    return lambda where, sizes: relative(scores(of(sizes), where), scores(of(sizes), "cpu"))


def resumed(where: Device, sizes: Sizes) -> float:
    """A training stopped after a step and continued, against one in one piece on the device.

    Three times what two in one piece differ in is subtracted: sums of a GPU vary in their order.
    The few steps are short, so that this stays far below what a lost momentum or mask alters.
    """
    recipe = dataclasses.replace(
        sizes.images,
        epochs=2,
        learning_rate=0.001,
        crop_padding=1,
        drop_path_keep=0.8,
        dropout_keep=0.8,
        train_images=3 * sizes.batch,
    )
    job = dataclasses.replace(images(sizes), recipe=recipe)
    fabric = make_fabric(where, "32-true")
    before = flat(job.network().parameters())

    def run(folder: Path, *limits: float | None) -> Tensor:
        for seconds in limits:
            network = job.network()
            task = job.task(fabric)
            train(network, task, seed=0, fabric=fabric, seconds=seconds, checkpoint=folder)
        return flat(network.parameters()) - before

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, again = run(folder / "whole", None), run(folder / "again", None)
        parts = run(folder / "parts", 1e-9, None)
    beyond = relative(parts, whole) - 3 * relative(again, whole)
    return 0.0 if beyond < 0 else beyond  # not a number stays so, and fails


def exported(of: Of) -> Difference:
    """Logits of a network trained on the device: there, here and in its checked files."""

    def difference(where: Device, sizes: Sizes) -> float:
        job = of(sizes)
        with tempfile.TemporaryDirectory() as folder:
            trained = Job(job.subject, job.recipe, Path(folder) / "training", device=where)
            bundle = train_final(job.cells[0], trained)
            checks = export(bundle, Path(folder) / "network", ("safetensors", "onnx"))
        there = bundle.run_of(copy.deepcopy(bundle.network).to(where))

        def moved(*given: Tensor) -> Any:
            found = there(*(tensor.to(where) for tensor in given))
            return found.cpu() if isinstance(found, Tensor) else tuple(t.cpu() for t in found)

        return max(bundle.difference(moved), *(check.difference for check in checks))

    return difference


CHECKS = (
    Check("image network, gradients", 1e-6, gradients(images)),
    Check("NAS-Bench-201 network, gradients", 1e-6, gradients(edges)),
    Check("language model, gradients", 1e-6, gradients(prose)),
    Check("shared image network, gradients", 1e-6, gradients(images, shared=True)),
    Check("shared NAS-Bench-201 network, gradients", 1e-6, gradients(edges, shared=True)),
    Check("shared recurrent network, gradients", 1e-6, gradients(prose, shared=True)),
    Check("recurrent cell, masked, gradients", 1e-6, recurrent_cell),
    Check("image training, 32-true", 5e-2, loss(images)),
    Check("image training, bf16-mixed", 5e-2, loss(images, "bf16-mixed")),
    Check("image training, 16-mixed", 5e-2, loss(images, "16-mixed")),
    Check("text training, 32-true", 1e-2, loss(prose)),
    Check("text training, bf16-mixed", 5e-2, loss(prose, "bf16-mixed")),
    Check("shared image training, 32-true", 5e-2, loss(images, shared=True)),
    Check("shared text training, 32-true", 1e-2, loss(prose, shared=True)),
    Check("a round of scores, images", 0.3, supernet_round(images)),
    Check("a round of scores, NAS-Bench-201", 0.3, supernet_round(edges)),
    Check("a round of scores, text", 1e-2, supernet_round(prose)),
    Check("a training resumed on the device", 1e-3, resumed),
    Check("export of a classifier, logits", 1e-3, exported(images)),
    Check("export of a language model, logits", 1e-3, exported(prose)),
)


if __name__ == "__main__":
    sys.exit(main())
