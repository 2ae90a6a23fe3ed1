"""The learning rate of each step (docs/specification.md, section 4.3)."""

from __future__ import annotations

import math

from naokit.training.recipe import Recipe


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """The learning rate after `epoch` epochs, which may be a fraction."""
    rate = _scheduled(recipe, epoch)
    if epoch < recipe.warm_up_epochs:
        rate *= epoch / recipe.warm_up_epochs
    return rate


def _scheduled(recipe: Recipe, epoch: float) -> float:
    if recipe.epoch_decay is not None:
        return recipe.learning_rate * recipe.epoch_decay ** int(epoch)
    if recipe.restart_epochs is None:
        return _cosine(recipe, epoch / (recipe.cosine_epochs or recipe.epochs))
    length = recipe.restart_epochs
    while epoch >= length:
        epoch -= length
        length *= 2
    return _cosine(recipe, epoch / length)


def _cosine(recipe: Recipe, share: float) -> float:
    """Half a cosine from the first rate to the last."""
    span = recipe.learning_rate - recipe.final_learning_rate
    return recipe.final_learning_rate + span * (1 + math.cos(math.pi * min(1.0, share))) / 2
