"""A network in 8-bit integers: onnxruntime's static quantisation, calibrated on training images.

Weights have a scale for each output channel, activations one for each tensor. Weights use seven of
the eight bits, so that sums do not overflow on processors without VNNI: what is measured on one
machine holds on another. Batch normalisations that follow no convolution stay in floats.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from naokit.base import InputError
from naokit.export import onnx as onnx_files
from naokit.export.check import Check
from naokit.export.checking import Files
from naokit.export.config import list_file
from naokit.files import write_whole
from naokit.images.data import ImageData, Split
from naokit.images.interface import Interface
from naokit.images.measuring import batches, images_of, logits_on, measure, part_of
from naokit.images.on_device import EVALUATION_BATCH
from naokit.images.pictures.stream import Stream

CALIBRATION = 256
"""Training images that the ranges of activations are read from."""


def check(files: Files, interface: Interface) -> Check:
    """Writes the network in 8-bit integers and judges it by its accuracy: every logit changes.

    Raises:
        InputError: Images to calibrate on are not named, cannot be read or do not fit, or a
            package is missing.
    """
    bundle, path = files.bundle, files.folder / "model-int8.onnx"
    data = _images(files, interface)
    part, split = part_of(data)
    write(files.onnx_check.file, _calibration(data, interface), path)
    run = onnx_files.read_onnx(path)
    before, after = (_accuracy(one, interface, split) for one in (bundle.network, run))
    list_file(files.folder, path.name, opset=onnx_files.OPSET, accuracy=[before, after], part=part)
    size, floats = (file.stat().st_size / 1000 for file in (path, files.onnx_check.file))
    note = f"{len(split)} {part} images, {size:,.0f} kB (model.onnx {floats:,.0f} kB)"
    if size >= floats:  # the scales of a small network take more than its weights save
        note += "; no smaller: eight bits save nothing on so small a network"
    return Check(path, bundle.difference(run), None, note, (before, after))


def _images(files: Files, interface: Interface) -> ImageData:
    """Images of the network's size and classes: those named, or those that it learnt from."""
    source: Any = files.source  # what `load_images` takes
    try:
        data = images_of(files.bundle.results.data, source)
    except InputError as error:
        raise InputError(f"int8 needs images: {error}; or name others with `data`") from error
    if data is None:
        raise InputError("int8 needs images and none are recorded; name them with `data`")
    interface.check_fits(data, "the network")
    return data


def _calibration(data: ImageData, interface: Interface) -> Iterator[Tensor]:
    """Standardised training images, the same every time."""
    rows = np.random.default_rng(0).permutation(len(data.train))[:CALIBRATION]
    for images, _ in batches(data.train, 32, np.sort(rows)):
        yield interface.standardise(images)


def _accuracy(
    run: Callable[[Tensor], Tensor], interface: Interface, split: Split | Stream
) -> float:
    """The percentage of a part's images that get their label."""
    found = logits_on(lambda images: run(interface.standardise(images)), split, EVALUATION_BATCH)
    return measure(*found, interface.class_names).accuracy


def write(model: Path, batches: Iterator[Tensor], path: Path) -> None:
    """Writes the quantised model.

    Args:
        model: The ONNX file in floats.
        batches: Images to calibrate on, standardised floats (B, C, H, W).
        path: The file to write.

    Raises:
        InputError: The package onnx or onnxruntime is missing.
    """
    try:
        import onnx
        from onnxruntime import quantization
        from onnxruntime.quantization.shape_inference import quant_pre_process
    except ImportError as error:
        raise InputError("int8 needs more packages: pip install 'naokit[export]'") from error
    with tempfile.TemporaryDirectory() as folder:
        prepared, made = Path(folder) / "prepared.onnx", Path(folder) / path.name
        with _quiet():
            quant_pre_process(str(model), str(prepared))
            nodes = onnx.load(str(prepared)).graph.node
            quantization.quantize_static(
                str(prepared),
                str(made),
                _Images(batches),
                quant_format=quantization.QuantFormat.QDQ,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
                nodes_to_exclude=[n.name for n in nodes if n.op_type == "BatchNormalization"],
            )
        write_whole(path, made.read_bytes())


class _Images:
    """The input of onnxruntime's calibrator: one batch for each call, then None."""

    def __init__(self, batches: Iterator[Tensor]) -> None:
        self.batches = batches

    def get_next(self) -> dict[str, np.ndarray[Any, Any]] | None:
        """The inputs of the next run."""
        images = next(self.batches, None)
        return None if images is None else {"images": images.numpy()}

    def __len__(self) -> int:
        return CALIBRATION


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps onnxruntime's remarks, which it makes to the root logger, from the user."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.root.setLevel(level)
