"""A network as ONNX with a dynamic batch (extra: `pip install naokit[export]`)."""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from naokit.base import InputError
from naokit.files import write_whole

OPSET = 20


def write(network: nn.Module, image: tuple[int, int, int], path: Path) -> None:
    """Writes the model: `images` (batch, C, H, W) standardised floats -> `logits` (batch, K)."""
    try:
        import onnxscript  # noqa: F401 - torch.onnx needs it and says so less clearly
    except ImportError as error:
        raise InputError("ONNX needs more packages: pip install 'naokit[export]'") from error
    network.eval()
    example = torch.zeros(2, *image)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations are not the user's
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        made = Path(folder) / path.name
        program = torch.onnx.export(
            network,
            (example,),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        program.save(str(made), external_data=False)
        write_whole(path, made.read_bytes())


def run(path: Path, images: Tensor) -> Tensor:
    """The logits that onnxruntime computes."""
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError("checking ONNX needs onnxruntime: pip install 'naokit[export]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])
