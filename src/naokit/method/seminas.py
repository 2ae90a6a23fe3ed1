"""SemiNAS: the 2018 optimiser, whose model also learns from its own predictions (section 6).

Luo, Tan, Wang, Qin, Chen, Liu: *Semi-Supervised Neural Architecture Search*, NeurIPS 2020.

    evaluated ──fit──> model ──predicts──> scores of many random architectures
        │                                        │
        └───── up-sampled ──> fit again <────────┘
                                  │
    the best of both ──step up its slope, decode──> new architectures

Everything else is `Nao2018`: rounds, step sizes, what counts as new.

Departures from the official code:
- the model is that of `nao-2018` at SemiNAS's sizes: an encoder of one direction, no residuals, and
  targets in [0, 1] under a sigmoid where the code standardises by constants of NAS-Bench-101;
- each round fits fresh weights, as in `nao-2018`; within a round the second fit goes on from the
  first;
- each fit stops when the held-out results are ranked and reconstructed no better, and symmetries
  respell what is learned, as in `nao-2018`;
- 1,000 pseudo-labels a round by default, not 10,000 (see `SemiNasSettings`);
- no result is left out for being poor: the code keeps accuracies of 0.9 and above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from naokit.base import Observation, Space, derive_seed
from naokit.method.fit import FitSettings, PseudoLabels, fit, normalise
from naokit.method.model import Model, ModelSettings
from naokit.method.optimizer import Nao2018, NaoSettings, Schedule, rows

# Section 6: hidden 64, a hidden layer of 16 in the predictor, dropout 0.1 in the decoder.
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
"""Section 6: 1, 2, ... up to 100."""


@dataclass(frozen=True)
class SemiNasSettings:
    """One named setting of the method; the defaults keep a round affordable.

    Attributes:
        first: the model, its fit to the evaluated architectures, and the steps.
        second: how it is fitted again, on both.
        pseudo_labels: random architectures that the model labels in a round. 1,000 are as many
            as 100 results up-sampled. One update on 100 results then took 19 CPU seconds on
            nas-bench-201 and 53 on conv-small (one thread of a busy machine, one seed); with 2,000
            and 4,000, 16 and 21 on nas-bench-201: updates until the stop are the cost, not labels.
        up_sampling: how often an evaluated architecture counts in an epoch of the second fit.
    """

    first: NaoSettings = field(
        default_factory=lambda: NaoSettings(SIZES, FitSettings(batch=100), STEPS)
    )
    second: FitSettings = field(default_factory=lambda: FitSettings(batch=100, epochs=500))
    pseudo_labels: int = 1000
    up_sampling: int = 10  # section 6


EARLY = SemiNasSettings()
"""`seminas`: both fits stop early."""

PUBLISHED = SemiNasSettings(
    first=NaoSettings(SIZES, FitSettings(learning_rate=1e-3, batch=100, patience=None), STEPS),
    second=FitSettings(learning_rate=1e-3, batch=100, epochs=500, patience=None),
    pseudo_labels=10_000,
)
"""Every epoch and every pseudo-label of section 6 (the code for NAS-Bench-101)."""


def schedule(evaluations: int) -> Schedule:
    """55 % random, then three rounds of 15 % (2,000: 1,100 + 3 x 300), from 100 seeds of 2,000."""
    return Schedule(evaluations, rounds=3, round_percent=15, seed_percent=5)


class SemiNas(Nao2018):
    """The published optimiser with pseudo-labels.

    Args:
        space: what is searched.
        seed: of everything random.
        evaluations: the budget that the schedule divides.
        settings: `EARLY` or `PUBLISHED`, or your own.
    """

    def __init__(
        self, space: Space, seed: int, evaluations: int, settings: SemiNasSettings = EARLY
    ) -> None:
        super().__init__(space, seed, evaluations, settings.first)
        self.schedule = schedule(evaluations)
        self.labelling = settings

    def _learn(self, pool: Sequence[Observation], seed: int) -> tuple[Model, np.ndarray]:
        """A model of the pool and of its own predictions; the best of both by score, to move."""
        tokens, values = rows(pool)
        # One seed for both fits: it holds the same results out, so that the second is judged on
        # none that the first was trained on.
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
        """Random architectures outside the pool, and the scores that the model predicts them.

        Fewer than asked for where draws repeat, so that a small space is no endless loop. `sample`
        keeps to what the space allows.
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
