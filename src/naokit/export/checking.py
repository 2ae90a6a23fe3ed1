"""One export: what its formats share, and how a file is compared with the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.export import ExportedProgram

from naokit.base import InputError, Json
from naokit.export import onnx, pt2
from naokit.export.bundle import AnyBundle
from naokit.export.config import list_file, unlist_file

BATCHES = (1, 3)
"""Rows a batch that the files are compared on."""
TOLERANCE = 1e-4
"""Largest difference of outputs that counts as the same; onnxruntime sums in another order."""

Run = Callable[..., Any]
"""What a file computes: takes and gives what the network's `Job.run_of` does."""


@dataclass(frozen=True)
class Check:
    """An exported file, and how far its outputs are from the network's.

    Attributes:
        file: what was written.
        difference: largest absolute difference of any output.
        tolerance: the largest that is accepted; None where accuracies are compared instead.
        note: what else is worth knowing, in words.
        accuracy: before and after, percent, where they are compared.
    """

    file: Path
    difference: float
    tolerance: float | None
    note: str = ""
    accuracy: tuple[float, float] | None = None


@dataclass(frozen=True)
class Job(ABC):
    """A network on its way into files.

    Attributes:
        bundle: the network, in eval mode on the processor, in the plain memory layout.
        folder: of the files.
        inputs: names of what the exported program takes, each with the batch first.
        outputs: names of what it gives.
        program_note: what a program is, in words.
    """

    bundle: AnyBundle
    folder: Path

    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar[tuple[str, ...]]
    program_note: ClassVar[str]

    @abstractmethod
    def run_of(self, network: nn.Module) -> nn.Module:
        """What is exported of a network, and compared."""

    @abstractmethod
    def examples(self) -> tuple[Tensor, ...]:
        """Inputs of the right shapes, two rows a batch."""

    @abstractmethod
    def difference(self, run: Run) -> float:
        """Largest difference of any output from the network's."""

    @cached_property
    def program(self) -> ExportedProgram:
        """The network, traced once."""
        return pt2.trace(self.run_of(self.bundle.network), self.examples())

    @cached_property
    def onnx_check(self) -> Check:
        """The ONNX file, written and checked once."""
        path = self.folder / "model.onnx"
        onnx.write(self.program, path, self.inputs, self.outputs)
        with self.listed(path, opset=onnx.OPSET):
            note = f"opset {onnx.OPSET}, {self.program_note}"
            return self.check(path, onnx.read(path), TOLERANCE, note)

    @contextmanager
    def listed(self, path: Path, **facts: Json) -> Iterator[None]:
        """Lists a file that was written once its check is done; what fails is not left behind.

        Raises:
            InputError: the file cannot be run, or computes something else.
        """
        try:
            yield
        except Exception as error:  # a user's own source raises whatever it likes
            path.unlink()
            unlist_file(self.folder, path.name)
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} could not be run: {type(error).__name__}: {error}") from error
        list_file(self.folder, path.name, **facts)

    def check(self, path: Path, run: Run, tolerance: float, note: str) -> Check:
        """The check of a file; raises InputError where it computes something else."""
        difference = self.difference(run)
        if not difference <= tolerance:
            raise InputError(
                f"{path} computes something else: logits differ by {difference:.2g}, more than "
                f"{tolerance:g}; please report it with the architecture {self.bundle.architecture}"
            )
        return Check(path, difference, tolerance, note)
