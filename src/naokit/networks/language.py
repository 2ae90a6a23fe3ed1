"""A language model around a recurrent cell (docs/specification.md, section 1.4).

    tokens ── embedding ── cell ── dropout ── the embedding again, transposed, and a bias ── logits

Dropout is drawn from torch's global generator, as weights are: a caller who wants either seeded
runs inside `torch.random.fork_rng`.

Shapes: L steps, B batch, H hidden, S numbers in a cell's state, V vocabulary.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from naokit.base import InputError
from naokit.settings import LanguageSettings

MOST_TOKENS, MOST_HIDDEN = 10_000_000, 100_000


class Spoken(NamedTuple):
    """What a language model returns for a sequence of tokens.

    Attributes:
        logits: The logits of the next token, after each token (L, B, V).
        state: The state after the last token (B, S).
        raw: The outputs of the cell (L, B, H). Activation regularisation compares neighbouring
            steps (beta).
        dropped: The outputs after dropout (L, B, H). Activation regularisation keeps them small
            (alpha).
    """

    logits: Tensor
    state: Tensor
    raw: Tensor
    dropped: Tensor


class LanguageModel(nn.Module):
    """A language model whose embedding is also its output matrix.

    Attributes:
        cell: The recurrent cell: inputs (L, B, H), state (B, S), masks (B, H) and (B, S) or None ->
            outputs (L, B, H), state (B, S). S is its `state_size`; a `RecurrentCell` has S = H.
        settings: The settings that the model was built with.
        embedding: The embedding, with one row for each token (V, H).
        bias: The bias of the logits (V,).
        of_tokens: The names of the weights that have one row for each token.
    """

    of_tokens = ("embedding", "bias")

    def __init__(self, cell: nn.Module, settings: LanguageSettings) -> None:
        super().__init__()
        check_settings(settings)
        self.cell, self.settings = cell, settings
        self.embedding = nn.Parameter(torch.empty(settings.vocabulary, settings.hidden))
        self.bias = nn.Parameter(torch.zeros(settings.vocabulary))
        nn.init.uniform_(self.embedding, -0.04, 0.04)

    def forward(
        self, tokens: Int[Tensor, "L B"], state: Float[Tensor, "B S"] | None = None, *plan: object
    ) -> Spoken:
        """The logits after each token, and the last state.

        Args:
            tokens: The ids of the tokens, in [0, V).
            state: The state before the first token. If None, it is that of `start`.
            plan: What a shared cell shall be run as; nothing for a cell that is one alone.
        """
        settings = self.settings
        if state is None:
            state = self.start(tokens.shape[1])
        embedded = self._locked(self._words(tokens), settings.embedding_dropout)
        masks = (
            self._mask(embedded[0], settings.input_dropout),
            self._mask(state, settings.state_dropout),
        )
        raw, state = self.cell(embedded, state, *masks, *plan)
        dropped = self._locked(raw, settings.output_dropout)
        return Spoken(F.linear(dropped, self.embedding, self.bias), state, raw, dropped)

    def start(self, batch: int) -> Float[Tensor, "B S"]:
        """The state before a text."""
        cell: Any = self.cell
        return self.bias.new_zeros(batch, cell.state_size)

    def _words(self, tokens: Tensor) -> Tensor:
        """The embedded tokens (L, B, H); in training, word dropout sets some of them to zero."""
        embedded = F.embedding(tokens, self.embedding)
        rate = self.settings.word_dropout
        if not self.training or not rate:
            return embedded
        kept = self.embedding.new_empty(len(self.embedding), 1).bernoulli_(1 - rate)
        return embedded * F.embedding(tokens, kept.div_(1 - rate))

    def _locked(self, values: Tensor, rate: float) -> Tensor:
        """Dropout whose mask is the same at every step (L, B, H)."""
        mask = self._mask(values[0], rate)
        return values if mask is None else values * mask

    def _mask(self, like: Tensor, rate: float) -> Tensor | None:
        """A mask that is 0 with probability `rate`, else 1 / (1 - rate); None if the rate is 0."""
        if not self.training or not rate:
            return None
        return torch.empty_like(like).bernoulli_(1 - rate).div_(1 - rate)


def check_settings(settings: LanguageSettings) -> None:
    """Raises InputError, with the first reason, if no language model can be built."""
    if not (2 <= settings.vocabulary <= MOST_TOKENS and 1 <= settings.hidden <= MOST_HIDDEN):
        raise InputError(
            "a language model needs a vocabulary of 2 or more and 1 or more hidden units, not "
            f"{settings.vocabulary} and {settings.hidden}; at most {MOST_TOKENS:,} and "
            f"{MOST_HIDDEN:,}"
        )
    for name in ("output", "input", "state", "embedding", "word"):
        rate = getattr(settings, f"{name}_dropout")
        if not 0 <= rate < 1:
            raise InputError(f"{name}_dropout must be at least 0 and below 1, not {rate}")
