"""Many language models scored on the same held-out text.

Shapes: N tokens, L steps, B columns, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from naokit.base import EvaluationFailed, InputError
from naokit.networks import Spoken
from naokit.text.data import TextData
from naokit.training.scored import Scored

COLUMNS = 32
"""Passages that are read side by side, from no state."""


class TextScorer:
    """Perplexity of some of the held-out text.

    The passages begin without a state and are short, so that the value is higher than that of the
    whole text; it ranks.

    Args:
        data: The text.
        device: The device of the networks.
        examples: How many tokens are scored on at most, the first ones.

    Raises:
        InputError: Too little text is held out.
    """

    def __init__(self, data: TextData, device: torch.device, examples: int) -> None:
        ids = data.validation[: examples + 1]
        columns = min(COLUMNS, len(ids) - 1)
        length = (len(ids) - 1) // max(1, columns)
        if length < 1 or columns < 2:
            raise InputError(f"{data.name} holds {len(ids)} tokens out, too few to score on")
        taken = torch.from_numpy(ids[: columns * length + 1])
        self.tokens = taken[:-1].view(columns, length).t().contiguous().to(device)  # (L, B)
        self.following = taken[1:].view(columns, length).t().contiguous().to(device)

    @torch.no_grad()
    def __call__(self, network: Callable[..., Spoken]) -> Scored:
        """The score of a network: tokens (L, B), state or None -> `Spoken`."""
        spoken = network(self.tokens, None)
        losses = F.cross_entropy(
            spoken.logits.flatten(0, 1).float(), self.following.flatten(), reduction="none"
        )
        by_column = losses.view_as(self.tokens).double().mean(dim=0)  # (B,)
        mean, columns = float(by_column.mean()), len(by_column)
        if not math.isfinite(mean) or mean > 700:
            raise EvaluationFailed("diverged", "the perplexity of a sampled cell is not finite")
        value = math.exp(mean)
        return Scored(value, value * float(by_column.std()) / math.sqrt(columns))
