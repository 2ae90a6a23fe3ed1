"""The winner as files: weights and config, ONNX, one Python file; each of them is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from naokit.base import InputError
from naokit.export import bundle as bundles
from naokit.export import onnx, standalone
from naokit.export.bundle import Bundle, load, load_bundle

__all__ = ["FORMATS", "Bundle", "Check", "export", "load", "load_bundle"]

ONNX_TOLERANCE = 1e-4
"""Largest difference of logits that counts as the same; onnxruntime sums in another order."""

BATCHES = (1, 3)


@dataclass(frozen=True)
class Check:
    """An exported file, and how far its outputs are from the network's.

    Attributes:
        file: what was written.
        difference: largest absolute difference of any logit.
        tolerance: the largest that is accepted.
    """

    file: Path
    difference: float
    tolerance: float


def export(bundle: Bundle, folder: Path, formats: tuple[str, ...] | None = None) -> list[Check]:
    """Writes the network in each format and compares what the files compute.

    Args:
        bundle: the network and what belongs to it.
        folder: where to.
        formats: names of `FORMATS`; None: all.

    Raises:
        InputError: an unknown format, a missing extra, or a file that computes something else.
    """
    # Other memory layouts sum in another order; the files are read back in the plain one.
    network = bundle.network.cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    unknown = set(formats or ()) - FORMATS.keys()
    if unknown:
        raise InputError(f"there is no format {min(unknown)!r}; there are {', '.join(FORMATS)}")
    generator = torch.Generator().manual_seed(0)
    batches = [torch.randn(n, *bundle.settings.image, generator=generator) for n in BATCHES]
    checks = []
    for name in formats or FORMATS:
        path, run, tolerance = FORMATS[name](bundle, folder)
        with torch.no_grad():
            difference = max(float((run(x) - network(x)).abs().max()) for x in batches)
        if not difference <= tolerance:
            raise InputError(
                f"{path} computes something else: logits differ by {difference:.2g}, more than "
                f"{tolerance:g}; please report it with the architecture {bundle.architecture}"
            )
        checks.append(Check(path, difference, tolerance))
    return checks


Written = tuple[Path, Callable[[Tensor], Tensor], float]
"""(file, how to run it, tolerance)."""


def _safetensors(bundle: Bundle, folder: Path) -> Written:
    bundles.save(bundle, folder)
    network: nn.Module = load(folder, bundle.architecture.space)
    return folder / bundles.WEIGHTS, network, 0.0


def _onnx(bundle: Bundle, folder: Path) -> Written:
    path = folder / "model.onnx"
    onnx.write(bundle.network, bundle.settings.image, path)
    return path, lambda images: onnx.run(path, images), ONNX_TOLERANCE


def _python(bundle: Bundle, folder: Path) -> Written:
    if not (folder / bundles.WEIGHTS).exists():
        bundles.save(bundle, folder)
    path = folder / "network.py"
    standalone.write(bundle, path)
    return path, standalone.read(path), 0.0


FORMATS: Mapping[str, Callable[[Bundle, Path], Written]] = {
    "safetensors": _safetensors,
    "onnx": _onnx,
    "python": _python,
}
