"""The options of a search that no other command has, and which of them go together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.base import InputError
from naokit.cli.options import (
    Decoders,
    DeviceName,
    EvaluatorName,
    Pictures,
    PrecisionName,
    Tokens,
    shares_weights,
)

if TYPE_CHECKING:
    from naokit.presets import Preset


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How an evaluation that trains is made."""

    evaluator: EvaluatorName = "train"
    warm_start: Annotated[
        bool,
        typer.Option(
            "--warm-start",
            help="With supernet: begin the final training with the weights of the shared network.",
        ),
    ] = False
    pictures: Pictures
    decoders: Decoders = 0
    tokens: Tokens = None
    device: DeviceName = "auto"
    precision: PrecisionName = "auto"

    @property
    def shared(self) -> bool:
        """Whether evaluations share weights; raises InputError for an unknown evaluator."""
        shared = shares_weights(self.evaluator)
        if self.warm_start and not shared:
            raise InputError(
                "--warm-start takes the weights of a shared network: add --evaluator supernet"
            )
        return shared


@dataclass(frozen=True)
class KnownResults:
    """Where results are looked up."""

    table: Annotated[
        list[Path] | None,
        typer.Option(help="A CSV file of known results, instead of data; may be given again."),
    ] = None
    architecture_column: Annotated[
        str, typer.Option(help="Column of the table that names the architecture.")
    ] = "arch"
    metric: Annotated[str | None, typer.Option(help="Column of the table to optimise.")] = None
    class_column: Annotated[
        str | None, typer.Option(help="Column whose equal values mean one architecture.")
    ] = None
    direction: Annotated[
        str, typer.Option(help="Which way --metric is better: maximize or minimize.")
    ] = "maximize"
    curve_columns: Annotated[
        str | None,
        typer.Option(
            help="Columns of the value after each epoch, for --pruner: epoch_1..epoch_25, or names "
            "with commas."
        ),
    ] = None


@dataclass(frozen=True)
class Fidelity:
    """How far networks are trained before they are judged."""

    pruner: Annotated[
        str | None,
        typer.Option(
            help="Who stops unpromising trainings early: asha, median, hyperband, "
            "successive-halving; default: the preset's."
        ),
    ] = None
    no_stop: Annotated[
        bool, typer.Option("--no-stop", help="Train everything to the end of its recipe.")
    ] = False
    epochs_in_all: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many epochs all evaluations may have together, or the shared network of "
            "--evaluator supernet has; default: the preset's.",
        ),
    ] = None
    finalists: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="How many of the best are trained by half the final recipe before one is called "
            "best, in place of evaluations again.",
        ),
    ] = None

    def chosen(self, preset: Preset | None) -> str | None:
        """The pruner; that of the preset where nothing is asked for.

        Args:
            preset: How the search is run. If None, nothing is stopped unless it is asked for.
        """
        if self.no_stop and self.pruner is not None:
            raise InputError(f"--no-stop stops nothing and --pruner {self.pruner} does: give one")
        usual = None if preset is None or self.no_stop else preset.pruner
        return self.pruner or usual


@dataclass(frozen=True)
class Wanted:
    """What is optimised, what must hold, and what is believed."""

    objective: Annotated[
        list[str] | None,
        typer.Option(
            help="What is optimised, may be given again: accuracy or perplexity first, then "
            "parameters, macs, latency or a column."
        ),
    ] = None
    limit: Annotated[
        list[str] | None,
        typer.Option(help='A bound that must hold, may be given again: "parameters<=3e6".'),
    ] = None
    prior: Annotated[
        Path | None,
        typer.Option(
            help="What you believe is good, a YAML file of weights on choices: `width: {64: 2}`; "
            "it counts less with every result (nao, random)."
        ),
    ] = None


OF_DATA = (
    "preset",
    "evaluator",
    "warm_start",
    "nodes",
    "activations",
    "baseline",
    "finalists",
    "final",
    "final_epochs",
    "final_channels",
    "final_cells",
    "final_hidden",
    "image_size",
    "skip_bad",
    "image_column",
    "label_column",
    "decoders",
    "tokens",
    "device",
    "precision",
)
"""Options of a search that trains; a table has the results already."""
OF_TABLE = ("architecture_column", "metric", "class_column", "direction", "curve_columns")
"""Options that say how a table is read."""


def check_asked(context: typer.Context, *, table: bool) -> None:
    """Raises InputError for an option of the other kind of search that was given."""
    for name in OF_DATA if table else OF_TABLE:
        source = context.get_parameter_source(name)
        if source is not None and source.name in ("COMMANDLINE", "DEFAULT_MAP"):
            wanted = "trains networks" if table else "looks results up in a --table"
            raise InputError(
                f"--{name.replace('_', '-')} is for a search that {wanted}: leave it out"
            )
