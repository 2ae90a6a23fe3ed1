"""A trained network as files: weights in safetensors, everything else in `config.json`.

    model.safetensors   the weights; its header names the architecture
    config.json         space, architecture, sizes, classes, how images are standardised

`load` builds the network again and puts the weights in; nothing is unpickled.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from safetensors.torch import save as to_bytes
from torch import nn

from naokit.base import Architecture, ImageSettings, InputError, Json, Space
from naokit.files import read_json, write_json, write_whole
from naokit.spaces import from_settings
from naokit.training.checkpoint import load_weights, read_tensors

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
FORMAT = 1
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
    """Writes the two files; raises InputError where they cannot be written."""
    weights = {n: t.detach().cpu().contiguous() for n, t in bundle.network.state_dict().items()}
    header = {"architecture": str(bundle.architecture), "made_by": MADE_BY}
    write_whole(folder / WEIGHTS, to_bytes(weights, header))
    config = {
        "format": FORMAT,
        "made_by": MADE_BY,
        "space": dict(bundle.architecture.space.settings()),
        "architecture": str(bundle.architecture),
        "network": dataclasses.asdict(bundle.settings),
        "class_names": bundle.class_names,
        "mean": bundle.mean,
        "std": bundle.std,
        "results": bundle.results,
    }
    write_json(folder / CONFIG, config)


def load_bundle(folder: Path | str, space: Space | None = None) -> Bundle:
    """What `save` wrote.

    Args:
        folder: where the two files are.
        space: the space, where it is a user's own that was made in Python.

    Raises:
        InputError: a file is missing, damaged or of another version, or the space is missing.
    """
    folder = Path(folder)
    config = read_json(folder / CONFIG)
    if config.get("format") != FORMAT:
        raise InputError(
            f"{folder / CONFIG} has format {config.get('format')}, this naokit reads {FORMAT}: "
            "use the naokit that made it"
        )
    architecture = (space or from_settings(config["space"])).parse(config["architecture"])
    settings = ImageSettings(**{**config["network"], "image": tuple(config["network"]["image"])})
    network = architecture.space.build(architecture, settings)
    weights, _ = read_tensors(folder / WEIGHTS)
    load_weights(network, weights, folder / WEIGHTS)
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
