"""A source's pictures, listed but not decoded, made into arrays or into streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from naokit.base import InputError
from naokit.training.crops import shorter_side
from naokit.training.data import Source, Split
from naokit.training.encoded import Encoded
from naokit.training.pictures import Picture, header, outcome, stack
from naokit.training.reduced import Reduced
from naokit.training.stream import Stream
from naokit.training.survey import survey


@dataclass(frozen=True, eq=False)
class Part:
    """Pictures and their labels (N,) from 0."""

    pictures: Encoded
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Listing:
    """The parts that a source has: "train", and "validation" and "test" if there are any."""

    parts: Mapping[str, Part]
    class_names: tuple[str, ...]


def decoded(listing: Listing, *, skip_bad: bool) -> Source:
    """Every picture in memory.

    Raises:
        InputError: one cannot be decoded (not with `skip_bad`), or their sizes differ.
    """
    splits: dict[str, Split] = {}
    skipped: list[str] = []
    for name, part in listing.parts.items():
        images, bad = stack(part.pictures.name, _all(part.pictures), skip_bad=skip_bad)
        skipped += (part.pictures[row][0] for row in bad)
        splits[name] = Split(images, np.delete(part.labels, list(bad)))
    return _source(listing, splits, skipped)


def streamed(listing: Listing, size: int, *, skip_bad: bool) -> Source:
    """Streams of pictures (C, size, size); grey only where every training picture is.

    Raises:
        InputError: one is no picture by its header (not with `skip_bad`).
    """
    skipped: list[str] = []
    surveys = {name: survey(part.pictures) for name, part in listing.parts.items()}
    channels = max(1, int(surveys["train"][:, 2].max(initial=0)))
    streams: dict[str, Stream] = {}
    for name, part in listing.parts.items():
        found = surveys[name]
        bad = np.flatnonzero(found[:, 2] == 0)
        if len(bad) and not skip_bad:
            raise _complaint(part.pictures[int(bad[0])])
        skipped += (part.pictures[int(row)][0] for row in bad)
        rows = np.flatnonzero(found[:, 2])
        pictures = Reduced(part.pictures, found, channels, shorter_side(size))
        streams[name] = Stream(pictures, rows, part.labels[rows], size, channels, skip_bad)
    return _source(listing, streams, skipped)


def _source(listing: Listing, splits: Mapping[str, Split | Stream], skipped: list[str]) -> Source:
    return Source(
        splits["train"],
        splits.get("validation"),
        splits.get("test"),
        listing.class_names,
        tuple(skipped),
    )


def _all(pictures: Encoded) -> Iterator[Picture]:
    return (pictures[row] for row in range(len(pictures)))


def _complaint(picture: Picture) -> InputError:
    found = outcome(header, picture)
    return found if isinstance(found, InputError) else InputError(f"{picture[0]} cannot be read")
