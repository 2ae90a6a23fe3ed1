"""Whether a search's recipe ranks networks as the final one does: a few are trained by both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from naokit.base import EvaluationFailed, InputError, derive_seed
from naokit.evaluators import Training
from naokit.kinds import recipe_of
from naokit.presets import Preset
from naokit.space import Architecture
from naokit.study.trust import FEW
from naokit.subject import Subject
from naokit.training.device import Device

MOST, LEAST = 8, FEW
"""The number of cells that are trained."""
SHUFFLES = 10_000
SURE = 0.95

OnCell = Callable[[int, str], None]
"""Told which cell is trained, from 1, and by which recipe."""


@dataclass(frozen=True)
class Checked:
    """One architecture trained by both recipes.

    Attributes:
        architecture: Its genotype.
        search: The validation score by the search's recipe.
        final: That by the final recipe.
    """

    architecture: str
    search: float
    final: float


@dataclass(frozen=True)
class RecipeCheck:
    """How two recipes rank the same architectures.

    Attributes:
        recipe: The name of the search's recipe.
        final_recipe: The name of the final recipe.
        metric: What the scores are.
        cells: The architectures whose trainings both gave a score.
        correlation: The rank correlation (Spearman's) of the scores.
        by_chance: What the correlation of scores that have nothing in common stays below 19 times
            of 20.
        seconds: How long it took.
    """

    recipe: str
    final_recipe: str
    metric: str
    cells: tuple[Checked, ...]
    correlation: float
    by_chance: float
    seconds: float

    @property
    def trusted(self) -> bool:
        """Whether the search's recipe ranks as the final one does, beyond what chance explains."""
        return self.correlation > self.by_chance


def cells_that_fit(evaluation: float, final: float, seconds: float) -> int:
    """How many cells can be trained by both recipes.

    Args:
        evaluation: The seconds of a training by the search's recipe.
        final: The seconds of a training by the final recipe.
        seconds: How much time there is.

    Raises:
        InputError: Too few for any verdict.
    """
    fit = min(MOST, int(seconds / (evaluation + final)))
    if fit < LEAST:
        hours = LEAST * (evaluation + final) / 3600
        raise InputError(
            f"to check the recipe takes {LEAST} cells or more by both recipes, about {hours:.2g} "
            "hours: allow more `hours`, or leave it out"
        )
    return fit


def check_recipe(
    preset: Preset,
    architectures: Sequence[Architecture],
    subject: Subject,
    *,
    device: Device = "auto",
    on_cell: OnCell | None = None,
) -> RecipeCheck:
    """Trains architectures by the recipe of a preset's evaluations and by its final recipe.

    Args:
        preset: How the search is run.
        architectures: What is trained.
        subject: The data, with networks of any size.
        device: Where.
        on_cell: Told of each training before it begins.

    Raises:
        InputError: Too few of the trainings came to a score.
    """
    began = time.monotonic()
    search = _training(subject, preset.recipe, preset.size(), device=device)
    final = _training(
        subject, preset.final_recipe, preset.final_size(), preset.final_epochs, device=device
    )
    cells = []
    for number, architecture in enumerate(architectures, 1):
        scores = []
        for training in (search, final):
            if on_cell is not None:
                on_cell(number, training.recipe.name)
            scores.append(_score(training, architecture))
        if scores[0] is not None and scores[1] is not None:
            cells.append(Checked(str(architecture), scores[0], scores[1]))
    if len(cells) < LEAST:
        raise InputError(
            f"{len(cells)} of {len(architectures)} cells came to a score by both recipes, too few "
            "to compare: choose another recipe or space"
        )
    ranks = rankdata([cell.search for cell in cells]), rankdata([cell.final for cell in cells])
    return RecipeCheck(
        search.recipe.name,
        final.recipe.name,
        search.metric,
        tuple(cells),
        float(_correlations(ranks[0], ranks[1][None])[0]),
        _by_chance(*ranks),
        time.monotonic() - began,
    )


def _training(
    subject: Subject,
    name: str,
    size: dict[str, object],
    epochs: int | None = None,
    *,
    device: Device,
) -> Training:
    recipe = recipe_of(subject.reads, name, epochs)
    return Training(subject.again(size), recipe, device=device)


def _score(training: Training, architecture: Architecture) -> float | None:
    """The score of a training; None where it fails."""
    try:
        return training.evaluate(architecture, derive_seed("check", architecture.key)).value
    except EvaluationFailed:
        return None


def _correlations(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pearson's correlations of ranks (n,) with rows of ranks (m, n); 0 where all are equal."""
    centred, rows = one - one.mean(), others - others.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred) * np.linalg.norm(rows, axis=1)
    found: np.ndarray = rows @ centred / np.where(lengths > 0, lengths, 1.0)
    return found


def _by_chance(one: np.ndarray, other: np.ndarray) -> float:
    """The 95 % quantile of the correlation with shuffled ranks."""
    generator = np.random.default_rng(0)
    shuffled = generator.permuted(np.tile(other, (SHUFFLES, 1)), axis=1)
    return float(np.quantile(_correlations(one, shuffled), SURE))
