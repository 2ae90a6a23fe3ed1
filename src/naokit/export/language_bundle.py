"""A language model and what is needed to use it. Its vocabulary is a file: `vocabulary.json`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import nn

from naokit.base import Architecture, InputError, Json, LanguageSettings
from naokit.export.config import VOCABULARY, check_checksum
from naokit.files import read_json
from naokit.networks import LanguageModel
from naokit.training.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class LanguageBundle:
    """A language model and what is needed to use it.

    Attributes:
        network: in eval mode.
        architecture: what its cell was built from.
        settings: its sizes.
        vocabulary: its tokens.
        results: figures worth keeping with it, by name.

    Raises:
        InputError: the vocabulary is of another network.
    """

    network: LanguageModel
    architecture: Architecture
    settings: LanguageSettings
    vocabulary: Vocabulary
    results: dict[str, Json] = dataclasses.field(default_factory=dict)

    kind: ClassVar = "language"

    def __post_init__(self) -> None:
        tokens, rows = len(self.vocabulary), self.settings.vocabulary
        if tokens != rows:
            raise InputError(
                f"the vocabulary is of another network: it has {tokens} tokens, the network {rows}"
            )

    def fields(self) -> dict[str, Json]:
        """Its own part of the config."""
        return {"tokens": self.vocabulary.kind}

    def told(self) -> dict[str, Json]:
        """What a config says besides, for those who read it without naokit: nothing."""
        return {}

    def attachments(self) -> dict[str, str]:
        """Files that belong to it besides weights and config."""
        text = json.dumps(self.vocabulary.to_json(), ensure_ascii=False, indent=1)
        return {VOCABULARY: text + "\n"}


def settings_of(config: Mapping[str, Json]) -> LanguageSettings:
    """The sizes that a config names."""
    return LanguageSettings(**config["network"])


def bundle_of(
    network: nn.Module,
    architecture: Architecture,
    settings: LanguageSettings,
    config: Mapping[str, Json],
    folder: Path,
) -> LanguageBundle:
    """The network with what the config says of it and the vocabulary beside it.

    Raises:
        InputError: the vocabulary is missing, damaged or of another network, or the space builds
            no language models.
    """
    if not isinstance(network, LanguageModel):
        raise InputError(f"the space {architecture.space.name} builds no language models")
    vocabulary = read_vocabulary(folder, config)
    return LanguageBundle(network, architecture, settings, vocabulary, config["results"])


def read_vocabulary(folder: Path, config: Mapping[str, Json]) -> Vocabulary:
    """The vocabulary beside a config; raises InputError where it is missing or was altered."""
    path = folder / VOCABULARY
    if not path.exists():
        raise InputError(f"there is no file {path}, the network's tokens: copy it there again")
    vocabulary = read_json(path)
    check_checksum(path, config.get("files", {}).get(VOCABULARY, {}).get("sha256"))
    return Vocabulary.from_json(vocabulary)
