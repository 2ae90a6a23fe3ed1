"""The paper's model: encoder, predictor and decoder, trained jointly (arXiv 1808.07233).

    tokens ──encoder──> states H ──mean──> embedding e ──predictor──> score
                            │                  │
                            └──attention──> decoder ──> tokens

To find a better architecture, every encoder state is moved up the predictor's slope and decoded.

Shapes: B batch, L tokens, T = L / group encoder steps, D hidden, V vocabulary.

Departures from the official code, each on purpose:
- teacher forcing is one LSTM call, not L Python steps (equal log-probabilities);
- a masked position has log-probability -inf, so that decoding can only produce valid architectures
  (the recurrent code multiplies logits by the mask, the TF code allows any token of a kind);
- the number of tokens an encoder step groups and the masks come from the space's grammar.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from naokit.grammar import Grammar


@dataclass(frozen=True)
class ModelSettings:
    """Sizes and regularisation. The defaults are those of the CNN search from scratch.

    Source: the official script NAO/cnn/epd/train.sh.
    """

    embedding: int = 32
    hidden: int = 96
    predictor_layers: int = 0
    predictor_width: int = 200
    predictor_dropout: float = 0.0
    encoder_dropout: float = 0.1
    decoder_dropout: float = 0.0
    uniform_init: float | None = 0.1  # every weight U(-0.1, 0.1); None keeps PyTorch's own


class Encoder(nn.Module):
    """Token embedding, one LSTM over groups of tokens, every state of unit length."""

    def __init__(self, grammar: Grammar, settings: ModelSettings) -> None:
        super().__init__()
        self.group = grammar.group
        self.embedding = nn.Embedding(grammar.vocabulary, settings.embedding)
        self.dropout = nn.Dropout(settings.encoder_dropout)
        self.lstm = nn.LSTM(grammar.group * settings.embedding, settings.hidden, batch_first=True)

    def forward(self, tokens: Int[Tensor, "B L"]) -> Float[Tensor, "B T D"]:
        """The states H, whose normalised mean is the architecture's embedding."""
        embedded = self.dropout(self.embedding(tokens))  # (B, L, E)
        states, _ = self.lstm(embedded.reshape(len(tokens), tokens.shape[1] // self.group, -1))
        return F.normalize(states, dim=-1)


def pool(states: Float[Tensor, "B T D"]) -> Float[Tensor, "B D"]:
    """The embedding e = normalise(mean of the states)."""
    return F.normalize(states.mean(dim=1), dim=-1)


class Predictor(nn.Module):
    """A perceptron on the embedding, with scores in (0, 1)."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = settings.hidden
        for _ in range(settings.predictor_layers):
            layers += [
                nn.Linear(width, settings.predictor_width),
                nn.ReLU(),
                nn.Dropout(settings.predictor_dropout),
            ]
            width = settings.predictor_width
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, embedding: Float[Tensor, "B D"]) -> Float[Tensor, " B"]:
        """The predicted scores."""
        score: Tensor = self.layers(embedding)
        return torch.sigmoid(score).squeeze(-1)


class Decoder(nn.Module):
    """One LSTM started from the embedding, with bilinear attention over the encoder's states."""

    mask: Tensor

    def __init__(self, grammar: Grammar, settings: ModelSettings) -> None:
        super().__init__()
        hidden = settings.hidden
        self.embedding = nn.Embedding(grammar.vocabulary, hidden)
        self.dropout = nn.Dropout(settings.decoder_dropout)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.attention = nn.Linear(hidden, hidden, bias=False)
        self.combine = nn.Linear(2 * hidden, hidden, bias=False)
        self.output = nn.Linear(hidden, grammar.vocabulary)
        self.register_buffer("mask", token_mask(grammar), persistent=False)

    def forward(
        self, tokens: Int[Tensor, "B L"], states: Float[Tensor, "B T D"]
    ) -> Float[Tensor, "B L V"]:
        """Log-probability of every token at every place, given the true tokens before it."""
        previous = F.pad(tokens[:, :-1], (1, 0))  # token 0 starts every sequence
        outputs, _ = self.lstm(self.dropout(self.embedding(previous)), self._start(states))
        return F.log_softmax(self._logits(outputs, states), dim=-1)

    @torch.no_grad()
    def decode(self, states: Float[Tensor, "B T D"]) -> Int[Tensor, "B L"]:
        """The most likely valid token at each place in turn."""
        token = torch.zeros(len(states), 1, dtype=torch.long, device=states.device)
        memory = self._start(states)
        decoded = []
        for allowed in self.mask:
            output, memory = self.lstm(self.embedding(token), memory)
            logits = self._logits(output, states).masked_fill(~allowed, -torch.inf)
            token = logits.argmax(dim=-1)  # (B, 1)
            decoded.append(token)
        return torch.cat(decoded, dim=1)

    @staticmethod
    def _start(states: Float[Tensor, "B T D"]) -> tuple[Tensor, Tensor]:
        """(h0, c0) = (e, e)."""
        embedding = pool(states).unsqueeze(0)
        return embedding, embedding.clone()

    def _logits(
        self, outputs: Float[Tensor, "B S D"], states: Float[Tensor, "B T D"]
    ) -> Float[Tensor, "B S V"]:
        weights = (self.attention(outputs) @ states.transpose(1, 2)).softmax(dim=-1)  # (B, S, T)
        context = weights @ states
        logits: Tensor = self.output(torch.tanh(self.combine(torch.cat([context, outputs], -1))))
        return logits


class Model(nn.Module):
    """Encoder, predictor and decoder over the grammar of one space."""

    def __init__(self, grammar: Grammar, settings: ModelSettings) -> None:
        super().__init__()
        self.encoder = Encoder(grammar, settings)
        self.predictor = Predictor(settings)
        self.decoder = Decoder(grammar, settings)
        if settings.uniform_init is not None:
            for parameter in self.parameters():
                nn.init.uniform_(parameter, -settings.uniform_init, settings.uniform_init)

    def forward(
        self, tokens: Int[Tensor, "B L"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B L V"]]:
        """Predicted scores, and the log-probabilities of reconstructing the tokens."""
        states: Tensor = self.encoder(tokens)
        return self.predictor(pool(states)), self.decoder(tokens, states)

    @torch.no_grad()
    def scores(self, tokens: Int[Tensor, "B L"]) -> Float[Tensor, " B"]:
        """The predicted scores alone."""
        scores: Tensor = self.predictor(pool(self.encoder(tokens)))
        return scores

    def improve(self, tokens: Int[Tensor, "B L"], step: float) -> Int[Tensor, "B L"]:
        """One gradient step of size `step` for every state, then a greedy decode.

        H' = normalise(H + step * df/dH) for each encoder state, e' = normalise(mean H').
        """
        states, slope = self.slopes(tokens)
        decoded: Tensor = self.decoder.decode(F.normalize(states + step * slope, dim=-1))
        return decoded

    def slopes(
        self, tokens: Int[Tensor, "B L"]
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T D"]]:
        """The encoder states H, and the slope df/dH of the predicted score there."""
        with torch.no_grad():
            states = self.encoder(tokens)
        states.requires_grad_()
        (slope,) = torch.autograd.grad(self.predictor(pool(states)).sum(), states)
        return states.detach(), slope


def joint_loss(
    scores: Float[Tensor, " B"],
    log_probabilities: Float[Tensor, "B L V"],
    targets: Float[Tensor, " B"],
    tokens: Int[Tensor, "B L"],
    trade_off: float,
) -> Float[Tensor, ""]:
    """L = trade_off * MSE of the score + (1 - trade_off) * mean NLL of the tokens."""
    prediction = F.mse_loss(scores, targets)
    reconstruction = F.nll_loss(log_probabilities.transpose(1, 2), tokens)
    return trade_off * prediction + (1 - trade_off) * reconstruction


def token_mask(grammar: Grammar) -> Bool[Tensor, "L V"]:
    """Which tokens are allowed at each place."""
    tokens = torch.arange(grammar.vocabulary)
    first = torch.tensor(grammar.first_tokens).unsqueeze(1)
    count = torch.tensor(grammar.counts).unsqueeze(1)
    return (tokens >= first) & (tokens < first + count)
