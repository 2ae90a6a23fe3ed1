"""The perplexity of a whole text: that of each token after all before it.

The text is read in several columns side by side, because one alone is slow::

    column 1   the cat sat | on the mat   | <eos> it was
    column 2   a dark and  | stormy night | <eos> the rain

At first each begins with no state. Then each is read again from the state that the column before it
ended in, until that alters its state no more: as far as the network remembers. If it remembers for
longer, the text is read in one column. So how many columns there are alters nothing but rounding
(tests/training/text/test_perplexity.py; what it costs: docs/results.md).

Shapes: N tokens, L steps, B columns, S numbers in a state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

EVALUATION_BATCH = 32
COLUMN = 400
"""Tokens of the shortest column: more than most networks remember."""
STEPS = 50
"""Tokens of a piece of a column, read at once."""
MEMORY = 40
"""Pieces within which where a column began must no longer matter."""
TOLERANCE = 1e-5
"""Of a state, absolute and relative: above what rounding does, below what a loss shows."""


@torch.no_grad()
def perplexity(
    network: nn.Module,
    ids: np.ndarray,
    *,
    device: torch.device,
    batch: int = EVALUATION_BATCH,
    on_step: Callable[[int], None] | None = None,
) -> float:
    """Perplexity of all but the first token, exp(mean negative log-likelihood); inf beyond a float.

    Args:
        network: The network, tokens (L, B) and state or None -> `Spoken`; it is put in eval mode.
        ids: The text (N,), two tokens or more.
        device: The device of the network.
        batch: The largest number of columns (B).
        on_step: Called with the number of tokens read so far; from the beginning again where the
            text is read in one column after all.
    """
    network.eval()
    text = torch.tensor(ids, device=device)
    count = len(ids) - 1
    columns = min(batch, count // COLUMN)
    total = _in_columns(network, text, columns, on_step) if columns > 1 else None
    if total is None:
        losses, _ = _read(network, text, 1, on_step)
        total = float(torch.cat(losses).sum())
    mean = total / count
    return math.exp(mean) if mean < 700 else math.inf


def _in_columns(
    network: nn.Module, text: Tensor, columns: int, on_step: Callable[[int], None] | None
) -> float | None:
    """The sum of all losses; None where the network remembers for too long."""
    losses, states = _read(network, text, columns, on_step)
    before = states.pop().roll(1, dims=0)
    before[0] = 0
    again = _pieces(network, text, columns, before)
    for piece, (expected, (loss, state, _)) in enumerate(zip(states, again, strict=False)):
        losses[piece] = loss
        if torch.allclose(state, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
            return float(torch.cat(losses).sum())
    return None


def _read(
    network: nn.Module, text: Tensor, columns: int, on_step: Callable[[int], None] | None
) -> tuple[list[Tensor], list[Tensor]]:
    """The losses of all pieces (B,); the states (B, S) after the first `MEMORY`, and the last."""
    losses: list[Tensor] = []
    states: list[Tensor] = []
    read = 0
    for loss, state, tokens in _pieces(network, text, columns):
        losses.append(loss)
        del states[MEMORY:]
        states.append(state)
        if on_step is not None:
            read += int(tokens)
            on_step(read)
    return losses, states


def _pieces(
    network: nn.Module, text: Tensor, columns: int, state: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The losses (B,) of each piece's columns, the state after it (B, S), the tokens so far."""
    count = len(text) - 1
    length = -(-count // columns)
    starts = torch.arange(columns, device=text.device) * length
    for steps in torch.arange(length, device=text.device).split(STEPS):
        places = steps[:, None] + starts  # (L, B)
        counted = places < count
        places = places.clamp(max=count - 1)
        spoken = network(text[places], state)
        state = spoken.state
        losses = F.cross_entropy(
            spoken.logits.flatten(0, 1).float(), text[places + 1].flatten(), reduction="none"
        )
        kept = losses.view_as(places).where(counted, 0)
        yield kept.sum(dim=0, dtype=torch.float64), state, counted.sum()
