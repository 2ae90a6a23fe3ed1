"""SemiNAS: the method of 2018, whose model also learns from its own predictions.

Luo, Tan, Wang, Qin, Chen, Liu: *Semi-Supervised Neural Architecture Search*, NeurIPS 2020.

    evaluated ──fit──> model ──predicts──> scores of many random architectures
        │                                        │
        └───── up-sampled ──> fit again <────────┘
                                  │
    the best of both ──step up its slope, decode──> new architectures

Rounds, step sizes and what counts as new are those of `Nao2018`.

Departures from the official code (SemiNAS, folder `nasbench`):
- the model is that of `nao-2018` at SemiNAS's sizes: an encoder of one direction, no residuals, and
  targets in [0, 1] under a sigmoid where the code standardises by constants of NAS-Bench-101;
- each round fits fresh weights, as in `nao-2018`; within a round the second fit continues the
  first;
- each fit stops when the held-out results are ranked and reconstructed no better, and symmetries
  respell the training data, as in `nao-2018`;
- by default there are 1,000 pseudo-labels in a round, not 10,000 (see `SemiNasSettings`);
- no result is left out for being poor: the code keeps accuracies of 0.9 and above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from naokit.base import derive_seed
from naokit.doors import Observation
from naokit.method.fit import FitSettings, PseudoLabels, fit, normalise
from naokit.method.model import Model, ModelSettings
from naokit.method.nao_2018 import Nao2018, NaoSettings, Schedule, rows
from naokit.space import Space

# Official: hidden 64, a hidden layer of 16 in the predictor, dropout 0.1 in the decoder.
SIZES = ModelSettings(
    embedding=64,
    hidden=64,
    predictor_layers=1,
    predictor_width=16,
    encoder_dropout=0.1,
    decoder_dropout=0.1,
    uniform_init=None,
)
STEPS = tuple(float(i) for i in range(1, 101))
"""The sizes of the gradient step in the official code: 1, 2, ... up to 100."""


@dataclass(frozen=True)
class SemiNasSettings:
    """One setting of the method. The defaults keep a round affordable.

    Attributes:
        first: The model, its fit to the evaluated architectures, and the steps.
        second: How the model is fitted again, to results and pseudo-labels.
        pseudo_labels: The number of random architectures that the model labels in a round. 1,000
            are as many as 100 results up-sampled. One update on 100 results then took 19 CPU
            seconds on nas-bench-201 and 53 on conv-small (one thread of a busy machine, one seed);
            with 2,000 and 4,000 it took 16 and 21 on nas-bench-201: the cost lies in the updates
            until the stop, not in the labels.
        up_sampling: How often an evaluated architecture counts in an epoch of the second fit.
    """

    first: NaoSettings = field(
        default_factory=lambda: NaoSettings(SIZES, FitSettings(batch=100), STEPS)
    )
    second: FitSettings = field(default_factory=lambda: FitSettings(batch=100, epochs=500))
    pseudo_labels: int = 1000
    up_sampling: int = 10  # official


EARLY = SemiNasSettings()
"""`seminas`: both fits stop early."""

PUBLISHED = SemiNasSettings(
    first=NaoSettings(SIZES, FitSettings(learning_rate=1e-3, batch=100, patience=None), STEPS),
    second=FitSettings(learning_rate=1e-3, batch=100, epochs=500, patience=None),
    pseudo_labels=10_000,
)
"""Every epoch and every pseudo-label of the official code for NAS-Bench-101."""


def schedule(evaluations: int) -> Schedule:
    """55 % random, then three rounds of 15 % (2,000: 1,100 + 3 x 300), each from 5 % as seeds."""
    return Schedule.of_budget(evaluations, rounds=3, round_percent=15, seed_percent=5)


class SemiNas(Nao2018):
    """The method of 2018 with pseudo-labels.

    Args:
        space: The space that is searched.
        seed: The seed of everything random.
        evaluations: The budget, which the schedule divides.
        settings: The settings: `EARLY`, `PUBLISHED` or your own.
    """

    def __init__(
        self, space: Space, seed: int, evaluations: int, settings: SemiNasSettings = EARLY
    ) -> None:
        super().__init__(space, seed, evaluations, settings.first)
        self.schedule = schedule(evaluations)
        self.labelling = settings

    def _learn(self, pool: Sequence[Observation], seed: int) -> tuple[Model, np.ndarray]:
        """A model fitted to the pool and its own predictions, and the best of both, to move."""
        tokens, values = rows(pool)
        # Equal seeds hold out the same results: the second fit is judged on none that the first was
        # trained on.
        fit_pool = partial(
            fit, self.space.grammar, tokens, values, model_settings=self.settings.model, seed=seed
        )
        first = fit_pool(settings=self.settings.fit).model
        pseudo = self._pseudo_labels(first, pool, seed)
        second = fit_pool(settings=self.labelling.second, initial=first, pseudo=pseudo).model
        scores = np.concatenate([normalise(values), pseudo.targets.numpy()])
        best = np.argsort(-scores, kind="stable")[: self.schedule.seeds]
        return second, np.concatenate([tokens, pseudo.tokens.numpy()])[best]

    def _pseudo_labels(self, model: Model, pool: Sequence[Observation], seed: int) -> PseudoLabels:
        """Random architectures outside the pool, and the scores that the model predicts for them.

        There are fewer than asked for where draws repeat, so that a small space is no endless loop.
        `sample` draws only what the space allows.
        """
        generator = np.random.default_rng(derive_seed(seed, "pseudo-labels"))
        drawn = (self.space.sample(generator) for _ in range(self.labelling.pseudo_labels))
        known = {trial.architecture.choices for trial in pool}
        distinct = dict.fromkeys(a.choices for a in drawn if a.choices not in known)
        grammar = self.space.grammar
        spelled = [grammar.tokens(choices) for choices in distinct]
        tokens = torch.tensor(spelled, dtype=torch.long).reshape(-1, grammar.length)
        scores = model.scores(tokens) if spelled else torch.zeros(0)  # an LSTM takes no empty batch
        return PseudoLabels(tokens, scores, self.labelling.up_sampling)
