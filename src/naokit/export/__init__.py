"""The final network as files, each of them checked.

safetensors and config, ONNX, `torch.export`, one Python file that needs torch alone, int8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from naokit.base import InputError
from naokit.export.bundle import Bundle, load, load_bundle, save
from naokit.export.checking import Check, Job
from naokit.export.formats import FORMATS, formats_for
from naokit.export.opening import Classifier, network_folder, open_network
from naokit.export.overwriting import check_free
from naokit.training.data import ImageData

__all__ = [
    "FORMATS",
    "Bundle",
    "Check",
    "Classifier",
    "check_free",
    "export",
    "exports",
    "formats_for",
    "load",
    "load_bundle",
    "network_folder",
    "open_network",
    "save",
]


def export(
    bundle: Bundle,
    folder: Path,
    formats: Sequence[str] | None = None,
    data: ImageData | str | Path | None = None,
) -> list[Check]:
    """Writes the network in each format and compares what the files compute.

    Weights, config and model card are always written: the other files stand beside them.

    Args:
        bundle: the network and what belongs to it.
        folder: where to; what is there is replaced (ask `check_free` before).
        formats: names of `FORMATS`; None: `formats_for(bundle)`.
        data: for int8: images to calibrate and to measure on; None: what the network learnt from.

    Raises:
        InputError: an unknown format, a missing extra, or a file that computes something else.
    """
    return list(exports(bundle, folder, formats, data))


def exports(
    bundle: Bundle,
    folder: Path,
    formats: Sequence[str] | None = None,
    data: ImageData | str | Path | None = None,
) -> Iterator[Check]:
    """Like `export`, but each check comes when its file is done: an error loses none of them."""
    wanted = formats_for(bundle) if formats is None else formats
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise InputError(f"there is no format {unknown[0]!r}; there are {', '.join(FORMATS)}")
    # Other memory layouts sum in another order; the files are read back in the plain one.
    bundle.network.cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    save(bundle, folder)
    job = Job(bundle, folder, data)
    for name, write in FORMATS.items():
        if name in wanted:
            yield write(job)
