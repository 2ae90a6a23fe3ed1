"""A trained image classifier, however it is stored: images as bytes in, logits out.

    runs/x            a run: its `network` folder
    runs/x/network    weights and config
    model.onnx, model-int8.onnx, model.pt2     exported files, beside their config

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from naokit.base import InputError, Json
from naokit.export import network_folder, onnx, pt2
from naokit.export.bundle import read, read_config
from naokit.export.config import CONFIG, check_checksum
from naokit.export.results import Results
from naokit.images.bundle import ImageBundle
from naokit.images.interface import Interface
from naokit.images.memory_format import laid_out, lay_out, memory_format


@dataclass(frozen=True)
class Classifier:
    """A network that is ready to classify.

    Attributes:
        path: Where it was read from.
        run: What it computes: standardised floats (B, C, H, W) -> logits (B, K).
        interface: What goes in and what comes out.
        results: How its training went, as far as that is known.
    """

    path: Path
    run: Callable[[Tensor], Tensor]
    interface: Interface
    results: Results

    @torch.no_grad()
    def logits(self, images: Tensor) -> Tensor:
        """Bytes (B, C, H, W) -> logits (B, K)."""
        return self.run(self.interface.standardise(images))


def open_network(path: Path | str) -> Classifier:
    """The classifier of a run, a folder or an exported file.

    Raises:
        InputError: There is no network, or it is damaged, of another network or a language model.
    """
    path = Path(path)
    if not path.is_dir():
        return _exported(path)
    folder = network_folder(path)
    return _classifier(folder, read_config(ImageBundle, folder), _network(folder))


def _exported(path: Path) -> Classifier:
    readers = {".onnx": onnx.read_onnx, ".pt2": pt2.read_pt2}
    if not path.exists():
        raise InputError(f"there is no file or folder {path}; `naokit export` makes such files")
    if path.suffix not in readers:
        raise InputError(
            f"{path} is no network that can be run: expected a folder, or a file with the ending "
            f"{' or '.join(readers)}"
        )
    if not (path.parent / CONFIG).exists():
        raise InputError(
            f"{path} does not say what goes in and what comes out: it must lie beside its "
            f"{CONFIG}, as `naokit export` wrote them; copy that too"
        )
    config = read_config(ImageBundle, path.parent)
    _check_listed(path, config)
    return _classifier(path, config, readers[path.suffix](path))


def _check_listed(path: Path, config: Mapping[str, Json]) -> None:
    """Raises InputError for a file of the network that was in the folder before."""
    if "files" not in config:  # made before exports were listed
        return
    if path.name not in config["files"]:
        raise InputError(
            f"{path} is of another network than {CONFIG} beside it, which does not list it; "
            "`naokit export` writes it anew"
        )
    check_checksum(path, config["files"][path.name]["sha256"])


def _network(folder: Path) -> Callable[[Tensor], Tensor]:
    """The network in the memory layout that it is trained and fastest in."""
    network = read(ImageBundle, folder).network
    layout = memory_format(network, torch.device("cpu"))
    lay_out(network, layout)
    return lambda images: network(laid_out(images, layout))


def _classifier(
    path: Path, config: Mapping[str, Json], run: Callable[[Tensor], Tensor]
) -> Classifier:
    results = Results.from_json(ImageBundle.metric, config["results"])
    return Classifier(path, run, Interface.of(config), results)
