"""The task that a kind of data makes."""

from __future__ import annotations

from typing import Any

from lightning_fabric import Fabric

from naokit.base import InputError
from naokit.training.data import ImageData
from naokit.training.image_task import ImageTask
from naokit.training.recipe import Recipe
from naokit.training.recipes import ImageRecipe
from naokit.training.task import Task
from naokit.training.text.data import TextData
from naokit.training.text.recipes import TextRecipe
from naokit.training.text.task import TextTask


def task_of(
    data: ImageData | TextData, recipe: Recipe, fabric: Fabric, workers: int = 0
) -> Task[Any, Any]:
    """What the loop teaches.

    Raises:
        InputError: the recipe is for another kind of data, or the data do not fit it.
    """
    if isinstance(data, TextData):
        if not isinstance(recipe, TextRecipe):
            raise InputError(f"{data.name} is text, the recipe {recipe.name} is for images")
        if fabric.world_size > 1:
            raise InputError("a language model trains in one process: leave `processes` out")
        return TextTask(data, recipe, fabric.device)
    if not isinstance(recipe, ImageRecipe):
        raise InputError(f"{data.name} holds images, the recipe {recipe.name} is for text")
    return ImageTask(data, recipe, fabric, workers)
