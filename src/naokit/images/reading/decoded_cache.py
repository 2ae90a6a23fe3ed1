"""The cache of whole data sets of decoded images, memory-mapped."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from naokit.images.data import Source, Split
from naokit.images.pictures.cache import LAYOUT, cache_folder

ABOUT = ("class_names", "skipped", "remarks")


def cached(key: str, make: Callable[[], Source]) -> Source:
    """The result of `make`, kept as arrays in the cache; a broken entry is made again."""
    place = cache_folder() / LAYOUT / key
    found = _read_cache(place)
    if found is not None:
        return found
    source = make()
    _write_cache(place, source)
    return source


def _read_cache(place: Path) -> Source | None:
    try:
        about = json.loads((place / "about.json").read_text(encoding="utf-8"))
        parts = {}
        for part in ("train", "validation", "test"):
            if (place / f"{part}-labels.npy").exists():
                images = np.load(place / f"{part}-images.npy", mmap_mode="r")
                parts[part] = Split(images, np.load(place / f"{part}-labels.npy"))
        names, skipped, remarks = (tuple(map(str, about[name])) for name in ABOUT)
        validation, test = parts.get("validation"), parts.get("test")
        return Source(parts["train"], validation, test, names, skipped, remarks)
    except (OSError, ValueError, KeyError, EOFError, TypeError):
        return None


def _write_cache(place: Path, source: Source) -> None:
    """Written beside its place, then moved there, so that no half of it is ever read.

    A cache that cannot be written (a full disk, no permission) costs time, never the run.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=place.parent))
    except OSError:
        return
    try:
        for part in ("train", "validation", "test"):
            split = getattr(source, part)
            if isinstance(split, Split):
                np.save(made / f"{part}-images.npy", split.images)
                np.save(made / f"{part}-labels.npy", split.labels)
        about = {name: getattr(source, name) for name in ABOUT}
        # JSON: a name may hold characters that a line may not.
        (made / "about.json").write_text(json.dumps(about), encoding="utf-8")
        if place.exists():  # a broken entry goes in one step: no reader sees half of it
            broken = made / "broken"
            place.replace(broken)
            shutil.rmtree(broken, ignore_errors=True)
        made.replace(place)
    except OSError:  # among them: another process was faster
        shutil.rmtree(made, ignore_errors=True)
