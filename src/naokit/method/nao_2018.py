"""NAO as published (arXiv 1808.07233): random architectures, then rounds of gradient steps.

    round 0        initial random architectures
    round 1, 2 ... fit the model to the pool; move the K best up its slope by larger and larger
                   steps and decode, until there are enough new architectures

A round's proposals depend on the seed and on the trials before the round began, so resuming a
search costs one fit.

Departures from the official code:
- each update fits fresh weights (see `fit`);
- seeds are the K best: the official epd/get_top100.py discards what it sorts and keeps everything;
- repeats are found by the canonical key, so that a swapped branch is no new architecture;
- where the steps yield too few, random architectures fill the round and are counted as such;
- failed evaluations stay out of the pool.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from naokit.base import derive_seed
from naokit.doors import Method, Observation, Proposal
from naokit.method.baselines import RandomStream, keys_of
from naokit.method.fit import FitSettings, fit
from naokit.method.model import Model, ModelSettings
from naokit.space import Architecture, Space


@dataclass(frozen=True)
class NaoSettings:
    """One setting of the method. The defaults are those of the search from scratch.

    Attributes:
        model: The sizes of the model.
        fit: How the model is fitted.
        steps: The sizes of the gradient step, in the order in which they are tried.
        replace_worst: Whether new architectures push the worst out of a pool of constant size.
        random_share: The random architectures of a round, as a share of the decoded ones.
    """

    model: ModelSettings = field(default_factory=ModelSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    # The official README has predict_lambda = 10, 20, 30; more follow in case they yield too few.
    steps: tuple[float, ...] = tuple(10.0 * i for i in range(1, 11))
    replace_worst: bool = False
    random_share: float = 0.0


SCRATCH = NaoSettings()
"""`nao-2018`: the CNN search from scratch (official script NAO/cnn/epd/train.sh)."""

WEIGHT_SHARING = NaoSettings(
    # The official script NAO-WS/cnn/train_search.sh.
    model=ModelSettings(
        embedding=48, predictor_layers=3, predictor_width=100, predictor_dropout=0.1
    ),
    fit=FitSettings(batch=100),
    steps=tuple(float(i) for i in range(1, 101)),
    replace_worst=True,
    random_share=0.1,  # 500 new + 50 random
)
"""`nao-2018-ws`: the setting of the weight-sharing search."""


@dataclass(frozen=True)
class Schedule:
    """How many architectures are random, and how many follow in each round.

    Attributes:
        initial: The random evaluations at the start.
        round: The evaluations of each later round; there is no last one.
        seeds: K, how many of the best are moved in a round (100 of 1,000).
    """

    initial: int
    round: int
    seeds: int

    @classmethod
    def of_budget(
        cls, evaluations: int, rounds: int = 2, round_percent: int = 20, seed_percent: int = 10
    ) -> Schedule:
        """The division of a budget: 60 % random, then rounds of 20 % (1,000: 600 + 200 + 200).

        Args:
            evaluations: The budget.
            rounds: The number of rounds within the budget.
            round_percent: The percentage of the budget that is evaluated in one round.
            seed_percent: The percentage of the budget whose embeddings are moved in one round.
        """
        size = max(1, evaluations * round_percent // 100)
        seeds = max(5, evaluations * seed_percent // 100)
        return cls(max(1, evaluations - rounds * size), size, seeds)

    def round_start(self, place: int) -> int:
        """How many trials there were when the round of trial `place` began; 0 in the first."""
        if place < self.initial:
            return 0
        return self.initial + (place - self.initial) // self.round * self.round


class Nao2018(Method):
    """The published optimiser.

    Args:
        space: The space that is searched.
        seed: The seed of everything random.
        evaluations: The budget, which the schedule divides.
        settings: The settings: `SCRATCH`, `WEIGHT_SHARING` or your own.
    """

    def __init__(
        self, space: Space, seed: int, evaluations: int, settings: NaoSettings = SCRATCH
    ) -> None:
        self.space = space
        self.seed = seed
        self.settings = settings
        self.schedule = Schedule.of_budget(evaluations)
        self.stream = RandomStream(space, seed)
        self._round: tuple[object, list[Proposal]] | None = None

    def in_rounds(self, first: int, later: int) -> None:
        """Proposes in these rounds; as in the weight-sharing search K is a tenth of the first."""
        self.schedule = Schedule(first, max(1, later), max(5, first // 10))

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """The next architecture of the current round."""
        start = self.schedule.round_start(len(history) + len(pending))
        seen = keys_of(history, pending)
        for proposal in self._proposals(history[:start]) if start else []:
            if proposal.architecture.key not in seen:
                return proposal
        return Proposal(self.stream.next(seen), "random")

    def _proposals(self, history: Sequence[Observation]) -> list[Proposal]:
        """The proposals of the round that began after `history`; kept until the next round."""
        name = [(trial.architecture.choices, trial.value) for trial in history]
        if self._round is None or self._round[0] != name:
            self._round = (name, list(self._new_round(history)))
        return self._round[1]

    def _new_round(self, history: Sequence[Observation]) -> Iterator[Proposal]:
        """Decoded architectures that no trial had."""
        pool = self._pool(history)
        wanted = round(self.schedule.round / (1 + self.settings.random_share))
        if len(pool) < 2:
            return
        model, seeds = self._learn(pool, derive_seed(self.seed, "fit", len(history)))
        seen = keys_of(history)
        for step, architecture in self._improved(model, seeds):
            if not wanted:
                return
            if architecture.key not in seen and self.space.allows(architecture.choices):
                seen.add(architecture.key)
                wanted -= 1
                yield Proposal(architecture, f"latent step {step:g}")

    def _pool(self, history: Sequence[Observation]) -> list[Observation]:
        """The trials that the model learns from, best first."""
        start = self.schedule.initial
        size = start if self.settings.replace_worst else len(history)
        pool = _best_first(history[:start])
        while start < len(history):
            new = _best_first(history[start : start + self.schedule.round])
            pool = _best_first([*pool[: max(0, size - len(new))], *new])
            start += self.schedule.round
        return pool

    def _learn(self, pool: Sequence[Observation], seed: int) -> tuple[Model, np.ndarray]:
        """A model fitted to the pool, and the token sequences to move, best first."""
        tokens, values = rows(pool)
        fitted = fit(
            self.space.grammar,
            tokens,
            values,
            model_settings=self.settings.model,
            settings=self.settings.fit,
            seed=seed,
        )
        return fitted.model, tokens[: self.schedule.seeds]

    def _improved(self, model: Model, seeds: np.ndarray) -> Iterator[tuple[float, Architecture]]:
        """Decoded architectures and the step that led to each, smallest step first."""
        tokens = torch.as_tensor(seeds)
        for step in self.settings.steps:
            for row in model.improve(tokens, step).tolist():
                yield step, self.space.architecture(self.space.grammar.choices(row))


def rows(pool: Sequence[Observation]) -> tuple[np.ndarray, np.ndarray]:
    """The token sequences (B, L) and the values (B,) of trials that have one."""
    spelled = [t.architecture.space.grammar.tokens(t.architecture.choices) for t in pool]
    return np.array(spelled), np.array([trial.value for trial in pool], dtype=np.float64)


def _best_first(trials: Sequence[Observation]) -> list[Observation]:
    """The trials that have a value, best first."""
    valued = [(trial.value, trial) for trial in trials if trial.value is not None]
    return [trial for _, trial in sorted(valued, key=lambda pair: -pair[0])]
