"""One export: what its formats share, and how a file is compared with the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch.export import ExportedProgram

from naokit.base import InputError, Json
from naokit.export import onnx, pt2
from naokit.export.bundle import Bundle, Computation
from naokit.export.check import TOLERANCE, Check
from naokit.export.config import list_file, unlist_file


@dataclass(frozen=True)
class Files:
    """A network on its way into files.

    Attributes:
        bundle: The network, in eval mode on the processor, in the plain memory layout.
        folder: The folder of the files.
        source: Data that a format needs, such as images to calibrate on; None stands for those
            that the network learnt from.
    """

    bundle: Bundle
    folder: Path
    source: object = None

    @cached_property
    def program(self) -> ExportedProgram:
        """The network, traced once."""
        bundle = self.bundle
        return pt2.trace(bundle.run_of(bundle.network), bundle.examples())

    @cached_property
    def onnx_check(self) -> Check:
        """The ONNX file, written and checked once."""
        path = self.folder / "model.onnx"
        onnx.write(self.program, path, self.bundle.inputs, self.bundle.outputs)
        with self.listed(path, opset=onnx.OPSET):
            note = f"opset {onnx.OPSET}, {self.bundle.program_note}"
            return self.check(path, onnx.read_onnx(path), TOLERANCE, note)

    @contextmanager
    def listed(self, path: Path, **facts: Json) -> Iterator[None]:
        """Lists a written file once its check succeeds; a file that fails is removed.

        Raises:
            InputError: The file cannot be run, or computes something else.
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

    def check(self, path: Path, run: Computation, tolerance: float, note: str) -> Check:
        """The check of a file; raises InputError where it computes something else."""
        difference = self.bundle.difference(run)
        if not difference <= tolerance:
            raise InputError(
                f"{path} computes something else: logits differ by {difference:.2g}, more than "
                f"{tolerance:g}; please report it with the architecture {self.bundle.architecture}"
            )
        return Check(path, difference, tolerance, note)
