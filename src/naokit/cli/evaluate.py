"""`naokit evaluate`: what a trained or exported network reaches on labelled images or a text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from naokit.cli.image_figures import evaluate_images
from naokit.cli.options import AsJson, ImageColumn, LabelColumn, SkipBad
from naokit.cli.output import exit_codes
from naokit.cli.text_figures import evaluate_text


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
        typer.Option(help="test, validation or train; default: test where there is one."),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Images at once (default: 125), or places of a text that are read side by side "
            "(default: 32).",
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
        from naokit.base import InputError
        from naokit.cli.subject import check_options
        from naokit.export import network_folder
        from naokit.kinds import reads_at

        if reads_at(network) == "images":
            evaluate_images(
                network,
                data,
                split,
                batch,
                skip_bad=skip_bad,
                image_column=image_column,
                label_column=label_column,
                as_json=json,
            )
            return
        if skip_bad:
            raise InputError("--skip-bad leaves out pictures; this is a language model")
        check_options("text", {"image_column": image_column, "label_column": label_column})
        if network.is_file():
            raise InputError(
                f"{network} is one step of a language model; its folder is measured: give "
                f"{network.parent}"
            )
        evaluate_text(network_folder(network), data, split, batch, as_json=json)
