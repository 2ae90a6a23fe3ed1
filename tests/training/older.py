"""Checkpoints as an earlier version wrote them."""

from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file

from naokit.training.checkpoint import CHECKSUM


def without_statistics(path: Path) -> None:
    """Takes a field of the recipe out of a checkpoint, and the checksum that knows of it."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header = {n: v for n, v in file.metadata().items() if n != CHECKSUM}
    older = header["training"].replace(', "statistics_batches": null', "")
    assert older != header["training"]
    save_file(tensors, path, header | {"training": older})
