"""A trained language model and what is needed to use it: its vocabulary is a file beside it.

Exported is one step, with the state that the next step takes::

    token (B,), state (B, H)  ->  logits (B, V) of what comes next, next_state (B, H)

Shapes: B batch, H hidden, V vocabulary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from naokit.base import InputError, Json
from naokit.export.about import About
from naokit.export.bundle import Bundle, Computation
from naokit.export.config import check_checksum
from naokit.export.results import Results
from naokit.files import read_json
from naokit.networks import LanguageModel
from naokit.settings import LanguageSettings
from naokit.space import Architecture
from naokit.text import card, standalone
from naokit.text.task import PERPLEXITY
from naokit.text.vocabulary import FILE, Vocabulary

BATCHES = (1, 3)
"""How many sequences a file and the network are compared on at once."""
STEPS = 50
"""How many steps they are compared over."""


class Step(nn.Module):
    """One step of a language model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, token: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Token (B,) and state (B, H) -> logits (B, V) and the next state (B, H)."""
        spoken = self.model(token[None], state)
        return spoken.logits[0], spoken.state


@dataclass(frozen=True)
class LanguageBundle(Bundle):
    """A trained language model and what is needed to use it.

    Attributes:
        network: The network, in eval mode.
        architecture: What its cell was built from.
        settings: Its sizes.
        vocabulary: Its tokens.
        results: How its training went, as far as that is known.

    Raises:
        InputError: The vocabulary is of another network.
    """

    network: LanguageModel
    architecture: Architecture
    settings: LanguageSettings
    vocabulary: Vocabulary
    results: Results = field(default_factory=lambda: Results(PERPLEXITY))

    kind = "language"
    noun = "a language model"
    use = "`naokit generate` writes with it, and naokit.load reads it"
    metric = PERPLEXITY
    needed = ("tokens",)
    settings_type = LanguageSettings
    needed_sizes = ("vocabulary", "hidden")
    inputs = ("token", "state")
    outputs = ("logits", "next_state")  # ONNX allows no output with the name of an input
    program_note = f"one step, any batch, compared over {STEPS}"

    def __post_init__(self) -> None:
        tokens, rows = len(self.vocabulary), self.settings.vocabulary
        if tokens != rows:
            raise InputError(
                f"the vocabulary is of another network: it has {tokens} tokens, the network {rows}"
            )

    @classmethod
    def read(
        cls,
        network: nn.Module,
        architecture: Architecture,
        settings: Any,
        config: Mapping[str, Json],
        folder: Path,
    ) -> LanguageBundle:
        """The network with what its config says and the vocabulary beside it.

        Raises:
            InputError: The vocabulary is missing, damaged or of another network, or the space
                builds no language models.
        """
        if not isinstance(network, LanguageModel):
            raise InputError(f"the space {architecture.space.name} builds no language models")
        vocabulary = read_vocabulary(folder, config)
        results = Results.from_json(cls.metric, config["results"])
        return cls(network, architecture, settings, vocabulary, results)

    def fields(self) -> dict[str, Json]:
        """What a token is."""
        return {"tokens": self.vocabulary.kind}

    def attachments(self) -> dict[str, str]:
        """The vocabulary."""
        text = json.dumps(self.vocabulary.to_json(), ensure_ascii=False, indent=1)
        return {FILE: text + "\n"}

    def run_of(self, network: nn.Module) -> nn.Module:
        """One step."""
        return Step(network).eval()

    def examples(self) -> tuple[Tensor, ...]:
        """Token (2,) and state (2, H)."""
        return torch.zeros(2, dtype=torch.int64), self.network.start(2)

    @torch.no_grad()
    def difference(self, run: Computation) -> float:
        """The largest difference of any logit or state; each carries its own state along."""
        generator = torch.Generator().manual_seed(0)
        return max(self._difference(run, batch, generator) for batch in BATCHES)

    def _difference(self, run: Computation, batch: int, generator: torch.Generator) -> float:
        """The difference on one batch; nan where the file gives any."""
        step = self.run_of(self.network)
        token = torch.randint(self.settings.vocabulary, (batch,), generator=generator)
        state = found_state = self.network.start(batch)
        differences = []
        for _ in range(STEPS):
            logits, state = step(token, state)
            found, found_state = run(token, found_state)
            if not logits.isfinite().all():
                raise InputError("the network gives values that are not finite; was it trained?")
            differences += [(found - logits).abs().max(), (found_state - state).abs().max()]
            token = torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]
        return float(torch.stack(differences).max())

    def obstacle(self) -> str:
        """Why the network cannot be written as one Python file; empty where it can."""
        return standalone.obstacle(self.network)

    def standalone(self) -> str:
        """The source of the network, its reader and, where tokens are listed, its writer."""
        return standalone.source(self.network, self.architecture, self.vocabulary)

    def about(self) -> About:
        """What the model card says of it."""
        return card.about(self.network, self.vocabulary)


def read_vocabulary(folder: Path, config: Mapping[str, Json]) -> Vocabulary:
    """The vocabulary beside a config; raises InputError where it is missing or was altered."""
    path = folder / FILE
    if not path.exists():
        raise InputError(f"there is no file {path}, the network's tokens: copy it there again")
    vocabulary = read_json(path)
    check_checksum(path, config.get("files", {}).get(FILE, {}).get("sha256"))
    return Vocabulary.from_json(vocabulary)
