"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ImageSize = Annotated[
    int | None, typer.Option(min=1, help="Pictures of any size are shown so large.")
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out pictures that cannot be decoded.")
]
ImageColumn = Annotated[
    str | None,
    typer.Option(help="Of the pictures in a parquet file or a hub data set with several."),
]
LabelColumn = Annotated[
    str | None, typer.Option(help="Of the labels, where they cannot be told by type and name.")
]
GenotypeSpace = Annotated[
    str | None, typer.Option("--space", help="Of a genotype; default: conv-small.")
]
Tokens = Annotated[
    str | None,
    typer.Option(
        help="What text is read in: word, char, a tokenizer.json or one of the hub; default: word."
    ),
]
Activations = Annotated[
    str | None,
    typer.Option(
        help="How the integers of a recurrent genotype are read: nao-ws or nao; default: nao-ws."
    ),
]
Hidden = Annotated[
    int | None, typer.Option(min=1, help="Size of a language model: its hidden units.")
]
Workers = Annotated[int, typer.Option(min=0, help="Processes that decode pictures.")]
Processes = Annotated[
    int,
    typer.Option(min=1, help="That train an image network, each with a share of every batch."),
]
AllData = Annotated[
    bool, typer.Option("--all-data", help="Hold no images out; keep the last epoch.")
]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Write event files beside log.csv.")
]
DeviceName = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
PrecisionName = Annotated[str, typer.Option(help="auto, 32-true, bf16-mixed, 16-mixed.")]
Epochs = Annotated[
    int | None, typer.Option(min=1, help="In place of the recipe's; the schedule follows.")
]
FinalEpochs = Annotated[
    int | None,
    typer.Option(min=1, help="Of the final training; default: as many as its recipe has."),
]
FinalChannels = Annotated[
    int | None,
    typer.Option(min=1, help="F of the image network that is trained last; default: the preset's."),
]
FinalCells = Annotated[int | None, typer.Option(min=1, help="Its N; default: the preset's.")]
FinalHidden = Annotated[
    int | None,
    typer.Option(
        min=1, help="Size of the language model that is trained last; default: the preset's."
    ),
]
RecipeSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A field of the recipe: --set ema=0.999."),
]
Balance = Annotated[
    bool, typer.Option("--balance", help="Classes weigh alike, however many images they have.")
]
TrainingSeed = Annotated[int, typer.Option(help="Of weights, batches, augmentation, dropout.")]
TrainingOut = Annotated[
    Path | None, typer.Option(help="Folder of training/ and network/; default: runs/WHAT-DATA.")
]
TrainingHours = Annotated[
    float | None, typer.Option(min=0, help="Stop after so many hours, keep the best.")
]
Again = Annotated[bool, typer.Option("--force", help="Begin again where another training lies.")]
RunStorage = Annotated[
    str | None, typer.Option("--storage", help="Of a run whose study is not in its folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
