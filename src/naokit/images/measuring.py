"""The accuracy, confusions and calibration of a network on labelled images.

Shapes: N images, K classes, B batch, C channels, H and W height and width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from naokit.base import InputError, Json
from naokit.images.data import ImageData, Split
from naokit.images.loading import load_images
from naokit.images.pictures.stream import Stream
from naokit.training.parts import part_named

BINS = 15
"""Of the calibration error: Guo et al. 2017, On Calibration of Modern Neural Networks."""


@dataclass(frozen=True)
class ClassMeasured:
    """The measures of one class.

    Attributes:
        name: The name of the class.
        images: The number of images that have this label.
        accuracy: The share of them that get it, in percent; None where there are none.
    """

    name: str
    images: int
    accuracy: float | None


@dataclass(frozen=True)
class Measured:
    """The measures of a network on N images.

    Attributes:
        images: The number of images (N).
        accuracy: The accuracy in percent.
        interval: The 95 % interval of the accuracy on any number of such images, in percent.
        standard_error: The standard error of the accuracy in percentage points: sqrt(p (1 - p) /
            N). It is 0 where all or none are right, and makes an interval only for many images.
        top5: The share of images whose label is among the five likeliest, in percent; None where
            there are no more than five classes.
        calibration_error: The mean distance of confidence and accuracy over fifteen equal intervals
            of confidence, weighted by their images, in percentage points.
        negative_log_likelihood: The mean over the images, in nats.
        brier_score: The mean squared distance of the probabilities from the label, 0 to 2.
        classes: The measures of each class.
        confusion: The number of images of each label (rows) that are taken for each class
            (columns), (K, K).
    """

    images: int
    accuracy: float
    interval: tuple[float, float]
    standard_error: float
    top5: float | None
    calibration_error: float
    negative_log_likelihood: float
    brier_score: float
    classes: tuple[ClassMeasured, ...]
    confusion: tuple[tuple[int, ...], ...]


def measure(logits: np.ndarray, labels: np.ndarray, class_names: Sequence[str]) -> Measured:
    """The figures of logits (N, K) for labels (N,).

    Raises:
        InputError: There are no images, or the network gives values that are not finite.
    """
    from scipy.special import log_softmax
    from sklearn.metrics import confusion_matrix, top_k_accuracy_score

    if not len(labels):
        raise InputError("there are no images to measure on")
    if not np.isfinite(logits).all():
        raise InputError("the network gives values that are not finite; was it trained?")
    ids = np.arange(len(class_names))
    logs = log_softmax(logits.astype(np.float64), axis=1)
    chosen = logs.argmax(axis=1)
    share = float((chosen == labels).mean())
    confusion = confusion_matrix(labels, chosen, labels=ids)
    several = len(ids) > 5
    return Measured(
        images=len(labels),
        accuracy=100 * share,
        interval=accuracy_interval(int((chosen == labels).sum()), len(labels)),
        standard_error=100 * math.sqrt(share * (1 - share) / len(labels)),
        top5=100 * float(top_k_accuracy_score(labels, logs, k=5, labels=ids)) if several else None,
        calibration_error=100 * _calibration_error(np.exp(logs.max(axis=1)), chosen == labels),
        negative_log_likelihood=float(-logs[np.arange(len(labels)), labels].mean()),
        brier_score=float(((np.exp(logs) - np.eye(len(ids))[labels]) ** 2).sum(axis=1).mean()),
        classes=_by_class(confusion, class_names),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def accuracy_interval(right: int, images: int) -> tuple[float, float]:
    """The 95 % interval of the accuracy, in percent, if `right` of `images` are correct.

    Wilson's interval of 95 %: honest for few images too, where twice the standard error is not. Of
    21 right answers to 21 images it says 84.5 to 100.
    """
    from scipy.stats import binomtest

    found = binomtest(right, images).proportion_ci(0.95, method="wilson")
    return 100 * float(found.low), 100 * float(found.high)


def _by_class(confusion: np.ndarray, class_names: Sequence[str]) -> tuple[ClassMeasured, ...]:
    counts = confusion.sum(axis=1).tolist()
    right = confusion.diagonal().tolist()
    return tuple(
        ClassMeasured(name, count, 100 * hits / count if count else None)
        for name, count, hits in zip(class_names, counts, right, strict=True)
    )


def _calibration_error(confidences: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error (N,), (N,) -> a share."""
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, confidences - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(right))


def batches(
    split: Split | Stream, size: int, rows: np.ndarray | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Images as bytes (B, C, H, W) and their labels (B,), in order.

    This is the one place here that reads a split.

    Args:
        split: A part of a data set.
        size: The number of images of a batch (B).
        rows: The rows of some images. If None, all.
    """
    chosen = np.arange(len(split)) if rows is None else rows
    order = [chosen[start : start + size] for start in range(0, len(chosen), size)]
    yield from split.batches(order, seed=None)


@torch.no_grad()
def logits_on(
    network: Callable[[Tensor], Tensor],
    split: Split | Stream,
    size: int,
    on_batch: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (N, K) and labels (N,) of a part.

    Args:
        network: The network, bytes (B, C, H, W) -> logits (B, K).
        split: The part.
        size: The number of images of a batch (B).
        on_batch: Called with the number of images done.
    """
    found, labels = [], []
    for images, right in batches(split, size):
        found.append(network(images).numpy())
        labels.append(right.numpy())
        if on_batch is not None:
            on_batch(len(right))
    if not found:
        return np.zeros((0, 0)), np.zeros(0, dtype=np.int64)
    return np.concatenate(found), np.concatenate(labels)


def images_of(
    remembered: Mapping[str, Json],
    source: ImageData | str | Path | None = None,
    *,
    skip_bad: bool = False,
    image_column: str | None = None,
    label_column: str | None = None,
) -> ImageData | None:
    """The images that a network learnt from, or those of `source`, read as it read them.

    Args:
        remembered: What the network remembers of its data; see `Subject.results`.
        source: What `load_images` takes. If None, what is recorded, if anything is.
        skip_bad: Whether pictures that cannot be decoded are left out.
        image_column: The column of pictures, as for `load_images`. If None, the recorded one.
        label_column: The column of labels. If None, the recorded one.
    """
    name = source or remembered.get("data")
    if name is None:
        return None
    own = source is None or source == remembered.get("data")
    recorded = remembered if own else {}
    return load_images(
        name,
        size=remembered.get("image_size"),
        skip_bad=skip_bad or (own and remembered.get("skip_bad", False)),
        hold_out=not (own and remembered.get("all_data", False)),
        image_column=image_column or recorded.get("image_column"),
        label_column=label_column or recorded.get("label_column"),
    )


def part_of(data: ImageData, name: str | None = None) -> tuple[str, Split | Stream]:
    """The name and images of the requested part, by default of the test part or its substitute.

    Raises:
        InputError: There is no part of this name, or it is empty.
    """
    name = part_named(data, name)
    split: Split | Stream = getattr(data, name)
    return name, split
