"""A network as ONNX with a dynamic batch (extra: `pip install naokit[export]`)."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram

from naokit.base import InputError
from naokit.files import write_whole

OPSET = 20


def write(program: ExportedProgram, path: Path) -> None:
    """Writes the model: `images` (batch, C, H, W) standardised floats -> `logits` (batch, K)."""
    try:
        import onnxscript  # noqa: F401 - torch.onnx needs it and says so less clearly
    except ImportError as error:
        raise InputError("ONNX needs more packages: pip install 'naokit[export]'") from error
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations are not the user's
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        made = Path(folder) / path.name
        converted = torch.onnx.export(
            program,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: "batch"},),  # a name alone: the program is dynamic already
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        assert converted is not None
        converted.save(str(made), external_data=False)
        write_whole(path, made.read_bytes())


def read(path: Path) -> Callable[[Tensor], Tensor]:
    """What onnxruntime computes: standardised floats (B, C, H, W) -> logits (B, K).

    Raises:
        InputError: onnxruntime is missing, or cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError("ONNX needs onnxruntime: pip install 'naokit[export]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors; its warnings are about its own optimisations
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime raises a dozen kinds without a common parent
        raise InputError(f"{path} is damaged ({_first_line(error)}); export it again") from error

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])

    return run


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
