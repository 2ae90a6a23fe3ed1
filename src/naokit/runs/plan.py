"""A plan: everything that a run is to do, as values that a file can hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from naokit.base import Json, Weights

if TYPE_CHECKING:
    from naokit.presets import Preset


@dataclass(frozen=True)
class OwnTraining:
    """How an architecture is trained by itself.

    Attributes:
        recipe: The name of the recipe.
        size: The size of the network, by name (`{"channels": 16, "cells": 1}`).
        epochs: The number of epochs in place of the recipe's. If None, as many as the recipe has.
    """

    recipe: str
    size: Mapping[str, Json]
    epochs: int | None = None


@dataclass(frozen=True)
class FinalTraining(OwnTraining):
    """How the winner of a search is trained to the end."""

    @classmethod
    def of(cls, preset: Preset) -> FinalTraining:
        """The final training that a preset says."""
        return cls(preset.final_recipe, preset.final_size(), preset.final_epochs)

    def named(self) -> dict[str, Json]:
        """The fields by the names that a preset and the command line give them."""
        size = {f"final_{name}": value for name, value in self.size.items()}
        return {"final_recipe": self.recipe, **size, "final_epochs": self.epochs}


@dataclass(frozen=True)
class Plan:
    """A whole run: who searches what, how often, and what becomes of the winner.

    Attributes:
        space: The settings of the space (`space.settings()`).
        evaluator: The settings of the evaluator (`evaluator.settings()`), with the source of its
            data, so that another process can make it again.
        method: The name of the method that proposes.
        seed: The seed of everything that is random.
        evaluations: How many architectures are evaluated, earlier ones included.
        repeat: How many of the best are evaluated again, or by `own`.
        times: How often each of these is evaluated in all; with `own`, trained.
        baseline: Whether random search gets as many evaluations beside the search.
        objectives: What is optimised; see `create_study`.
        limits: The bounds that must hold; see `create_study`.
        start: The genotypes that are evaluated first.
        final: How the winner is trained to the end. If None, it is not.
        own: How the best few are trained by themselves, or longer, and told apart. If None, they
            are not.
        warm_start: Whether the final training begins with the weights of the shared network.
        prior: What the user believes is good; see `create_study`. Random search beside the search
            has none.
        pruner: The name of who stops unpromising evaluations early; see `create_study`.
        epochs: How many epochs all evaluations may have together; see `Study.optimize`. Random
            search beside the search has as many.
    """

    space: Mapping[str, Json]
    evaluator: Mapping[str, Json]
    method: str = "nao"
    seed: int = 0
    evaluations: int = 100
    repeat: int = 0
    times: int = 1
    baseline: bool = False
    objectives: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    final: FinalTraining | None = None
    own: OwnTraining | None = None
    warm_start: bool = False
    prior: Weights | None = None
    pruner: str | None = None
    epochs: int | None = None

    def to_json(self) -> dict[str, Json]:
        """The plan as JSON; `from_json` reads it back."""
        found = dataclasses.asdict(self)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in found.items()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Json]) -> Plan:
        """The plan of `to_json`; other fields beside it are left out.

        Raises:
            ValueError: A field is missing, or is not what it should be.
        """
        from pydantic import TypeAdapter  # not above: a plan that is made in Python needs none

        names = {field.name for field in dataclasses.fields(cls)}
        own = {name: value for name, value in fields.items() if name in names}
        return TypeAdapter(cls).validate_python(own)

    @property
    def repeats(self) -> int:
        """How many evaluations again there are at most."""
        return min(self.repeat, self.evaluations) * (self.times - 1)
