"""`naokit predict`: what a trained network takes pictures for, as CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import AsJson
from naokit.cli.output import exit_codes, print_json, progress, say
from naokit.wording import counted, one_line

if TYPE_CHECKING:
    from naokit.base import Json
    from naokit.images.opening import Classifier
    from naokit.images.predicting import Predictions


def predict(
    network: Annotated[
        Path, typer.Argument(help="A run's folder, a saved network's, or its .onnx or .pt2 file.")
    ],
    pictures: Annotated[list[Path], typer.Argument(help="Files, or folders of them.")],
    out: Annotated[Path | None, typer.Option(help="CSV file to write; default: stdout.")] = None,
    top: Annotated[
        int, typer.Option(min=1, help="How many of the likeliest classes are given.")
    ] = 1,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out pictures that cannot be decoded.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the CSV file.")] = False,
    json: AsJson = False,
) -> None:
    """Classify pictures: one CSV line each with the likeliest class and its probability.

    A picture of another size is scaled and its centre cropped to the network's.
    """
    with exit_codes():
        from naokit.base import InputError
        from naokit.files import write_whole
        from naokit.images.opening import open_network
        from naokit.images.predicting import find_pictures
        from naokit.kinds import check_reads

        if out is not None and out.exists() and not force:
            raise InputError(f"{out} exists already; name another file, or give --force")
        files = find_pictures(pictures)
        check_reads(network, "images")
        classifier = open_network(network)
        predictions = _predict_under_bar(classifier, files, top, skip_bad)
        if out is not None:
            write_whole(out, _csv(predictions, top))
        elif not json:
            typer.echo(_csv(predictions, top), nl=False)
        if json:
            print_json(_report(predictions, classifier, out))
        for line in _remarks(predictions, classifier, out):
            say(line, err=True)


def _predict_under_bar(
    classifier: Classifier, files: list[Path], top: int, skip_bad: bool
) -> Predictions:
    from naokit.images.predicting import predict

    with progress() as bar:
        task = bar.add_task(f"{'pictures':12}", total=len(files), note="")
        return predict(
            classifier.logits,
            classifier.interface,
            files,
            top=top,
            skip_bad=skip_bad,
            on_batch=lambda done: bar.advance(task, done),
        )


def _csv(predictions: Predictions, top: int) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    ranks = ["", *(str(rank) for rank in range(2, top + 1))]
    writer.writerow(["file", *(f"{n}{rank}" for rank in ranks for n in ("label", "probability"))])
    for row in predictions.rows:
        pairs = zip(row.labels, row.probabilities, strict=True)
        cells = [row.file, *(cell for name, p in pairs for cell in (name, f"{p:.6f}"))]
        writer.writerow(map(one_line, cells))  # one line a picture; --json has names as they are
    return text.getvalue()


def _report(predictions: Predictions, classifier: Classifier, out: Path | None) -> dict[str, Json]:
    """What a program reads; the predictions themselves where no CSV file holds them."""
    counts = Counter(row.labels[0] for row in predictions.rows)
    return {
        "network": str(classifier.path),
        "out": None if out is None else str(out),
        "pictures": len(predictions.rows),
        "resized": predictions.resized,
        "recoloured": predictions.recoloured,
        "skipped": list(predictions.skipped),
        "classes": {name: counts[name] for name in classifier.interface.class_names},
        "predictions": None
        if out is not None
        else [
            {"file": str(row.file), "labels": row.labels, "probabilities": row.probabilities}
            for row in predictions.rows
        ],
    }


def _remarks(predictions: Predictions, classifier: Classifier, out: Path | None) -> list[str]:
    """What a person should know about it."""
    channels, height, width = classifier.interface.image
    lines = [f"{counted(len(predictions.rows), 'picture')} classified"]
    if predictions.resized:
        lines.append(
            f"{predictions.resized} scaled to {height} x {width} (height, width): "
            "shorter side, then the centre"
        )
    if predictions.recoloured:
        lines.append(f"{predictions.recoloured} made {'grey' if channels == 1 else 'colour'}")
    if predictions.scaled:
        lines.append(f"{predictions.scaled} scaled from 16 bits to 8: 65,535 becomes 255")
    if predictions.skipped:
        lines.append(f"{len(predictions.skipped)} left out:")
        lines += [f"  {why}" for why in predictions.skipped]
    return lines if out is None else [*lines, f"saved in {out}"]
