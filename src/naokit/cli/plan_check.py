"""The part of `naokit plan` that trains: whether a search's recipe ranks as the final one does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from naokit.cli.durations import spoken
from naokit.cli.output import progress

if TYPE_CHECKING:
    from naokit.presets import Preset
    from naokit.runs.planning import Option
    from naokit.runs.recipe_check import RecipeCheck
    from naokit.space import Architecture, Space
    from naokit.subject import Subject
    from naokit.training.device import Device


def cells_to_check(space: Space, option: Option, seconds: float) -> list[Architecture]:
    """As many random architectures as can be trained by both recipes, the same ones every time.

    Raises:
        InputError: The time is too short for a verdict.
    """
    import numpy as np

    from naokit.runs.recipe_check import cells_that_fit

    amount = cells_that_fit(option.evaluation.seconds, option.final.seconds, seconds)
    generator = np.random.default_rng(1)  # others than those that are measured
    return [space.sample(generator) for _ in range(amount)]


def checked(
    preset: Preset, cells: Sequence[Architecture], subject: Subject, device: Device
) -> RecipeCheck:
    """Both trainings of each cell, under a bar; what came of them."""
    from naokit.runs.recipe_check import check_recipe

    with progress() as bar:
        task = bar.add_task(f"{'checking':12}", total=2 * len(cells), completed=-1, note="")

        def told(number: int, recipe: str) -> None:
            bar.update(task, advance=1, note=f"cell {number} by {recipe}")

        found = check_recipe(preset, cells, subject, device=device, on_cell=told)
        bar.update(task, completed=2 * len(cells), note="")
    return found


def check_lines(check: RecipeCheck) -> list[str]:
    """What the trainings say of the search's recipe."""
    count = len(check.cells)
    lines = [
        f"Recipe: {count} random cells trained by {check.recipe} and by "
        f"{check.final_recipe} in {spoken(check.seconds)}: rank correlation "
        f"{check.correlation:.2f}; chance alone stays below {check.by_chance:.2f} 19 times of 20.",
    ]
    if check.trusted:
        return [*lines, f"{check.recipe} ranks these cells as {check.final_recipe} does."]
    return [
        *lines,
        f"So few cells do not show that {check.recipe} ranks as {check.final_recipe} does: "
        "train longer in the search (--preset), or compare the best few by the final recipe.",
    ]
