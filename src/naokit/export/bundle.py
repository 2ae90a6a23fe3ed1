"""A trained network as files: weights in safetensors, everything else in `config.json`.

    model.safetensors   the weights; its header names the architecture
    config.json         space, architecture, sizes, classes, standardisation, checksums
    README.md           the model card (see `card`)

`load` builds the network again and puts the weights in; nothing is unpickled.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from naokit.base import Architecture, ImageSettings, InputError, Json, Space
from naokit.export.config import (
    CONFIG,
    FORMAT,
    WEIGHTS,
    check_checksum,
    checksum,
    list_file,
    read_config,
)
from naokit.files import write_json, write_whole
from naokit.spaces import from_settings
from naokit.training.checkpoint import load_weights, read_tensors

MADE_BY = f"naokit {version('naokit')}"


@dataclass(frozen=True)
class Bundle:
    """A network and what is needed to use it.

    Attributes:
        network: in eval mode.
        architecture: what it was built from.
        settings: its sizes.
        class_names: of the outputs.
        mean: of each channel, in [0, 1]; an image is (pixels / 255 - mean) / std.
        std: likewise.
        results: figures worth keeping with it, by name.
    """

    network: nn.Module
    architecture: Architecture
    settings: ImageSettings
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    results: dict[str, Json] = dataclasses.field(default_factory=dict)


def save(bundle: Bundle, folder: Path) -> None:
    """Writes weights, config and model card; raises InputError where they cannot be written.

    What is there is replaced (ask `check_free` before), except a card that is not naokit's own.
    Exported files of the same weights stay listed.
    """
    from naokit.export import card

    before = _listed(folder)
    # The header depends on the network alone, so that equal networks have equal checksums.
    header = {"architecture": str(bundle.architecture)}
    write_whole(folder / WEIGHTS, to_bytes(weights_of(bundle.network), header))
    sha256 = checksum(folder / WEIGHTS)
    config = {
        "format": FORMAT,
        "made_by": MADE_BY,
        **identity(bundle),
        "results": bundle.results,
        "sha256": sha256,
        "files": before.get("files", {}) if before.get("sha256") == sha256 else {},
    }
    write_json(folder / CONFIG, config)
    if card.is_ours(folder, before):
        write_whole(folder / card.CARD, card.text(bundle))
        list_file(folder, card.CARD)


def identity(bundle: Bundle) -> dict[str, Json]:
    """What makes a network the same besides its weights: fields of its config."""
    return {
        "space": dict(bundle.architecture.space.settings()),
        "architecture": str(bundle.architecture),
        "network": dataclasses.asdict(bundle.settings),
        "class_names": bundle.class_names,
        "mean": bundle.mean,
        "std": bundle.std,
    }


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer, on the processor and contiguous."""
    return {n: t.detach().cpu().contiguous() for n, t in network.state_dict().items()}


def _listed(folder: Path) -> dict[str, Json]:
    """The config that is about to be replaced; empty where there is none to read."""
    try:
        return read_config(folder)
    except InputError:
        return {}


def load_bundle(folder: Path | str, space: Space | None = None) -> Bundle:
    """What `save` wrote.

    Args:
        folder: where the files are.
        space: the space, where it is a user's own that was made in Python.

    Raises:
        InputError: a file is missing, damaged, of another network (the first difference) or of
            another version, or the space is missing.
    """
    folder = Path(folder)
    config = read_config(folder)
    architecture = (space or from_settings(config["space"])).parse(config["architecture"])
    settings = ImageSettings(**{**config["network"], "image": tuple(config["network"]["image"])})
    network = architecture.space.build(architecture, settings)
    weights, _ = read_tensors(folder / WEIGHTS)
    load_weights(network, weights, folder / WEIGHTS)  # says more than a checksum could
    check_checksum(folder / WEIGHTS, config.get("sha256"))
    network.eval()
    return Bundle(
        network,
        architecture,
        settings,
        tuple(config["class_names"]),
        tuple(config["mean"]),
        tuple(config["std"]),
        config["results"],
    )


def load(folder: Path | str, space: Space | None = None) -> nn.Module:
    """The trained network of a folder, in eval mode; see `load_bundle`."""
    return load_bundle(folder, space).network


def standardise(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Bytes (B, C, H, W) as the network was trained on them; `mean` and `std` of each channel."""
    shift, scale = (torch.tensor(values).view(-1, 1, 1) for values in (mean, std))
    return (images.float() / 255 - shift) / scale
