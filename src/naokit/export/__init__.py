"""The final network as files, each of them checked.

safetensors and config, ONNX, `torch.export`, one Python file that needs torch alone; of an image
classifier int8 as well. Of a language model, programs are one step with its state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from naokit.base import InputError
from naokit.export.bundle import (
    AnyBundle,
    load,
    load_bundle,
    load_classifier,
    load_language,
    save,
)
from naokit.export.checking import Check
from naokit.export.config import KINDS
from naokit.export.formats import FORMATS, formats_for, job_of, possible_formats
from naokit.export.image_bundle import Bundle
from naokit.export.language_bundle import LanguageBundle
from naokit.export.opening import Classifier, kind_at, network_folder, open_network
from naokit.export.overwriting import check_free
from naokit.export.standalone import obstacle
from naokit.training.data import ImageData

__all__ = [
    "FORMATS",
    "AnyBundle",
    "Bundle",
    "Check",
    "Classifier",
    "LanguageBundle",
    "check_free",
    "export",
    "exports",
    "formats_for",
    "kind_at",
    "load",
    "load_bundle",
    "load_classifier",
    "load_language",
    "network_folder",
    "open_network",
    "save",
]


def export(
    bundle: AnyBundle,
    folder: Path,
    formats: Sequence[str] | None = None,
    data: ImageData | str | Path | None = None,
    on_left_out: Callable[[str, str], None] | None = None,
) -> list[Check]:
    """Writes the network in each format and compares what the files compute.

    Weights, config and model card are always written: the other files stand beside them.

    Args:
        bundle: the network and what belongs to it.
        folder: where to; what is there is replaced (ask `check_free` before).
        formats: names of `FORMATS`; None: `formats_for(bundle)`.
        data: for int8, images to calibrate and to measure on; None: what the network learnt from.
        on_left_out: called with a format and why the network cannot be written in it, in place of
            an error; there is no use for a network that cannot be saved and loaded again.

    Raises:
        InputError: an unknown format, a missing extra, or a file that computes something else.
    """
    return list(exports(bundle, folder, formats, data, on_left_out))


def exports(
    bundle: AnyBundle,
    folder: Path,
    formats: Sequence[str] | None = None,
    data: ImageData | str | Path | None = None,
    on_left_out: Callable[[str, str], None] | None = None,
) -> Iterator[Check]:
    """Like `export`, but each check comes when its file is done: an error loses none of them."""
    wanted = formats_for(bundle) if formats is None else formats
    possible = possible_formats(bundle)
    unknown = [name for name in wanted if name not in possible]
    if unknown:
        of = f"for {KINDS[bundle.kind]} there are" if unknown[0] in FORMATS else "there are"
        raise InputError(f"there is no format {unknown[0]!r}; {of} {', '.join(possible)}")
    # Other memory layouts sum in another order; the files are read back in the plain one.
    bundle.network.cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    save(bundle, folder)
    job = job_of(bundle, folder, data)
    if on_left_out and formats is None and (why := obstacle(bundle)):
        on_left_out("python", why)
    for name in (name for name in FORMATS if name in wanted):
        try:
            yield FORMATS[name](job)
        except InputError as error:
            if on_left_out is None or name == "safetensors":
                raise
            on_left_out(name, str(error))
