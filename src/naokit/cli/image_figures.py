"""What `naokit evaluate` says of an image classifier."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from naokit.cli.asked import Measuring
from naokit.cli.options import Pictures
from naokit.cli.output import print_json, progress, say
from naokit.wording import counted, one_line

if TYPE_CHECKING:
    import numpy as np

    from naokit.images.data import ImageData, Split
    from naokit.images.measuring import ClassMeasured, Measured
    from naokit.images.opening import Classifier
    from naokit.images.pictures.stream import Stream

TABLE = 20
"""More classes than this do not fit a screen: the worst are shown."""

WORST = 10


def evaluate_images(asked: Measuring) -> None:
    """Measures on labelled images and prints."""
    from naokit.images.measuring import measure, part_of
    from naokit.images.on_device import EVALUATION_BATCH
    from naokit.images.opening import open_network

    classifier = open_network(asked.network)
    images = _images(classifier, asked.data, asked.pictures)
    part, rows = part_of(images, asked.split)
    logits, labels = _logits_under_bar(classifier, rows, asked.batch or EVALUATION_BATCH)
    found = measure(logits, labels, classifier.interface.class_names)
    if asked.json:
        about = {"network": str(classifier.path), "data": images.name, "split": part}
        print_json({**about, **dataclasses.asdict(found)})
        return
    say(
        f"{classifier.path} on {images.name}, {part} part, {counted(found.images, 'image')}",
        "",
        *_lines(found),
    )


def _images(classifier: Classifier, data: str | None, pictures: Pictures) -> ImageData:
    """The labelled images; their classes and size are the network's."""
    from naokit.base import InputError
    from naokit.cli.subject import check_embedded, say_what_was_read
    from naokit.images.measuring import images_of

    check_embedded("images", data)
    try:
        images = images_of(
            classifier.results.data,
            data,
            skip_bad=pictures.skip_bad,
            image_column=pictures.image_column,
            label_column=pictures.label_column,
        )
    except InputError as error:
        if data is not None:
            raise
        raise InputError(
            f"the network learnt from {classifier.results.data['data']}: {error}; or give --data"
        ) from error
    if images is None:
        raise InputError(f"{classifier.path} does not say what it learnt from; give --data")
    say_what_was_read(images)
    classifier.interface.check_fits(images, str(classifier.path))
    return images


def _logits_under_bar(
    classifier: Classifier, rows: Split | Stream, batch: int
) -> tuple[np.ndarray, np.ndarray]:
    from naokit.images.measuring import logits_on

    with progress() as bar:
        task = bar.add_task(f"{'images':12}", total=len(rows), note="")
        return logits_on(
            classifier.logits, rows, batch, on_batch=lambda done: bar.advance(task, done)
        )


def _lines(found: Measured) -> list[str]:
    """What a person reads."""
    low, high = found.interval
    top5 = [] if found.top5 is None else [f"top-5        {found.top5:6.2f} %"]
    return [
        f"accuracy     {found.accuracy:6.2f} %, {low:.2f} to {high:.2f} "
        f"(95 % interval, {counted(found.images, 'image')})",
        *top5,
        f"calibration  {found.calibration_error:6.2f} points between confidence and accuracy "
        "(expected calibration error)",
        f"             {found.negative_log_likelihood:6.3f} nats negative log-likelihood, "
        f"Brier score {found.brier_score:.3f}",
        "",
        *(_table(found) if len(found.classes) <= TABLE else _worst(found)),
    ]


def _table(found: Measured) -> list[str]:
    """One row a class, with what its images are taken for."""
    names = [one_line(c.name) for c in found.classes]
    width = max(5, *map(len, names))
    cell = max(3, len(str(max(map(max, found.confusion)))), len(str(len(found.classes) - 1)))
    numbers = " ".join(f"{label:>{cell}}" for label in range(len(found.classes)))
    lines = [f"    {'class':{width}}  images  accuracy   taken for", f"{'':{width + 25}}{numbers}"]
    for label, (measured, row) in enumerate(zip(found.classes, found.confusion, strict=True)):
        counts = " ".join(f"{count or '.':>{cell}}" for count in row)
        lines.append(f"{label:>2}  {names[label]:{width}}  {_accuracy(measured)}   {counts}")
    return lines


def _worst(found: Measured) -> list[str]:
    """The classes and confusions that cost most; --json has all of them."""
    known = [c for c in found.classes if c.accuracy is not None]
    worst = sorted(known, key=lambda c: (c.accuracy, c.name))[:WORST]
    width = max(5, *(len(one_line(c.name)) for c in worst))
    pairs = [
        (count, found.classes[label].name, found.classes[chosen].name)
        for label, row in enumerate(found.confusion)
        for chosen, count in enumerate(row)
        if count and chosen != label
    ]
    return [
        f"The {len(worst)} hardest of {len(found.classes)} classes (--json has all):",
        f"  {'class':{width}}  images  accuracy",
        *(f"  {one_line(c.name):{width}}  {_accuracy(c)}" for c in worst),
        "",
        "The most frequent confusions:",
        *(f"  {n:4} {a} taken for {b}" for n, a, b in sorted(pairs, key=lambda p: -p[0])[:WORST]),
    ]


def _accuracy(measured: ClassMeasured) -> str:
    share = "       -" if measured.accuracy is None else f"{measured.accuracy:6.2f} %"
    return f"{measured.images:6}  {share}"
