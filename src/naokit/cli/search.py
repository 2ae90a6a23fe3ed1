"""`naokit search`: from a space and data to a trained, exported network."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from naokit.cli import config_file
from naokit.cli.options import (
    Activations,
    AsJson,
    DeviceName,
    FinalCells,
    FinalChannels,
    FinalEpochs,
    FinalHidden,
    ImageColumn,
    ImageSize,
    LabelColumn,
    PrecisionName,
    SkipBad,
    Tokens,
    Workers,
)
from naokit.cli.output import exit_codes, print_json, say
from naokit.cli.search_options import (
    OF_DATA,
    OF_TABLE,
    Hours,
    Options,
    check_asked,
    with_final,
)
from naokit.kinds import kind_of


def search(
    context: typer.Context,
    space: Annotated[
        str, typer.Option(help="A name, file.py:NAME or package.module:NAME.")
    ] = "conv-small",
    data: Annotated[
        str | None,
        typer.Option(
            help="Images: digits, a folder of class folders, .parquet, .npz or a hub name. Text: "
            "pydoc, a folder with train, valid and test text, a file or a hub name."
        ),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="How the search is run: quick, small, paper.")
    ] = "quick",
    method: Annotated[
        str, typer.Option(help="Who proposes: nao, nao-2018, evolution, random, tpe, ...")
    ] = "nao",
    evaluations: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many in all; a larger number than before continues the search."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is random.")] = 0,
    nodes: Annotated[
        int | None, typer.Option(min=1, help="Nodes in each cell (the paper's B).")
    ] = None,
    activations: Activations = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; default: runs/SPACE-DATA-METHOD.")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="Database URL instead of OUT/study.db.")
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Of the whole command; a fifth of them is kept for the final training.",
        ),
    ] = None,
    baseline: Annotated[
        bool | None,
        typer.Option(
            help="Also search at random, with as many evaluations; default: the preset's."
        ),
    ] = None,
    final: Annotated[bool, typer.Option(help="Train, export and check the best network.")] = True,
    final_epochs: FinalEpochs = None,
    final_channels: FinalChannels = None,
    final_cells: FinalCells = None,
    final_hidden: FinalHidden = None,
    image_size: ImageSize = None,
    skip_bad: SkipBad = False,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
    workers: Workers = 0,
    tokens: Tokens = None,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    table: Annotated[
        list[Path] | None,
        typer.Option(help="A CSV file of known results, instead of data; may be given again."),
    ] = None,
    architecture_column: Annotated[
        str, typer.Option(help="Column of the table that names the architecture.")
    ] = "arch",
    metric: Annotated[str | None, typer.Option(help="Column of the table to optimise.")] = None,
    class_column: Annotated[
        str | None, typer.Option(help="Column whose equal values are one architecture.")
    ] = None,
    direction: Annotated[
        str, typer.Option(help="Which way the table's metric is better: maximize or minimize.")
    ] = "maximize",
    objective: Annotated[
        list[str] | None,
        typer.Option(
            help="What is optimised, may be given again: accuracy or perplexity first, then "
            "parameters, macs, latency or a column."
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(help='A bound that must hold, may be given again: "parameters<=3e6".'),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(
            help="A run, or a file with a genotype on each line: these are evaluated first."
        ),
    ] = None,
    release_abandoned: Annotated[
        bool,
        typer.Option(
            "--release-abandoned",
            help="Evaluate again what machines that are gone were at; a live one shows that it is.",
        ),
    ] = False,
    config: config_file.Config = None,
    json: AsJson = False,
) -> None:
    """Search for an architecture; on data, train and export the best one too.

    The same command again continues where it stopped.
    """
    began = time.monotonic()
    del config  # its options are in the others' places already
    with exit_codes():
        from naokit import spaces
        from naokit.base import InputError
        from naokit.bench import Task
        from naokit.cli.search_steps import on_data, on_table
        from naokit.cli.table_goals import table_goals
        from naokit.report import closing_lines
        from naokit.runs.folder import check_storage
        from naokit.study import check_method
        from naokit.study.goals import direction_named
        from naokit.study.storage import address_of
        from naokit.training.device import device_named, precision_named

        if table and data:
            raise InputError(
                "give --data to train networks or --table to look results up, not both"
            )
        check_asked(context, table=bool(table))
        check_method(method)  # a wrong name fails before anything is written
        searched = None if table else spaces.load(space, nodes=nodes, activations=activations)
        reads = searched.reads if searched else "images"
        towards = direction_named(direction)
        chosen = kind_of(reads).preset(preset)
        source = (
            table[0].name.partition(".")[0] if table else Path(data or kind_of(reads).embedded).name
        )
        name = searched.name if searched else spaces.name_of(space)
        folder = out or Path("runs") / f"{name}-{source}-{method}"
        options = Options(
            space,
            method,
            seed,
            evaluations or chosen.evaluations,
            folder,
            storage or address_of(folder / "study.db"),
            Hours.of(hours, began, final=final and not table),
            device_named(device),
            precision_named(precision),
            tuple(objective or ()),
            tuple(limit or ()),
            start_from,
            image_size,
            skip_bad,
            image_column,
            label_column,
            workers,
            tokens,
            release_abandoned,
            config_file.given(context, OF_DATA if table else OF_TABLE, out=folder.absolute()),
        )
        check_storage(folder, options.storage)
        if table:
            if metric is None:
                raise InputError("--table needs --metric, the column to optimise")
            goals = table_goals(towards, options.objectives, options.limits)
            paths = tuple(str(path.resolve()) for path in table)
            task = Task(
                space,
                paths,
                architecture_column,
                metric,
                class_column=class_column,
                direction=goals.objectives[0].direction,
                also=goals.figures,
            )
            found = on_table(options, task, goals)
        else:
            assert searched is not None
            if not searched.has_networks:  # before anything is written
                raise searched.no_network()
            asked = {
                "final_channels": final_channels,
                "final_cells": final_cells,
                "final_hidden": final_hidden,
                "final_epochs": final_epochs,
            }
            chosen = with_final(chosen, reads, asked)
            wants = chosen.baseline if baseline is None else baseline
            found = on_data(options, searched, data, chosen, baseline=wants, final=final)
        if json:
            print_json(found)
        else:
            say(*closing_lines(found))
