"""From the options of a search to its plan, and to the evaluator that the plan describes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from naokit.base import InputError, Json
from naokit.cli.output import say
from naokit.cli.search_options import Evaluation, KnownResults
from naokit.cli.subject import check_options, recipe_for, subject_of

if TYPE_CHECKING:
    from pathlib import Path

    from naokit.evaluators import Tabular
    from naokit.evaluators.learning import Learning
    from naokit.kind import Kind
    from naokit.presets import Preset
    from naokit.runs.plan import OwnTraining
    from naokit.space import Space


def evaluator_of(
    space: Space,
    data: str | None,
    preset: Preset,
    asked: Evaluation,
    wanted: tuple[str, ...],
    seed: int,
    begun: Mapping[str, Json],
) -> Learning:
    """Who scores each network: trained by itself, or with the weights of a shared one.

    Args:
        space: The space that is searched.
        data: --data.
        preset: How the search is run.
        asked: How an evaluation is made.
        wanted: The objectives and limits.
        seed: The seed of a shared network.
        begun: The recipe that the run was begun with; empty where it begins.
    """
    from naokit.evaluators import Supernet, Training
    from naokit.training.device import device_named, precision_named

    device, precision = device_named(asked.device), precision_named(asked.precision)
    if not space.has_networks:
        raise space.no_network()
    read = dataclasses.asdict(asked.pictures) | {"decoders": asked.decoders, "tokens": asked.tokens}
    if (sharing := preset.sharing) is None:
        return Training(
            subject_of(space.reads, data, read | preset.size()),
            recipe_for(space.reads, preset.recipe).as_recorded(begun),
            device=device,
            precision=precision,
            latency="latency" in " ".join(wanted),
        )
    subject = subject_of(space.reads, data, read | dict(sharing.size))
    return Supernet.of(space, subject, sharing, seed=seed, device=device, precision=precision)


def table_of(
    space: str, asked: KnownResults, objectives: tuple[str, ...], limits: tuple[str, ...]
) -> Tabular:
    """The table that looks results up; how it was read is said."""
    from naokit.bench import TableTask
    from naokit.cli.curve_columns import columns_of
    from naokit.cli.table_goals import check_columns, table_goals
    from naokit.study.goals import direction_named

    if asked.metric is None:
        raise InputError("--table needs --metric, the column to optimise")
    goals = table_goals(direction_named(asked.direction), objectives, limits)
    found = TableTask(
        space,
        tuple(str(path.resolve()) for path in asked.table or ()),
        asked.architecture_column,
        asked.metric,
        class_column=asked.class_column,
        direction=goals.objectives[0].direction,
        also=goals.metric_names,
        curve_columns=columns_of(asked.curve_columns or ""),
    ).load()
    for note in found.understood:
        say(note, err=True)
    check_columns(goals, found)
    return found


def recipe_begun(folder: Path) -> Mapping[str, Json]:
    """The recipe that the run in a folder was begun with; empty where there is none."""
    from naokit.runs.folder import is_run
    from naokit.runs.settings import read_settings

    if not is_run(folder):
        return {}
    return (read_settings(folder).get("evaluator") or {}).get("recipe") or {}


def preset_of(kind: Kind, name: str, begun: Mapping[str, Json], *, shared: bool) -> Preset:
    """The preset of a name; what it was once, where a run was begun with the recipe of that."""
    chosen, former = kind.preset(name, shared=shared), kind.former_presets.get(name)
    if former is None or shared:
        return chosen
    return former if begun.get("name") == former.recipe else chosen


def half_final(preset: Preset, reads: str, *, shared: bool) -> OwnTraining:
    """How the finalists of a search are trained: by the final recipe, in half its epochs.

    Raises:
        InputError: The best few are trained by themselves anyway.
    """
    from naokit.kinds import recipe_of
    from naokit.runs.plan import OwnTraining

    if shared:
        raise InputError(
            "--finalists is for searches that train each network by itself: by weight sharing the "
            "best few are trained by themselves anyway"
        )
    epochs = preset.final_epochs or recipe_of(reads, preset.final_recipe).epochs
    return OwnTraining(preset.final_recipe, preset.final_size(), max(1, epochs // 2))


def with_shared_epochs(preset: Preset, epochs: int | None) -> Preset:
    """The preset with so many epochs of its shared network, if it has one and they were asked for.

    Raises:
        InputError: There are fewer than rounds.
    """
    sharing = preset.sharing
    if sharing is None or epochs is None:
        return preset
    if epochs < sharing.rounds:
        raise InputError(
            f"--epochs-in-all is {epochs}, but the shared network is trained in {sharing.rounds} "
            "rounds, of one epoch at least"
        )
    fields: Any = {"sharing": dataclasses.replace(sharing, epochs=epochs)}
    return dataclasses.replace(preset, **fields)


def with_final(preset: Preset, reads: str, asked: Mapping[str, int | None]) -> Preset:
    """The preset with the epochs and the size of the final training that were asked for.

    Raises:
        InputError: A size is that of another kind of network.
    """
    given: dict[str, Any] = {n: value for n, value in asked.items() if value is not None}
    check_options(reads, {name: value for name, value in given.items() if name != "final_epochs"})
    return dataclasses.replace(preset, **given)
