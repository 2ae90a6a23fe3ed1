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
from naokit.export import onnx, pt2
from naokit.export.bundle import load_bundle
from naokit.export.config import CONFIG, check_checksum, check_kind, kind_of, read_config
from naokit.export.image_bundle import standardise
from naokit.training.layout import laid_out, lay_out, memory_format


@dataclass(frozen=True)
class Classifier:
    """A network that is ready to classify.

    Attributes:
        path: where it was read from.
        run: standardised floats (B, C, H, W) -> logits (B, K).
        image: shape of an image (C, H, W).
        class_names: of the outputs (K).
        mean: of each channel, in [0, 1].
        std: likewise.
        results: what was recorded when it was trained.
    """

    path: Path
    run: Callable[[Tensor], Tensor]
    image: tuple[int, int, int]
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    results: Mapping[str, Json]

    @torch.no_grad()
    def logits(self, images: Tensor) -> Tensor:
        """Bytes (B, C, H, W) -> logits (B, K)."""
        return self.run(standardise(images, self.mean, self.std))


def open_network(path: Path | str) -> Classifier:
    """The classifier of a run, a folder or an exported file.

    Raises:
        InputError: there is none, or it is damaged, of another network or a language model.
    """
    path = Path(path)
    if not path.is_dir():
        return _exported(path)
    folder = network_folder(path)
    check_kind(folder, "image")
    return _classifier(folder, read_config(folder), _network(folder))


def network_folder(path: Path | str) -> Path:
    """The folder of `config.json`: the path itself or that of a run's network.

    Raises:
        InputError: there is none.
    """
    path = Path(path)
    for folder in (path, path / "network"):
        if (folder / CONFIG).exists():
            return folder
    raise InputError(f"{path} holds no trained network ({CONFIG}); `naokit train` makes one")


def kind_at(path: Path | str) -> str:
    """What kind of network a run, a folder or an exported file is; raises InputError for none."""
    path = Path(path)
    if path.is_dir():
        return kind_of(read_config(network_folder(path)))
    if path.is_file() and (path.parent / CONFIG).exists():
        return kind_of(read_config(path.parent))
    return "image"  # what else a file may be is said where it is opened


def _exported(path: Path) -> Classifier:
    readers = {".onnx": onnx.read, ".pt2": pt2.read}
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
    config = read_config(path.parent)
    check_kind(path.parent, "image")
    _check_listed(path, config)
    return _classifier(path, config, readers[path.suffix](path))


def _check_listed(path: Path, config: Mapping[str, Json]) -> None:
    """A file beside a config may be of the network that was there before."""
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
    network = load_bundle(folder).network
    layout = memory_format(network, torch.device("cpu"))
    lay_out(network, layout)
    return lambda images: network(laid_out(images, layout))


def _classifier(
    path: Path, config: Mapping[str, Json], run: Callable[[Tensor], Tensor]
) -> Classifier:
    channels, height, width = config["network"]["image"]
    return Classifier(
        path,
        run,
        (channels, height, width),
        tuple(config["class_names"]),
        tuple(config["mean"]),
        tuple(config["std"]),
        config["results"],
    )
