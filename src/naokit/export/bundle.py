"""The interface of a trained network: what is needed to save, to load and to use it.

    model.safetensors   the weights; its header names the architecture
    config.json         kind, space, architecture, sizes, checksums, and what its kind needs
    README.md           the model card (see `card`)
    vocabulary.json     an attachment: here that of a language model

`read` builds the network again and puts the weights in; nothing is unpickled.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import torch
from torch import Tensor, nn

from naokit.base import InputError, Json
from naokit.export.about import About
from naokit.export.check import Check
from naokit.export.config import (
    CONFIG,
    WEIGHTS,
    architecture_in,
    check_checksum,
    damaged,
    kind_of,
    read_any,
)
from naokit.export.fields import network_fault
from naokit.export.results import Results
from naokit.networks import without_weights
from naokit.settings import NetworkSettings
from naokit.space import Architecture, Space
from naokit.spaces import without_folder
from naokit.training.checkpoint import check_forms, load_weights, read_forms, read_tensors
from naokit.training.metric import Metric
from naokit.wording import first_line

Computation = Callable[..., Any]
"""What an exported file computes: it takes and gives what the network's `Bundle.run_of` does."""

Format = Callable[..., Check]
"""Writes the `checking.Files` that it is given in one format, and checks what it wrote."""

B = TypeVar("B", bound="Bundle")


class Bundle(ABC):
    """A trained network and what is needed to use it; each kind of data has its own.

    Attributes:
        network: The network, in eval mode.
        architecture: What it was built from.
        settings: Its sizes.
        results: How its training went, as far as that is known.
        kind: The word that `config.json` knows the kind by.
        noun: What such a network is called, with its article.
        use: What uses such a network, as a clause that ends a message.
        metric: What such networks are compared by.
        needed: The fields that its config has besides those of every kind.
        settings_type: The class of `settings`.
        needed_sizes: The fields of `settings` that every config names.
        inputs: The names of what an exported program takes, each with the batch first.
        outputs: The names of what it gives.
        program_note: What the program is, in words.
        own_formats: Formats besides those of every kind, by name.
    """

    network: nn.Module
    architecture: Architecture
    settings: NetworkSettings
    results: Results

    kind: ClassVar[str]
    noun: ClassVar[str]
    use: ClassVar[str] = "naokit.load reads it"
    metric: ClassVar[Metric]
    needed: ClassVar[tuple[str, ...]] = ()
    settings_type: ClassVar[type[NetworkSettings]]
    needed_sizes: ClassVar[tuple[str, ...]] = ()
    inputs: ClassVar[tuple[str, ...]] = ("inputs",)
    outputs: ClassVar[tuple[str, ...]] = ("outputs",)
    program_note: ClassVar[str] = "any batch"
    own_formats: ClassVar[Mapping[str, Format]] = {}

    @classmethod
    def read(
        cls,
        network: nn.Module,
        architecture: Architecture,
        settings: Any,
        config: Mapping[str, Json],
        folder: Path,
    ) -> Self:
        """The network with what its config and the files beside it say.

        Raises:
            InputError: A file is missing or damaged, or the network is of another kind.
        """
        del folder
        make: Any = cls
        results = Results.from_json(cls.metric, config["results"])
        made: Self = make(network, architecture, settings, results=results)
        return made

    @abstractmethod
    def examples(self) -> tuple[Tensor, ...]:
        """Inputs of the right shapes for the exported module, in a batch of two."""

    @classmethod
    def faults(cls, config: Mapping[str, Json]) -> Iterator[str]:
        """The faults of the kind's own fields of a config; empty where there are none."""
        del config
        return iter(())

    @classmethod
    def settings_of(cls, config: Mapping[str, Json]) -> NetworkSettings:
        """The sizes that a config names; what JSON has as a list is a tuple here."""
        sizes = {n: tuple(v) if isinstance(v, list) else v for n, v in config["network"].items()}
        return cls.settings_type(**sizes)

    def fields(self) -> dict[str, Json]:
        """The kind's own fields of the config: they tell one network from another."""
        return {}

    def notes(self) -> dict[str, Json]:
        """Further fields of the config, for those who read it without naokit."""
        return {}

    def attachments(self) -> dict[str, str]:
        """Files that belong to the network besides weights and config: their text by name."""
        return {}

    def run_of(self, network: nn.Module) -> nn.Module:
        """The module that is exported and compared; by default the whole network."""
        return network

    @torch.no_grad()
    def difference(self, run: Computation) -> float:
        """The largest difference of any output from the network's, by default on `examples`."""
        given = self.examples()
        return float((run(*given) - self.run_of(self.network)(*given)).abs().max())

    def obstacle(self) -> str:
        """Why the network cannot be written as one Python file; empty where it can."""
        return f"{self.noun} cannot be written as a stand-alone file"

    def standalone(self) -> str:
        """The source of the network as one Python file that needs torch alone."""
        raise InputError(self.obstacle())

    def about(self) -> About:
        """What the model card says of such a network."""
        return About("the data", f"This is {self.noun} that naokit trained.", "`naokit.load`.")


def identity(bundle: Bundle) -> dict[str, Json]:
    """The fields of a config that identify a network, besides weights and attachments."""
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


def read(kind: type[B], folder: Path, space: Space | None = None) -> B:
    """The network that `saving.save` wrote into a folder.

    Args:
        kind: The kind of the network.
        folder: The folder of its files.
        space: The space, where it is a user's own that was made in Python.

    Raises:
        InputError: A file is missing, damaged, of another network (the first difference), kind or
            version, or the space is missing.
    """
    config = read_config(kind, folder)
    architecture = architecture_in(folder, config, space)
    settings = kind.settings_of(config)
    network = _built(architecture, settings, folder)
    weights, _ = read_tensors(folder / WEIGHTS)
    load_weights(network, weights, folder / WEIGHTS)  # says more than a checksum could
    check_checksum(folder / WEIGHTS, config.get("sha256"))
    return kind.read(network.eval(), architecture, settings, config, folder)


def read_config(kind: type[Bundle], folder: Path) -> dict[str, Json]:
    """The config of a network of this kind.

    Raises:
        InputError: It is missing, damaged, of another version or of another kind of network.
    """
    config, path = read_any(folder), folder / CONFIG
    if kind_of(config) != kind.kind:
        raise InputError(f"{folder} holds a network of the kind {kind_of(config)}, not {kind.noun}")
    missing = [name for name in kind.needed if name not in config]
    if missing:
        raise damaged(path, f"it has no {missing[0]}")
    sizes = network_fault(config["network"], kind.settings_type, kind.needed_sizes)
    if fault := sizes or next(kind.faults(config), None):
        raise damaged(path, fault)
    return config


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
