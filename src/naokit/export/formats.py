"""The formats by name: each writes its file, reads it back and compares."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from naokit.export import pt2, standalone
from naokit.export.bundle import Bundle, Format, read
from naokit.export.check import TOLERANCE, Check
from naokit.export.checking import Files
from naokit.export.config import CONFIG, WEIGHTS


def _safetensors(files: Files) -> Check:
    bundle = files.bundle
    again = read(type(bundle), files.folder, bundle.architecture.space)
    beside = ", ".join([CONFIG, *bundle.attachments()])
    run = bundle.run_of(again.network)
    return files.check(files.folder / WEIGHTS, run, 0.0, f"with {beside} and README.md")


def _onnx(files: Files) -> Check:
    return files.onnx_check


def _pt2(files: Files) -> Check:
    path = files.folder / "model.pt2"
    pt2.write(files.program, path)
    with files.listed(path, torch=torch.__version__):
        note = f"torch.export, {files.bundle.program_note}"
        return files.check(path, pt2.read_pt2(path), TOLERANCE, note)


def _python(files: Files) -> Check:
    path = files.folder / "network.py"
    standalone.write(files.bundle, path)
    with files.listed(path):
        run = files.bundle.run_of(standalone.read_standalone(path))
        return files.check(path, run, 0.0, "needs torch alone")


FORMATS: Mapping[str, Format] = {
    "safetensors": _safetensors,
    "onnx": _onnx,
    "pt2": _pt2,
    "python": _python,
}
"""Those of every kind of network."""


def formats_of(bundle: Bundle) -> Mapping[str, Format]:
    """The formats that there are for this kind of network."""
    return {**FORMATS, **bundle.own_formats}


def usual_formats(bundle: Bundle) -> tuple[str, ...]:
    """The formats that a network is written in unless others are named.

    All that need no data; no stand-alone file where that is not possible.
    """
    return tuple(name for name in FORMATS if name != "python" or not bundle.obstacle())
