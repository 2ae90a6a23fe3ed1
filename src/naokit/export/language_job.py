"""The export of a language model: one step, with the state that the next step takes.

    token (B,), state (B, H)  ->  logits (B, V) of what comes next, next_state (B, H)

Shapes: B batch, H hidden, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from naokit.base import InputError
from naokit.export.checking import BATCHES, Job, Run
from naokit.export.language_bundle import LanguageBundle
from naokit.networks import LanguageModel

STEPS = 50
"""That a file is compared over."""


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
class LanguageJob(Job):
    """A language model on its way into files."""

    bundle: LanguageBundle

    inputs = ("token", "state")
    outputs = ("logits", "next_state")  # ONNX knows no output with the name of an input
    program_note = f"one step, any batch, compared over {STEPS}"

    def run_of(self, network: nn.Module) -> nn.Module:
        """One step."""
        return Step(network).eval()

    def examples(self) -> tuple[Tensor, ...]:
        """Token (2,) and state (2, H)."""
        return torch.zeros(2, dtype=torch.int64), self.bundle.network.start(2)

    @torch.no_grad()
    def difference(self, run: Run) -> float:
        """Largest difference of any logit or state, each carrying its own over sampled tokens."""
        generator = torch.Generator().manual_seed(0)
        step = self.run_of(self.bundle.network)
        return max(
            _difference(run, step, self.bundle.network, batch, generator) for batch in BATCHES
        )


def _difference(
    run: Run, step: nn.Module, network: LanguageModel, batch: int, generator: torch.Generator
) -> float:
    """That of one batch; nan where the file gives any."""
    token = torch.randint(network.settings.vocabulary, (batch,), generator=generator)
    state = found_state = network.start(batch)
    differences = []
    for _ in range(STEPS):
        logits, state = step(token, state)
        found, found_state = run(token, found_state)
        if not logits.isfinite().all():
            raise InputError("the network gives values that are not finite; was it trained?")
        differences += [(found - logits).abs().max(), (found_state - state).abs().max()]
        token = torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]
    return float(torch.stack(differences).max())
