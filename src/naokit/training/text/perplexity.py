"""The perplexity of a whole text, its state carried from token to token.

The text is read in several columns at once, because one alone is slow. Each column reads the tokens
before its own first, so that its state is what reading from the beginning would have left: how many
columns there are alters nothing that is worth printing (tests/training/text/test_perplexity.py).

Shapes: N tokens, L steps, B columns, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

EVALUATION_BATCH = 32
WARM_UP = 200  # tokens that a column reads before its own
STEPS = 50  # at once


@torch.no_grad()
def perplexity(
    network: nn.Module,
    ids: np.ndarray,
    *,
    device: torch.device,
    batch: int = EVALUATION_BATCH,
    on_step: Callable[[int], None] | None = None,
) -> float:
    """That of every token but the first, exp(mean negative log-likelihood); inf beyond a float.

    Args:
        network: tokens (L, B), state or None -> `Spoken`; it is put in eval mode.
        ids: the text (N,), two tokens or more.
        device: where the network is.
        batch: columns at most (B).
        on_step: called with the number of tokens read since the last call.
    """
    network.eval()
    count = len(ids) - 1
    columns = min(batch, max(1, count // WARM_UP))
    length = -(-count // columns)
    stream = np.zeros(columns * length + 1, dtype=np.int64)
    stream[: len(ids)] = ids
    text = torch.from_numpy(stream).to(device)
    starts = torch.arange(columns, device=device) * length
    state = _warm(network, text, starts) if columns > 1 else None
    total = torch.zeros((), device=device, dtype=torch.float64)
    for first in range(0, length, STEPS):
        steps = torch.arange(first, min(length, first + STEPS), device=device)
        places = steps[:, None] + starts  # (L, B)
        spoken = network(text[places], state)
        state = spoken.state
        losses = F.cross_entropy(
            spoken.logits.flatten(0, 1).float(), text[places + 1].flatten(), reduction="none"
        )
        counted = (places < count).flatten()
        total += (losses * counted).sum(dtype=torch.float64)
        if on_step is not None:
            on_step(int(counted.sum()))
    mean = float(total) / count
    return math.exp(mean) if mean < 700 else math.inf


def _warm(network: nn.Module, text: Tensor, starts: Tensor) -> Tensor:
    """The state of each column before its first token; the first begins with none."""
    steps = torch.arange(-WARM_UP, 0, device=text.device)
    places = (steps[:, None] + starts).clamp(min=0)
    state: Tensor = network(text[places], None).state
    state[0] = 0
    return state
