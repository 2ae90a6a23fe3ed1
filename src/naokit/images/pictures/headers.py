"""What the headers of pictures say: sizes, channels, and which files are not pictures.

Shapes: N pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from naokit.base import InputError
from naokit.images.pictures.cache import cached_array
from naokit.images.pictures.decoding import NamedPicture, header, in_threads, outcome
from naokit.images.pictures.encoded import EncodedPictures

CHUNK = 1024  # encoded pictures in memory at once


def survey(pictures: EncodedPictures) -> np.ndarray:
    """Height, width, channels (0: it cannot be read), encoded bytes, kind of each, (N, 5)."""

    def made() -> np.ndarray:
        rows = [row for start in range(0, len(pictures), CHUNK) for row in _some(pictures, start)]
        return np.array(rows, dtype=np.int64).reshape(-1, 5)

    found = cached_array(pictures.key and f"{pictures.key}-survey", made, (len(pictures), 5))
    for row in np.flatnonzero(found[:, 2] == 0):  # a disk may have been away the last time
        found[row] = _measured(pictures[int(row)])
    return found


def _some(pictures: EncodedPictures, start: int) -> Iterator[tuple[int, int, int, int, int]]:
    rows = range(start, min(start + CHUNK, len(pictures)))
    yield from in_threads(_measured, (pictures[row] for row in rows))


def _measured(picture: NamedPicture) -> tuple[int, int, int, int, int]:
    found = outcome(header, picture)
    if isinstance(found, InputError):
        return 0, 0, 0, 0, 0
    _, source = picture
    size = len(source) if isinstance(source, bytes) else os.path.getsize(source or "")  # noqa: PTH202
    *shape, kind = found
    height, width, channels = shape
    return height, width, channels, size, kind
