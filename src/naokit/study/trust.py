"""How far scores by shared weights can be trusted: what they say again, and what trainings say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from naokit.doors import Trial
from naokit.study.origins import RESCORED
from naokit.study.standings import Standing

FEW = 4
"""Below so many architectures a rank correlation says nothing."""
LITTLE = 0.3
"""A rank correlation below which a shared network can hardly be said to rank."""


@dataclass(frozen=True)
class Trust:
    """Rank correlations of scores by shared weights (Spearman's, 1: equal, 0: none).

    Attributes:
        rounds: For each round after the first, the correlation of the scores of those that stayed
            with their scores in the round before. None where too few stayed.
        trained: The correlation with trainings of their own, of those that were trained. None where
            they are too few.
        architectures: How many were trained.
    """

    rounds: tuple[float | None, ...]
    trained: float | None = None
    architectures: int = 0

    @property
    def ranks(self) -> bool:
        """Whether nothing that is known says that the shared network cannot rank."""
        last = self.rounds[-1] if self.rounds else None
        return not any(found is not None and found < LITTLE for found in (last, self.trained))


def trust_in(trials: Sequence[Trial], trained: Sequence[Standing] = ()) -> Trust | None:
    """What a study says of its scores; None where none was scored again and none trained.

    Args:
        trials: The evaluations by shared weights.
        trained: The standings of those that were trained by themselves.
    """
    if not trained and not any(trial.origin == RESCORED for trial in trials):
        return None
    last = max(trial.round for trial in trials)
    scores = [_scores(trials, number) for number in range(last + 1)]
    rounds = tuple(correlation(scores[n], scores[n + 1]) for n in range(last))
    latest = {key: value for one in scores for key, value in one.items()}
    own = {standing.architecture.choices: standing.mean for standing in trained}
    return Trust(rounds, correlation(latest, own), len(own))


def _scores(trials: Sequence[Trial], number: int) -> dict[tuple[int, ...], float]:
    """The scores of a round by choices."""
    return {
        trial.architecture.choices: trial.value
        for trial in trials
        if trial.round == number and trial.value is not None
    }


def correlation(
    first: Mapping[tuple[int, ...], float], second: Mapping[tuple[int, ...], float]
) -> float | None:
    """The rank correlation of the values that both have; None where it says nothing."""
    from scipy.stats import spearmanr  # not above: it takes a second, and few studies need it

    both = [key for key in first if key in second]
    columns = [[one[key] for key in both] for one in (first, second)]
    if len(both) < FEW or any(len(set(column)) == 1 for column in columns):
        return None
    return float(spearmanr(np.array(columns), axis=1).statistic)
