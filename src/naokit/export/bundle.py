"""A trained network as files: weights in safetensors, everything else in `config.json`.

    model.safetensors   the weights; its header names the architecture
    config.json         kind, space, architecture, sizes, checksums, and what its kind needs
    vocabulary.json     of a language model: its tokens
    README.md           the model card (see `card`)

`load` builds the network again and puts the weights in; nothing is unpickled.
"""

from __future__ import annotations

import dataclasses
import hashlib
from importlib.metadata import version
from pathlib import Path

from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from naokit.base import Architecture, InputError, Json, NetworkSettings, Space
from naokit.export import image_bundle, language_bundle
from naokit.export.config import (
    CONFIG,
    FORMAT,
    WEIGHTS,
    architecture_in,
    check_checksum,
    check_kind,
    checksum,
    kind_of,
    list_file,
    read_config,
)
from naokit.export.image_bundle import Bundle
from naokit.export.language_bundle import LanguageBundle
from naokit.files import write_json, write_whole
from naokit.networks import without_weights
from naokit.spaces import without_folder
from naokit.training.checkpoint import check_forms, load_weights, read_forms, read_tensors
from naokit.training.hub import first_line

AnyBundle = Bundle | LanguageBundle
"""A network of whichever kind, and what is needed to use it."""

MADE_BY = f"naokit {version('naokit')}"


def save(bundle: AnyBundle, folder: Path) -> None:
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
    files = before.get("files", {}) if before.get("sha256") == sha256 else {}
    for name, text in bundle.attachments().items():
        write_whole(folder / name, text)
        files = {**files, name: {"sha256": checksum_of(text)}}
    config = {
        "format": FORMAT,
        "made_by": MADE_BY,
        **identity(bundle),
        **bundle.told(),
        "results": bundle.results,
        "sha256": sha256,
        "files": files,
    }
    write_json(folder / CONFIG, config)
    if card.is_ours(folder, before):
        write_whole(folder / card.CARD, card.text(bundle))
        list_file(folder, card.CARD)


def identity(bundle: AnyBundle) -> dict[str, Json]:
    """What makes a network the same besides weights and attachments: fields of its config."""
    return {
        "kind": bundle.kind,
        "space": without_folder(bundle.architecture.space.settings()),
        "architecture": str(bundle.architecture),
        "network": dataclasses.asdict(bundle.settings),
        **bundle.fields(),
    }


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer, on the processor and contiguous."""
    return {n: t.detach().cpu().contiguous() for n, t in network.state_dict().items()}


def checksum_of(text: str) -> str:
    """That of a file with this content."""
    return hashlib.sha256(text.encode()).hexdigest()


def _listed(folder: Path) -> dict[str, Json]:
    """The config that is about to be replaced; empty where there is none to read."""
    try:
        return read_config(folder)
    except InputError:
        return {}


def load_bundle(folder: Path | str, space: Space | None = None) -> AnyBundle:
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
    architecture = architecture_in(folder, config, space)
    language = kind_of(config) == LanguageBundle.kind
    settings = (language_bundle if language else image_bundle).settings_of(config)
    network = _built(architecture, settings, folder)
    weights, _ = read_tensors(folder / WEIGHTS)
    load_weights(network, weights, folder / WEIGHTS)  # says more than a checksum could
    check_checksum(folder / WEIGHTS, config.get("sha256"))
    network.eval()
    if language:
        return language_bundle.bundle_of(network, architecture, settings, config, folder)
    return image_bundle.bundle_of(network, architecture, settings, config)


def _built(architecture: Architecture, settings: NetworkSettings, folder: Path) -> nn.Module:
    """The network of a config, made once its weights are known to be such a network's.

    What a stranger's config asks for may be larger than any memory.
    """
    build = architecture.space.build
    try:
        with without_weights():
            outline: nn.Module | None = build(architecture, settings)
    except InputError:
        raise
    except Exception:  # noqa: BLE001  a user's own network that is not made without weights
        outline = None
    if outline is not None:
        check_forms(outline, read_forms(folder / WEIGHTS), folder / WEIGHTS)
    try:
        return build(architecture, settings)
    except (RuntimeError, MemoryError) as error:  # torch's own for sizes that are out of range
        raise InputError(
            f"{folder / CONFIG} is of a network that cannot be made: {first_line(error)}"
        ) from error


def load_classifier(folder: Path | str, space: Space | None = None) -> Bundle:
    """Like `load_bundle`; raises InputError where the network is of another kind as well."""
    check_kind(Path(folder), Bundle.kind)
    bundle = load_bundle(folder, space)
    assert isinstance(bundle, Bundle)
    return bundle


def load_language(folder: Path | str, space: Space | None = None) -> LanguageBundle:
    """Like `load_bundle`; raises InputError where the network is of another kind as well."""
    check_kind(Path(folder), LanguageBundle.kind)
    bundle = load_bundle(folder, space)
    assert isinstance(bundle, LanguageBundle)
    return bundle


def load(folder: Path | str, space: Space | None = None) -> nn.Module:
    """The trained network of a folder, in eval mode; see `load_bundle`."""
    return load_bundle(folder, space).network
