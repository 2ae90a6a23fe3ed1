"""Latent steps for `nao`: encoder, predictor and decoder trained on what the Gaussian process says.

The model of the paper (`model.py`), used the other way round: it proposes and does not judge.

    random architectures ──reconstruction──> weights that know the space       (once a space)
    the process's means there and near the best ──joint loss──> a predictor    (at 10, 15, 23, ...)
    the best ──one step up its slope, of several lengths──> decoded candidates (every suggestion)

Means stand for labels because there are as many as wanted: trained on the few results alone, the
same model proposed worse (method.md, section 4). The only room of `nao` that needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import torch
from scipy.special import ndtr
from torch import Tensor
from torch.nn import functional as F

from naokit.base import Architecture, Grammar, Space, derive_seed
from naokit.method.candidates import Candidate
from naokit.method.model import Model, ModelSettings, joint_loss

# method.md, section 1, EPD; the longer strings need the larger model.
LONG = 20
SHORT_MODEL = ModelSettings(32, 64, 1, 64, encoder_dropout=0.0, uniform_init=None)
LONG_MODEL = ModelSettings(48, 96, 1, 64, encoder_dropout=0.0, uniform_init=None)
# Of 40 tokens decoded unseen: 95 % right in 8 s of CPU, 99.6 % after 400 steps of 2e-3 in 23.
EXAMPLES, BATCH, STEPS, RATE = 3000, 64, 150, 5e-3
RANDOM, BEST, MUTANTS, TRAINING_STEPS, TRAINING_RATE = 300, 10, 20, 20, 1e-3
TRADE_OFF = 0.8
LENGTHS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Lengths of the step, in units of a state: each is normalised to 1, the slope too."""

Means = Callable[[Sequence[Architecture]], np.ndarray]
"""Architectures -> the process's means, as standard normal quantiles."""


class LatentSteps:
    """The model trained on the means of one state of the process."""

    def __init__(self, space: Space, seed: int, best: Sequence[Architecture], means: Means) -> None:
        self.space = space
        generator = np.random.default_rng(derive_seed(seed, "latent", len(best)))
        examples = [space.sample(generator) for _ in range(RANDOM)]
        for architecture in best[:BEST]:
            mutants = (space.mutate(architecture, generator) for _ in range(MUTANTS))
            examples += [architecture, *mutants]
        # The predictor ends in a sigmoid: a mean becomes the share of architectures below it.
        targets = torch.tensor(ndtr(means(examples)), dtype=torch.float32)
        tokens = _tokens(examples)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "latent training", len(best)))
            self.model = _reconstructing(space)
            optimizer = torch.optim.Adam(self.model.parameters(), TRAINING_RATE)
            for _ in range(TRAINING_STEPS):
                rows = torch.randint(len(tokens), (BATCH,))
                scores, log_probabilities = self.model(tokens[rows])
                loss = joint_loss(scores, log_probabilities, targets[rows], tokens[rows], TRADE_OFF)
                _step(optimizer, loss)
        self.model.eval()

    def __call__(self, best: Sequence[Architecture]) -> list[Candidate]:
        """What the best decode to after a step of each length; repeats and known ones included.

        H' = normalise(H + length * g / |g|): with the slope at length 1 a step means the same after
        every training.
        """
        states, slope = self.model.slopes(_tokens(best[:BEST]))
        slope = F.normalize(slope, dim=-1)
        moved = torch.cat([F.normalize(states + length * slope, dim=-1) for length in LENGTHS])
        rows = self.model.decoder.decode(moved).tolist()
        lengths = np.repeat(LENGTHS, len(states)).tolist()
        grammar = self.space.grammar
        return [
            Candidate(Architecture(self.space, grammar.choices(row)), f"latent step {length:g}")
            for row, length in zip(rows, lengths, strict=True)
        ]


def _reconstructing(space: Space) -> Model:
    """A fresh model with the weights that reconstruct the space."""
    settings, state = _pretrained(space)
    model = Model(space.grammar, settings)
    model.load_state_dict(state)
    return model


@lru_cache(maxsize=4)
def _pretrained(space: Space) -> tuple[ModelSettings, dict[str, Tensor]]:
    """Weights trained to reconstruct random architectures; they depend on the space alone."""
    grammar: Grammar = space.grammar
    settings = LONG_MODEL if grammar.length > LONG else SHORT_MODEL
    generator = np.random.default_rng(derive_seed("latent examples"))
    tokens = _tokens([space.sample(generator) for _ in range(EXAMPLES)])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Model(grammar, settings)
        optimizer = torch.optim.Adam(model.parameters(), RATE)
        for _ in range(STEPS):
            rows = torch.randint(len(tokens), (BATCH,))
            scores, log_probabilities = model(tokens[rows])
            _step(
                optimizer, joint_loss(scores, log_probabilities, scores.detach(), tokens[rows], 0.0)
            )
    return settings, model.state_dict()


def _tokens(architectures: Sequence[Architecture]) -> Tensor:
    """Token sequences, (B, L)."""
    return torch.tensor([a.space.grammar.tokens(a.choices) for a in architectures])


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
