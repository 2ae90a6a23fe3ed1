"""Latent steps for `nao`: encoder, predictor and decoder, trained on the Gaussian process's means.

The model of the paper (`model.py`) serves another purpose here: it proposes and does not judge.

    random architectures ──reconstruction──> weights that know the space       (once, at 3 to 9)
    the process's means there and near the best ──joint loss──> a predictor    (at 10, 15, 23, ...)
    the best ──one step up its slope, of several lengths──> decoded candidates (every suggestion)

Means serve as labels because there are as many as wanted: trained on the few results alone, the
same model proposed worse architectures. Nothing else in `nao` needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from threading import Lock

import numpy as np
import torch
from scipy.special import ndtr
from torch import Tensor
from torch.nn import functional as F
from torch.optim.adam import adam

from naokit.base import derive_seed
from naokit.grammar import Grammar
from naokit.method.candidates import Candidate
from naokit.method.model import Model, ModelSettings, joint_loss
from naokit.space import Architecture, Space

# Sequences of more than so many tokens need the larger model.
LONG = 20
SHORT_MODEL = ModelSettings(32, 64, 1, 64, encoder_dropout=0.0, uniform_init=None)
LONG_MODEL = ModelSettings(48, 96, 1, 64, encoder_dropout=0.0, uniform_init=None)
# Of the 40 tokens of unseen architectures 95 % are decoded correctly, after 8 s of CPU. With 400
# steps of 2e-3 it is 99.6 %, after 23 s.
EXAMPLES, BATCH, STEPS, RATE = 3000, 64, 150, 5e-3
LEARNT = 0.05
"""The loss in nats per token at which reconstruction ends: after 82 steps for 9 choices, and after
124 for 40."""
RANDOM, BEST, MUTANTS, TRAINING_STEPS, TRAINING_RATE = 300, 10, 20, 20, 1e-3
TRADE_OFF = 0.8
LENGTHS = (0.5, 0.6, 0.7, 0.8, 1.0, 1.5, 2.0, 4.0)
"""The lengths of the step. States and slopes are normalised to length 1. With 40 choices the
decoder gives back what it was given up to about .5, and from 1 on half of all choices change."""

Means = Callable[[Sequence[Architecture]], np.ndarray]
"""The posterior means of architectures, which are standard normal quantiles."""


class LatentSteps:
    """The model trained on the means of one posterior.

    Args:
        space: The space, without limits.
        seed: The seed of everything random.
        best: The known architectures, best first.
        means: The function that gives the posterior means of architectures.
    """

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
            optimizer = _Adam(self.model, TRAINING_RATE)
            for _ in range(TRAINING_STEPS):
                rows = torch.randint(len(tokens), (BATCH,))
                scores, log_probabilities = self.model(tokens[rows])
                loss = joint_loss(scores, log_probabilities, targets[rows], tokens[rows], TRADE_OFF)
                optimizer.step(loss)
        self.model.eval()

    def __call__(self, best: Sequence[Architecture]) -> list[Candidate]:
        """Decoded candidates after a step of each length, repeats and known ones included.

        H' = normalise(H + length * g / |g|). The slope g is normalised so that a length means the
        same after every training.
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


def prepare(space: Space, share: float) -> None:
    """Trains a share, 0 to 1, of the reconstruction with which every model of a space begins.

    A search calls this while it collects its first results, so that no suggestion pays for all.
    """
    _reconstruction(space).advance(round(share * STEPS))


def _reconstructing(space: Space) -> Model:
    """A fresh model with the weights that reconstruct the space."""
    learnt = _reconstruction(space)
    learnt.advance(STEPS)
    model = Model(space.grammar, _settings(space.grammar))
    model.load_state_dict(learnt.model.state_dict())
    return model


def _settings(grammar: Grammar) -> ModelSettings:
    return LONG_MODEL if grammar.length > LONG else SHORT_MODEL


@lru_cache(maxsize=4)
def _reconstruction(space: Space) -> _Reconstruction:
    return _Reconstruction(space)


class _Reconstruction:
    """A model that learns to reconstruct random architectures. It depends on the space alone.

    It may be trained in parts; the weights do not depend on how many.
    """

    def __init__(self, space: Space) -> None:
        grammar: Grammar = space.grammar
        generator = np.random.default_rng(derive_seed("latent examples"))
        self.tokens = _tokens([space.sample(generator) for _ in range(EXAMPLES)])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.model = Model(grammar, _settings(grammar))
            self.generator = torch.default_generator.clone_state()
        self.adam = _Adam(self.model, RATE)
        self.steps = 0
        self.lock = Lock()  # studies of several threads share it

    def advance(self, steps: int) -> None:
        """Trains until this many steps are done in all, or reconstruction is good enough."""
        with self.lock:
            while self.steps < steps:
                rows = torch.randint(len(self.tokens), (BATCH,), generator=self.generator)
                tokens = self.tokens[rows]
                scores, log_probabilities = self.model(tokens)
                loss = joint_loss(scores, log_probabilities, scores.detach(), tokens, 0.0)
                self.adam.step(loss)
                self.steps = STEPS if loss.item() < LEARNT else self.steps + 1


class _Adam:
    """Adam without the class of torch.optim, whose first use imports a compiler for a second."""

    def __init__(self, model: Model, rate: float) -> None:
        self.parameters: list[Tensor] = list(model.parameters())
        self.rate = rate
        self.means = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.steps = [torch.zeros(()) for _ in self.parameters]

    def step(self, loss: Tensor) -> None:
        """Takes one step down the gradient of the loss."""
        slopes = torch.autograd.grad(loss, self.parameters)
        with torch.no_grad():
            adam(
                self.parameters,
                list(slopes),
                self.means,
                self.squares,
                [],
                self.steps,
                foreach=False,
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=self.rate,
                weight_decay=0.0,
                eps=1e-8,
                maximize=False,
            )


def _tokens(architectures: Sequence[Architecture]) -> Tensor:
    """Token sequences, (B, L)."""
    return torch.tensor([a.space.grammar.tokens(a.choices) for a in architectures])
