"""The cache folder: NAOKIT_CACHE, else `~/.cache/naokit`. Everything in it may be deleted."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from naokit.base import InputError
from naokit.files import write_whole

LAYOUT = "images-4"  # another name wherever decoding or the files in it change


def cache_folder() -> Path:
    """The folder that decoded images are kept in."""
    return Path(os.environ.get("NAOKIT_CACHE") or Path.home() / ".cache" / "naokit")


def cached_array(
    key: str | None, make: Callable[[], np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    """The array made by `make`. If `key` is given, it is cached, and reused if its shape matches.

    A broken entry is made again.
    """
    if key is None:
        return make()
    place = cache_folder() / LAYOUT / f"{key}.npy"
    try:
        found: np.ndarray = np.load(place, allow_pickle=False)
        if found.shape == shape:
            return found
    except (OSError, ValueError, EOFError):
        pass
    array = make()
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    with contextlib.suppress(InputError):  # a cache that cannot be written costs time, never a run
        write_whole(place, content.getvalue())
    return array
