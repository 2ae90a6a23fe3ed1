"""Options that several commands have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from naokit.base import unknown_name

ImageSize = Annotated[
    int | None,
    typer.Option(min=1, help="Side in pixels to which pictures of any size are resized."),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out pictures that cannot be decoded.")
]
ImageColumn = Annotated[
    str | None,
    typer.Option(help="The column of pictures, where a parquet file or hub data set has several."),
]
LabelColumn = Annotated[
    str | None, typer.Option(help="The column of labels, where its type and name do not tell it.")
]
GenotypeSpace = Annotated[
    str | None,
    typer.Option("--space", help="The space that a genotype belongs to; default: conv-small."),
]
Tokens = Annotated[
    str | None,
    typer.Option(
        help="The tokens of a text: word, char, a tokenizer.json or one of the hub; default: word."
    ),
]
Activations = Annotated[
    str | None,
    typer.Option(
        help="How the integers of a recurrent genotype are read: nao-ws or nao; default: nao-ws."
    ),
]
Hidden = Annotated[
    int | None, typer.Option(min=1, help="Size of a language model: how many hidden units it has.")
]
EvaluatorName = Annotated[
    str,
    typer.Option(
        "--evaluator",
        help="How networks are scored: train trains each by itself; supernet shares the weights of "
        "one large network.",
    ),
]
EVALUATORS = ("train", "supernet")
"""What scores an architecture."""
Decoders = Annotated[int, typer.Option(min=0, help="How many processes decode pictures.")]
Processes = Annotated[
    int,
    typer.Option(
        min=1, help="How many processes train an image network, each with a share of every batch."
    ),
]
AllData = Annotated[
    bool, typer.Option("--all-data", help="Hold no images out; keep the last epoch.")
]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Write event files beside log.csv.")
]
DeviceName = Annotated[str, typer.Option(help="What computes: auto, cpu, cuda or mps.")]
PrecisionName = Annotated[
    str, typer.Option(help="In what precision: auto, 32-true, bf16-mixed or 16-mixed.")
]
Epochs = Annotated[
    int | None,
    typer.Option(
        min=1, help="How many epochs, instead of the recipe's; the schedule is stretched to them."
    ),
]
FinalEpochs = Annotated[
    int | None,
    typer.Option(min=1, help="Epochs of the final training; default: those of its recipe."),
]
FinalChannels = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Channels (F) of the image network in the final training; default: the preset's.",
    ),
]
FinalCells = Annotated[
    int | None,
    typer.Option(
        min=1, help="Cells (N) of the image network in the final training; default: the preset's."
    ),
]
FinalHidden = Annotated[
    int | None,
    typer.Option(
        min=1, help="Hidden units in the final training of a language model; default: the preset's."
    ),
]
RecipeSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Replace a field of the recipe: --set ema=0.999."
    ),
]
Balance = Annotated[
    bool,
    typer.Option("--balance", help="Let every class weigh the same, however many images it has."),
]
TrainingSeed = Annotated[
    int, typer.Option(help="Seed of weights, batches, augmentation and dropout.")
]
TrainingOut = Annotated[
    Path | None, typer.Option(help="Folder for training/ and network/; default: runs/WHAT-DATA.")
]
TrainingHours = Annotated[
    float | None, typer.Option(min=0, help="Stop after this many hours and keep the best network.")
]
Again = Annotated[
    bool, typer.Option("--force", help="Begin again in a folder that holds another training.")
]
RunStorage = Annotated[
    str | None,
    typer.Option("--storage", help="Database of a run whose study is not in its folder."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@dataclass(frozen=True)
class GenotypeOptions:
    """How the architecture that a command is given is read, or where its run's study lies."""

    space: GenotypeSpace = None
    nodes: Annotated[int | None, typer.Option(min=1, help="Nodes in each cell of a genotype.")] = (
        None
    )
    activations: Activations = None
    storage: RunStorage = None


@dataclass(frozen=True)
class Pictures:
    """How pictures of data are read."""

    image_size: ImageSize = None
    skip_bad: SkipBad = False
    image_column: ImageColumn = None
    label_column: LabelColumn = None


@dataclass(frozen=True)
class ScheduleOptions:
    """How the recipe of a training is changed."""

    epochs: Epochs = None
    settings: RecipeSettings = None


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How one network is trained, besides its data and its recipe."""

    balance: Balance = False
    seed: TrainingSeed = 0
    out: TrainingOut = None
    hours: TrainingHours = None
    pictures: Pictures
    all_data: AllData = False
    decoders: Decoders = 0
    processes: Processes = 1
    device: DeviceName = "auto"
    precision: PrecisionName = "auto"
    tensorboard: TensorBoard = False
    force: Again = False


@dataclass(frozen=True)
class FinalSize:
    """The final training of a search."""

    final_epochs: FinalEpochs = None
    final_channels: FinalChannels = None
    final_cells: FinalCells = None
    final_hidden: FinalHidden = None


def shares_weights(evaluator: str) -> bool:
    """Whether evaluations share weights; raises InputError for an unknown evaluator."""
    if evaluator not in EVALUATORS:
        raise unknown_name("evaluator", evaluator, EVALUATORS)
    return evaluator == "supernet"
