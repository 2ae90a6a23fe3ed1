"""`naokit evaluate`: what a trained or exported network reaches on labelled images or a text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from naokit.cli.asked import Measuring
from naokit.cli.options import AsJson, ImageColumn, LabelColumn, Pictures, SkipBad
from naokit.cli.output import exit_codes


def evaluate(
    network: Annotated[
        Path,
        typer.Argument(
            help="A run's folder, a saved network's, or an image classifier's .onnx or .pt2 file."
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(help="Labelled images, or text; default: what the network learnt from."),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="The part of the data: test, validation or train; default: test, if there is one."
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many images are measured at once (default: 125), or at how many places "
            "a text is read side by side (default: 32).",
        ),
    ] = None,
    skip_bad: SkipBad = False,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
    json: AsJson = False,
) -> None:
    """Measure a network on images or text.

    Images: accuracy, top-5, each class, confusions, calibration. Text: perplexity.
    """
    with exit_codes():
        from naokit.cli.by_kind import shown
        from naokit.kinds import reads_at

        pictures = Pictures(None, skip_bad, image_column, label_column)
        asked = Measuring(network, data, split, batch, pictures, json)
        shown(reads_at(network)).evaluate(asked)
