"""A source's pictures, listed but not decoded, made into arrays or into streams."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from naokit.base import InputError
from naokit.images.data import UNNAMED, ColumnNames, Source, Split
from naokit.images.pictures.crops import shorter_side
from naokit.images.pictures.decoding import NamedPicture, brightest, header, outcome, stack
from naokit.images.pictures.decoding import decoded as decoded_picture
from naokit.images.pictures.encoded import EncodedPictures, digest_of_lines
from naokit.images.pictures.headers import survey
from naokit.images.pictures.modes import Adjustment, remarks
from naokit.images.pictures.reduced import Reduced
from naokit.images.pictures.stream import Stream
from naokit.images.reading.decoded_cache import cached

LOOKED_AT = 16
"""Pictures of 16 bits that are decoded to see whether they are dark."""


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """Pictures and their labels (N,) from 0."""

    pictures: EncodedPictures
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Listing:
    """The pictures of a source, listed.

    Attributes:
        parts: "train", and "validation" and "test" if there are any.
        class_names: The name of each label.
        remarks: Remarks for a person on how the source is read, one line each.
        columns: The columns of a table that it was read from.
    """

    parts: Mapping[str, LabelledPictures]
    class_names: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    columns: ColumnNames = UNNAMED


def source_of(listing: Listing, size: int | None, *, skip_bad: bool) -> Source:
    """The data of a listing: arrays in memory, which are cached, or streams of a size.

    Raises:
        InputError: The same as of `decoded` and `streamed`.
    """
    if size is None:
        source = _decoded_once(listing, skip_bad=skip_bad)
    else:
        source = streamed(listing, size, skip_bad=skip_bad)
    return replace(source, remarks=(*listing.remarks, *source.remarks), columns=listing.columns)


def _decoded_once(listing: Listing, *, skip_bad: bool) -> Source:
    """The same as `decoded`, from the cache if it is there."""
    keys = {name: part.pictures.key for name, part in listing.parts.items()}
    if None in keys.values():
        return decoded(listing, skip_bad=skip_bad)
    labels = hashlib.blake2b(b"".join(part.labels.tobytes() for part in listing.parts.values()))
    named = (f"{name} {key}" for name, key in keys.items())
    key = digest_of_lines(
        [*named, labels.hexdigest(), *map(repr, listing.class_names), str(skip_bad)]
    )
    return cached(key, lambda: decoded(listing, skip_bad=skip_bad))


def decoded(listing: Listing, *, skip_bad: bool) -> Source:
    """Every picture in memory.

    Raises:
        InputError: A picture cannot be decoded (not with `skip_bad`), or their sizes differ.
    """
    splits: dict[str, Split] = {}
    skipped: list[str] = []
    said: list[str] = []
    for name, part in listing.parts.items():
        found = stack(part.pictures.name, _all(part.pictures), skip_bad=skip_bad)
        skipped += (part.pictures[row][0] for row in found.bad)
        said += found.remarks
        splits[name] = Split(found.images, np.delete(part.labels, list(found.bad)))
    return _source(listing, splits, skipped, said)


def streamed(listing: Listing, size: int, *, skip_bad: bool) -> Source:
    """Streams of pictures (C, size, size); grey only where every training picture is.

    Raises:
        InputError: A file is not a picture by its header (not with `skip_bad`).
    """
    skipped: list[str] = []
    surveys = {name: survey(part.pictures) for name, part in listing.parts.items()}
    channels = max(1, int(surveys["train"][:, 2].max(initial=0)))
    streams: dict[str, Stream] = {}
    said: list[str] = []
    for name, part in listing.parts.items():
        found = surveys[name]
        bad = np.flatnonzero(found[:, 2] == 0)
        if len(bad) and not skip_bad:
            raise _complaint(part.pictures[int(bad[0])])
        skipped += (part.pictures[int(row)][0] for row in bad)
        rows = np.flatnonzero(found[:, 2])
        pictures = Reduced(part.pictures, found, channels, shorter_side(size))
        streams[name] = Stream(pictures, rows, part.labels[rows], size, channels, skip_bad)
        said += remarks(part.pictures.name, found[rows, 4].tolist(), _brightest(part, found))
    return _source(listing, streams, skipped, said)


def _brightest(part: LabelledPictures, found: np.ndarray) -> int | None:
    """The brightest byte of the first few pictures of 16 bits, as `survey` found them."""
    rows = np.flatnonzero((found[:, 4] & Adjustment.DEEP) > 0)[:LOOKED_AT]
    some = (outcome(decoded_picture, part.pictures[int(row)]) for row in rows)
    return brightest(one for one in some if not isinstance(one, InputError))


def _source(
    listing: Listing, splits: Mapping[str, Split | Stream], skipped: list[str], said: list[str]
) -> Source:
    return Source(
        splits["train"],
        splits.get("validation"),
        splits.get("test"),
        listing.class_names,
        tuple(skipped),
        tuple(said),
    )


def _all(pictures: EncodedPictures) -> Iterator[NamedPicture]:
    return (pictures[row] for row in range(len(pictures)))


def _complaint(picture: NamedPicture) -> InputError:
    found = outcome(header, picture)
    return found if isinstance(found, InputError) else InputError(f"{picture[0]} cannot be read")
