"""A network in 8-bit integers: onnxruntime's static quantisation, calibrated on training images.

Weights have a scale for each output channel, activations one for each tensor. Weights use seven of
the eight bits, so that sums do not overflow on processors without VNNI: what is measured on one
machine holds on another. Batch normalisations that follow no convolution stay in floats.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from naokit.base import InputError
from naokit.files import write_whole

CALIBRATION = 256
"""Training images that the ranges of activations are read from."""


def write(model: Path, batches: Iterator[Tensor], path: Path) -> None:
    """Writes the quantised model.

    Args:
        model: the ONNX file in floats.
        batches: images to calibrate on, standardised floats (B, C, H, W).
        path: where to.

    Raises:
        InputError: onnx or onnxruntime is missing.
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
    """What onnxruntime's calibrator reads: one batch a call, then None."""

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
