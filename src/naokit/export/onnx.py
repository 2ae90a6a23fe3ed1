"""A network as ONNX with a dynamic batch (extra: `pip install naokit[export]`)."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from naokit.base import InputError
from naokit.files import check_regular, write_whole
from naokit.wording import first_line

OPSET = 20


def write(
    program: ExportedProgram, path: Path, inputs: Sequence[str], outputs: Sequence[str]
) -> None:
    """Writes the model; its inputs and outputs have these names and any batch.

    Raises:
        InputError: Packages are missing, or the network uses an operation that ONNX does not
            support.
    """
    try:
        import onnxscript  # noqa: F401 - torch.onnx needs it and says so less clearly
    except ImportError as error:
        raise InputError("ONNX needs more packages: pip install 'naokit[export]'") from error
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations are not the user's
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        made = Path(folder) / path.name
        try:
            converted = torch.onnx.export(
                program,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=tuple(
                    {0: "batch"} for _ in inputs
                ),  # a name alone: the program is dynamic already
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise InputError(f"ONNX cannot express this network ({first_line(error)})") from error
        assert converted is not None
        converted.save(str(made), external_data=False)
        write_whole(path, made.read_bytes())


def read_onnx(path: Path) -> Callable[..., Any]:
    """The computation by onnxruntime: tensors in the order of the inputs -> the output, or a tuple.

    Raises:
        InputError: The package onnxruntime is missing, or cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError("ONNX needs onnxruntime: pip install 'naokit[export]'") from error
    check_regular(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors; its warnings are about its own optimisations
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime raises a dozen kinds without a common parent
        raise InputError(f"{path} is damaged ({first_line(error)}); export it again") from error

    names = [given.name for given in session.get_inputs()]

    def run(*given: Tensor) -> Tensor | tuple[Tensor, ...]:
        feed = {name: value.numpy() for name, value in zip(names, given, strict=True)}
        found = tuple(torch.from_numpy(value) for value in session.run(None, feed))
        return found if len(found) > 1 else found[0]

    return run
