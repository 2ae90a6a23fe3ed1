"""`naokit plan`: what a search can afford here."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import (
    Activations,
    AsJson,
    DeviceName,
    EvaluatorName,
    ImageColumn,
    ImageSize,
    LabelColumn,
    Tokens,
    shares_weights,
)
from naokit.cli.output import exit_codes, print_json, progress
from naokit.cli.plan_check import cells_to_check, checked
from naokit.cli.plan_shared import plan_shared, print_shared_plan
from naokit.cli.plan_words import as_typed, print_plan
from naokit.cli.planned import Least, Planned
from naokit.wording import exact

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from naokit.presets import Preset
    from naokit.runs.planning import Option
    from naokit.space import Architecture, Space
    from naokit.subject import Subject

ARCHITECTURES = 3


def plan(
    data: Annotated[
        str, typer.Option(help="Images or text: a file, a folder, a hub name, digits or pydoc.")
    ],
    hours: Annotated[float, typer.Option(min=0, help="How long the whole search may take.")],
    space: Annotated[
        str, typer.Option(help="The space: a name, file.py:NAME or package.module:NAME.")
    ] = "conv-small",
    preset: Annotated[
        str | None,
        typer.Option(help="Plan only for this preset (quick, small or paper); default: for all."),
    ] = None,
    evaluator: EvaluatorName = "train",
    nodes: Annotated[
        int | None, typer.Option(min=1, help="Nodes in each cell (the paper's B).")
    ] = None,
    activations: Activations = None,
    image_size: ImageSize = None,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
    tokens: Tokens = None,
    device: DeviceName = "auto",
    check_recipe: Annotated[
        bool,
        typer.Option(
            "--check-recipe",
            help="Also train some cells by the search's recipe and by the final one, within the "
            "hours, and say whether the first ranks them as the second does.",
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """Measure a few training steps here; say what the hours afford."""
    began = time.monotonic()
    with exit_codes():
        import torch

        from naokit import spaces
        from naokit.base import InputError
        from naokit.cli.subject import say_what_was_read, subject_of
        from naokit.kinds import kind_of
        from naokit.training.device import device_named, make_fabric

        if not hours > 0:
            raise InputError(f"--hours must be above 0, not {hours:g}")
        searched = spaces.load(space, nodes=nodes, activations=activations)
        if not searched.has_networks:
            raise searched.no_network()
        kind, shared = kind_of(searched.reads), shares_weights(evaluator)
        if shared and check_recipe:
            raise InputError(
                "--check-recipe is for searches that train each network by itself; a search by "
                "weight sharing says at its end how far its scores rank"
            )
        chosen = kind.chosen(preset, shared=shared)
        fabric = make_fabric(device_named(device))
        given = {
            "image_size": image_size,
            "image_column": image_column,
            "label_column": label_column,
            "tokens": tokens,
        }
        subject = subject_of(searched.reads, data, given | chosen[0].size())
        say_what_was_read(subject.data)
        architectures = _random(searched)
        asked = {"data": data, "space": space, "nodes": nodes, "activations": activations}
        asked |= {name.replace("_", "-"): value for name, value in given.items()}
        if shared:
            costs = plan_shared(chosen, architectures, subject, fabric, hours, asked)
            print_json(costs.to_json()) if json else print_shared_plan(costs)
            return
        options, best = _measured(chosen, architectures, subject, fabric, 3600 * hours)
        found = Planned(
            data,
            searched.name,
            hours,
            fabric.device.type,
            torch.get_num_threads(),
            ARCHITECTURES,
            time.monotonic() - began,
            tuple(options),
            best,
            None if best is None else _command(best, asked, hours),
            _least(options, asked) if best is None else None,
        )
        if check_recipe:
            option = best or options[0]
            cells = cells_to_check(searched, option, found.seconds)
            check = checked(option.preset, cells, subject, device_named(device))
            found = dataclasses.replace(found, check=check)
        print_json(found.to_json()) if json else print_plan(found)


def _measured(
    chosen: Sequence[Preset],
    architectures: Sequence[Architecture],
    subject: Subject,
    fabric: Fabric,
    seconds: float,
) -> tuple[list[Option], Option | None]:
    """What each preset costs, measured under a bar; and the one to take, if one fits."""
    from naokit.runs import planning

    most = planning.networks_to_measure(chosen, len(architectures), subject.reads)
    options: list[Option] = []
    with progress() as bar:
        task = bar.add_task(f"{'measuring':12}", total=most, completed=-1, note="reading the data")

        def told(what: str) -> None:
            bar.update(task, advance=1, note=what)

        for preset in chosen:
            cheaper = options[-1] if options else None
            option = planning.measure(
                preset,
                architectures,
                subject,
                fabric,
                seconds=seconds,
                cheaper=cheaper,
                on_network=told,
            )
            options.append(option)
        best = planning.recommended(options, seconds, subject)
        shown = best or options[0]
        options += planning.other_sizes(shown, architectures, subject, fabric, told)
        done = bar.tasks[0].completed + 1
        bar.update(task, completed=done, total=done, note="")
    return options, best


def _least(options: Sequence[Option], asked: Mapping[str, object]) -> Least:
    """The shortest search: one evaluation by the cheapest preset, and its winner trained."""
    cheapest = min((o for o in options if o.own), key=lambda option: option.seconds(1))
    hours = max(0.001, float(f"{1.2 * cheapest.seconds(1) / 3600:.2g}"))  # a fifth to spare
    command = _words(cheapest, asked, 1, hours)
    return Least(cheapest.preset.name, 1, hours, 1.2 * cheapest.search(1) / 3600, command)


def _random(space: Space) -> list[Architecture]:
    """The architectures that are measured: the same ones every time."""
    import numpy as np

    generator = np.random.default_rng(0)
    return [space.sample(generator) for _ in range(ARCHITECTURES)]


def _command(option: Option, asked: Mapping[str, object], hours: float) -> str:
    """The search that fits: as many evaluations as the slower networks leave time for."""
    likely, least, _ = option.affords(3600 * hours)
    return _words(option, asked, least or likely, hours)


def _words(option: Option, asked: Mapping[str, object], evaluations: int, hours: float) -> str:
    """A search as it is typed."""
    budget = {"evaluations": evaluations}
    if option.preset.pruner:  # as much as so many whole evaluations
        budget = {"epochs-in-all": evaluations * option.epochs}
    return as_typed({**asked, "preset": option.preset.name, **budget, "hours": exact(hours)})
