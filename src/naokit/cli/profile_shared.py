"""What `naokit profile --shared` shows: the network that holds every cell of a space."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from naokit.base import InputError
from naokit.cli.asked import Profiling
from naokit.cli.durations import about
from naokit.wording import counted

if TYPE_CHECKING:
    from naokit.presets import Sharing
    from naokit.runs.shared_planning import SharedCosts
    from naokit.settings import NetworkSettings
    from naokit.space import Architecture
    from naokit.subject import Subject
    from naokit.training.recipe import Recipe

EXAMPLES = 1000
"""How many held-out examples a cell is scored on where no preset says."""
SECONDS = 10.0
"""How long steps of a training are measured."""


def show_shared_network(asked: Profiling) -> None:
    """Counts and measures the shared network of an architecture's space, each figure once known.

    Raises:
        InputError: The space has no shared network, it fits no memory, or --recipe has no --data.
    """
    from naokit.cli.output import Figures, measuring
    from naokit.kinds import kind_of, recipe_of

    kind = kind_of(asked.architecture.space.reads)
    if asked.recipe is not None and asked.data is None:
        raise InputError("--recipe needs --data with --shared: cells are trained and scored on it")
    by = None if asked.recipe is None else recipe_of(kind.reads, asked.recipe)
    sharing = sharing_by(kind.reads, asked.recipe)
    size = {**(sharing.size if sharing else {}), **asked.size}
    subject = None if asked.data is None else _subject(asked, size)
    settings: NetworkSettings = kind.settings(size)
    if subject is not None:  # the size is that of the data, whatever the recipe
        settings = subject.settings(by or next(iter(kind.recipes.values())))
    figures = Figures(json=asked.json)
    figures.add(*_counts(asked.architecture, settings, kind.sizes))
    if asked.counts or subject is None or by is None:
        lines = ["training         --recipe NAME and --data D measure memory, time and scores"]
        figures.add({"training": None}, [] if asked.counts else lines)
    else:
        with measuring():
            costs = _measured(asked, subject, by, sharing.examples if sharing else EXAMPLES)
        figures.add({"training": _row(costs, by)}, _lines(costs, by))
    figures.end()


def _counts(
    architecture: Architecture, settings: NetworkSettings, names: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """What is counted, as fields and as lines; `names` are those of the sizes."""
    from naokit.evaluators.supernet import check_trainable
    from naokit.networks import count_parameters, without_weights

    space = architecture.space
    with without_weights():
        network: Any = space.build_shared(settings)
        cell = count_parameters(network.network(space.plan(architecture)))
    parameters, weights = count_parameters(network), check_trainable(network)
    sizes = {name: getattr(settings, name) for name in names}
    return {
        "architecture": str(architecture),
        **sizes,
        "parameters": parameters,
        "cell_parameters": cell,
        "weights_mb": weights / 1e6,
    }, [
        f"size             {', '.join(f'{name} {value}' for name, value in sizes.items())}",
        f"shared network   {parameters:,} parameters, of which this cell has {cell:,}",
        f"memory, weights  {weights / 1e6:,.1f} MB with gradients and momenta",
    ]


def sharing_by(reads: str, recipe: str | None) -> Sharing | None:
    """How the preset shares weights that trains its shared network by this recipe, if one does."""
    from naokit.kinds import kind_of

    presets = kind_of(reads).shared_presets.values()
    shared = (preset.sharing for preset in presets if preset.sharing is not None)
    return next((sharing for sharing in shared if sharing.recipe == recipe), None)


def _subject(asked: Profiling, size: Mapping[str, Any]) -> Subject:
    """The data, for shared networks of this size."""
    from naokit.cli.subject import say_what_was_read, subject_of
    from naokit.kinds import kind_of

    reads = asked.architecture.space.reads
    ways = {"tokens": asked.tokens, **dataclasses.asdict(asked.pictures)}
    sizes = {name: size[name] for name in kind_of(reads).sizes if name in size}
    subject = subject_of(reads, asked.data, ways | sizes)
    say_what_was_read(subject.data)
    return subject


def _measured(asked: Profiling, subject: Subject, by: Recipe, examples: int) -> SharedCosts:
    """What training and scoring this cell by shared weights costs here."""
    from naokit.runs.shared_planning import shared_costs
    from naokit.training.device import make_fabric

    return shared_costs(subject, by, examples, [asked.architecture], make_fabric(), SECONDS)


def _row(costs: SharedCosts, by: Recipe) -> dict[str, Any]:
    return {
        "recipe": by.name,
        "epochs": by.epochs,
        "memory_mb": costs.memory / 1e6,
        "cells_a_minute": 60 / costs.cell,
        **dataclasses.asdict(costs.training),
    }


def _lines(costs: SharedCosts, by: Recipe) -> list[str]:
    time = about(costs.training.seconds, costs.training.low, costs.training.high)
    return [
        f"memory, training {costs.memory / 1e6:,.0f} MB with batches of {by.batch}",
        f"training time    {time} by {by.name}, were every cell like this one: "
        f"{counted(by.epochs, 'epoch')}",
        f"scoring          {60 / costs.cell:,.0f} such cells a minute",
    ]
