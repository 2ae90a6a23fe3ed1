"""Decoded pictures, their shorter side brought down to a size, kept in one memory-mapped file.

    NAME.pixels    height x width x channels bytes of each picture, one after the other
    NAME.checks    a checksum (uint32) of each picture; 0 means not there yet

Whoever decodes a picture first writes it to its place, then its checksum. Every process writes the
same bytes there, and what does not agree with its checksum is decoded again: so a killed run, two
runs at once or a lost disk block cost time, never a wrong picture.

A picture is the same whether it was decoded or found here, so a training repeats bit for bit.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from naokit.images.pictures.cache import LAYOUT, cache_folder
from naokit.images.pictures.decoding import reduced
from naokit.images.pictures.encoded import EncodedPictures, digest_of_lines

SHARE = 0.1  # of the free disk space, at most


class Reduced:
    """Pictures (H, W, C) by row.

    Args:
        pictures: The pictures to decode.
        survey: What their headers say (N, 5), as given by `survey`.
        channels: C of all of them.
        shorter: The length that the shorter side is brought to where it is longer.
    """

    def __init__(
        self, pictures: EncodedPictures, survey: np.ndarray, channels: int, shorter: int
    ) -> None:
        self.pictures, self.survey = pictures, survey
        self.shapes = _shapes(survey, channels, shorter)
        self.store = _store(pictures.key, self.shapes)

    def __getitem__(self, row: int) -> np.ndarray:
        kept = self.store.read(row) if self.store else None
        if kept is not None:
            return kept
        height, width, channels = self.shapes[row].tolist()
        pixels = reduced(self.pictures[row], (height, width, channels))
        if self.store:
            self.store.write(row, pixels)
        return pixels


@dataclass(frozen=True, eq=False)
class Store:
    """Reduced pictures on disk.

    Attributes:
        place: The path of the two files, without their endings.
        shapes: The shape (H, W, C) of each picture, (N, 3).
        offsets: The offset at which each begins, and at which the last ends, (N + 1,).
    """

    place: Path
    shapes: np.ndarray
    offsets: np.ndarray

    def read(self, row: int) -> np.ndarray | None:
        """The picture (H, W, C); None where it is not there."""
        try:
            pixels, checks = _mapped(self.place)
            if checks[row] == 0:
                return None
            content = pixels[self.offsets[row] : self.offsets[row + 1]]
            if checks[row] != _checksum(content):
                return None
        except (OSError, ValueError, IndexError):  # somebody cleared the cache
            return None
        return np.asarray(content).reshape(self.shapes[row])

    def write(self, row: int, pixels: np.ndarray) -> None:
        """Puts a picture in its place; where that fails (a full disk) it is decoded again later."""
        content = np.ascontiguousarray(pixels)
        check = np.array(_checksum(content), dtype=np.uint32)
        try:
            # By writing, not through the map: there a full disk would kill the process.
            _put(self.place.with_suffix(".pixels"), content, int(self.offsets[row]))
            _put(self.place.with_suffix(".checks"), check, row * check.itemsize)
        except OSError:
            pass


def _shapes(survey: np.ndarray, channels: int, shorter: int) -> np.ndarray:
    """(H, W, C) of each reduced picture, (N, 3); 0 where there is none."""
    sides = survey[:, :2].astype(float)  # (N, 2)
    least = np.maximum(sides.min(axis=1, keepdims=True), 1)
    reduced_sides = np.maximum(np.rint(sides * np.minimum(1, shorter / least)), sides > 0)
    depth = np.where(survey[:, 2:3] > 0, channels, 0)
    return np.concatenate([reduced_sides.astype(np.int64), depth], axis=1)


def _store(key: str | None, shapes: np.ndarray) -> Store | None:
    """A store for these pictures; None where it would not fit, or cannot be made."""
    offsets = np.concatenate([[0], np.cumsum(np.prod(shapes, axis=1, dtype=np.int64))])
    if key is None or not offsets[-1]:
        return None
    import PIL

    name = digest_of_lines([key, PIL.__version__, hashlib.blake2b(shapes.tobytes()).hexdigest()])
    place = cache_folder() / LAYOUT / f"{name}-reduced"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        path = place.with_suffix(".pixels")
        # What of a file with holes is there; Windows does not say.
        there = getattr(path.stat(), "st_blocks", 0) * 512 if path.exists() else 0
        if offsets[-1] > SHARE * (shutil.disk_usage(place.parent).free + there):
            return None
        _make(path, int(offsets[-1]))
        _make(place.with_suffix(".checks"), 4 * len(shapes))
    except OSError:
        return None
    return Store(place, shapes, offsets)


def _make(path: Path, size: int) -> None:
    """A file of this size, mostly holes at first; what is there already stays."""
    path.touch()
    if path.stat().st_size != size:
        os.truncate(path, size)


def _put(path: Path, content: np.ndarray, offset: int) -> None:
    with path.open("r+b", buffering=0) as file:
        file.seek(offset)
        view = memoryview(content.tobytes())
        while view:
            view = view[file.write(view) :]


@lru_cache(maxsize=16)
def _mapped(place: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and checksums; opened by each process for itself, even where they were sent to it."""
    pixels = np.memmap(place.with_suffix(".pixels"), dtype=np.uint8, mode="r")
    return pixels, np.memmap(place.with_suffix(".checks"), dtype=np.uint32, mode="r")


def _checksum(content: np.ndarray) -> int:
    return zlib.crc32(memoryview(content)) or 1  # type: ignore[arg-type]
