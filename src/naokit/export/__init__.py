"""The final network as files, each of them checked.

safetensors and config, ONNX, `torch.export`, one Python file that needs torch alone, and what else
the network's kind has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from naokit.base import InputError
from naokit.export.bundle import Bundle
from naokit.export.check import Check
from naokit.export.checking import Files
from naokit.export.config import network_folder
from naokit.export.formats import FORMATS, formats_of, usual_formats
from naokit.export.overwriting import check_free
from naokit.export.results import Results
from naokit.export.saving import save

__all__ = [
    "FORMATS",
    "Bundle",
    "Check",
    "Results",
    "check_free",
    "export",
    "exports",
    "formats_of",
    "network_folder",
    "save",
    "usual_formats",
]


def export(
    bundle: Bundle,
    folder: Path,
    formats: Sequence[str] | None = None,
    data: object = None,
    on_left_out: Callable[[str, str], None] | None = None,
) -> list[Check]:
    """Writes the network in each format and compares what the files compute.

    Weights, config and model card are always written: the other files stand beside them.

    Args:
        bundle: The network and what belongs to it.
        folder: The folder to write to; what is there is replaced (ask `check_free` before).
        formats: Names of `formats_of(bundle)`. If None, `usual_formats(bundle)`.
        data: For int8, the images to calibrate and to measure on. If None, what the network learnt
            from.
        on_left_out: Called with a format and the reason why the network cannot be written in it, in
            place of an error. Without it such a format is an error.

    Raises:
        InputError: An unknown format, a missing extra, or a file that computes something else.
    """
    return list(exports(bundle, folder, formats, data, on_left_out))


def exports(
    bundle: Bundle,
    folder: Path,
    formats: Sequence[str] | None = None,
    data: object = None,
    on_left_out: Callable[[str, str], None] | None = None,
) -> Iterator[Check]:
    """The same as `export`, but yields each check as its file is done, so an error loses none."""
    possible = formats_of(bundle)
    wanted = usual_formats(bundle) if formats is None else formats
    if unknown := [name for name in wanted if name not in possible]:
        there = ", ".join(possible)
        raise InputError(f"there is no format {unknown[0]!r}; for {bundle.noun} there are {there}")
    # Other memory layouts sum in another order; the files are read back in the plain one.
    bundle.network.cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    save(bundle, folder)
    files = Files(bundle, folder, data)
    if on_left_out and formats is None and (why := bundle.obstacle()):
        on_left_out("python", why)
    for name in (name for name in possible if name in wanted):
        try:
            yield possible[name](files)
        except InputError as error:
            if on_left_out is None or name == "safetensors":
                raise
            on_left_out(name, str(error))
