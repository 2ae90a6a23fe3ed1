"""What `naokit plan` found of searches that train each network by itself."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from naokit.base import Json
    from naokit.runs.planning import Option
    from naokit.runs.recipe_check import RecipeCheck


@dataclass(frozen=True)
class Least:
    """The shortest search: one evaluation by the cheapest preset, and its winner trained.

    Attributes:
        preset: The name of the preset.
        evaluations: The number of evaluations.
        hours: How long it takes, the final training included.
        hours_without_final: How long it takes without the final training.
        command: The search as it is typed.
    """

    preset: str
    evaluations: int
    hours: float
    hours_without_final: float
    command: str


@dataclass(frozen=True)
class Planned:
    """What each way to search costs here, and what to do.

    Attributes:
        data: The data as they were named.
        space: The name of the space.
        hours: How long the whole search may take.
        device: The type of the device that was measured.
        threads: The number of threads that torch used.
        architectures: The number of random architectures that were measured at most.
        measured_seconds: How long measuring took.
        options: The presets, and then other sizes of one of them.
        best: The preset to take. If None, none fits.
        command: The search by that preset as it is typed.
        least: The shortest search, where no preset fits.
        check: Whether the search's recipe ranks as the final one does, where that was asked.
    """

    data: str
    space: str
    hours: float
    device: str
    threads: int
    architectures: int
    measured_seconds: float
    options: tuple[Option, ...]
    best: Option | None
    command: str | None
    least: Least | None
    check: RecipeCheck | None = None

    @property
    def seconds(self) -> float:
        """How long the whole search may take, in seconds."""
        return 3600 * self.hours

    @property
    def size(self) -> list[str]:
        """The names of what sets the size of a network."""
        return list(self.options[0].preset.size())

    @property
    def steps(self) -> int:
        """How many training steps were measured."""
        return sum(o.evaluation.steps + o.final.steps * o.own for o in self.options)

    def to_json(self) -> dict[str, Json]:
        """One object, without a check that was not asked."""
        found: dict[str, Json] = {
            "data": self.data,
            "space": self.space,
            "hours": self.hours,
            "device": self.device,
            "threads": self.threads,
            "architectures": self.architectures,
            "size": self.size,
            "steps": self.steps,
            "measured_seconds": self.measured_seconds,
            "options": [_row(option, self.seconds) for option in self.options],
            "recommended": None if self.best is None else self.best.preset.name,
            "next": self.command,
            "least": None if self.least is None else dataclasses.asdict(self.least),
        }
        if self.check is not None:
            found["check"] = {**dataclasses.asdict(self.check), "trusted": self.check.trusted}
        return found


def _row(option: Option, seconds: float) -> dict[str, Json]:
    preset = option.preset
    likely, least, most = option.affords(seconds)
    return {
        "preset": preset.name,
        "own": option.own,
        **preset.size(),
        "recipe": preset.recipe,
        "random_beside": preset.baseline,
        "repeats": option.repeats,
        "described": option.described,
        "evaluation": dataclasses.asdict(option.evaluation),
        "final": dataclasses.asdict(option.final),
        **{f"final_{name}": value for name, value in preset.final_size().items()},
        "final_recipe": preset.final_recipe,
        "evaluations": likely,
        "evaluations_low": least,
        "evaluations_high": most,
        "preset_evaluations": preset.evaluations,
        "preset_seconds": option.seconds(preset.evaluations),
    }
