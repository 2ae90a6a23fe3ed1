"""What the fields of `config.json` hold: checked when it is read, so that no one else need ask."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from naokit.base import Json
from naokit.settings import NetworkSettings

FIGURES = ("_accuracy", "_perplexity")
LONGEST_PATH = 4096
LARGEST_COUNT = 2**31 - 1
"""Of anything; what a network can be made of is narrower, and checked where it is made."""


def general_faults(config: Mapping[str, Json]) -> Iterator[str]:
    """What is wrong with the fields that every kind has; nothing where they are sound."""
    for name, wanted in (("space", dict), ("architecture", str), ("results", dict)):
        if not isinstance(config[name], wanted):
            yield f"{name} is {shown(config[name])}"
    yield from _checksum_faults(config)
    if isinstance(config["results"], dict):
        yield from _results_faults(config["results"])


def network_faults(
    network: Json, settings: type[NetworkSettings], needed: Sequence[str]
) -> Iterator[str]:
    """What is wrong with the sizes of a network: each is of the type of its default.

    Args:
        network: The field of the config.
        settings: The class of these sizes.
        needed: The sizes that every config names; others have been added since the first.
    """
    if not isinstance(network, dict):
        yield f"network is {shown(network)}"
        return
    defaults = {field.name: field.default for field in dataclasses.fields(settings)}
    yield from (f"network has no {name}" for name in needed if name not in network)
    for name, value in network.items():
        if name not in defaults:
            yield f"network has {name!r}, which this naokit does not know"
        elif not _is_like(value, defaults[name]):
            yield f"network.{name} is {shown(value)}"


def _is_like(value: Json, default: Any) -> bool:
    if isinstance(default, tuple):  # an image: channels, height, width
        return is_list(value, len(default)) and all(is_count(size) for size in value)
    if isinstance(default, bool | str):
        return type(value) is type(default)
    return is_count(value) if isinstance(default, int) else is_number(value)


def _checksum_faults(config: Mapping[str, Json]) -> Iterator[str]:
    """Networks from before there were checksums have none."""
    if not _is_checksum(config.get("sha256")):
        yield f"sha256 is {shown(config['sha256'])}"
    files = config.get("files", {})
    if not isinstance(files, dict):
        yield f"files is {shown(files)}"
        return
    for name, entry in files.items():
        if not isinstance(entry, dict) or not _is_checksum(entry.get("sha256", "")):
            yield f"files.{name} is {shown(entry)}"


def _results_faults(results: Mapping[str, Json]) -> Iterator[str]:
    """What is read again: which data, how large its pictures were shown, what the card says."""
    for name in ("data", "image_column", "label_column"):
        value = results.get(name)
        if value is not None and not (
            _is_name(value) if name == "data" else isinstance(value, str)
        ):
            yield f"results.{name} is {shown(value)}"
    size, recipe = results.get("image_size"), results.get("recipe")
    if size is not None and not is_count(size):
        yield f"results.image_size is {shown(size)}"
    if recipe is not None and not isinstance(recipe, dict):
        yield f"results.recipe is {shown(recipe)}"
    for name, value in results.items():
        if name.endswith(FIGURES) and value is not None and not is_number(value):
            yield f"results.{name} is {shown(value)}"


def _is_name(value: Json) -> bool:
    """Whether a file of this name is possible: else the system's calls would fail with it."""
    try:
        encoded = os.fsencode(value) if isinstance(value, str) else b"\0"
    except UnicodeEncodeError:
        return False
    parts = encoded.split(b"/")
    return b"\0" not in encoded and len(encoded) < LONGEST_PATH and max(map(len, parts)) < 256


def is_list(value: Json, length: int) -> bool:
    """Whether a value is a list of this length."""
    return isinstance(value, list) and len(value) == length


def is_count(value: Json) -> bool:
    """Whether a value is a whole number above 0 that something can have."""
    return type(value) is int and 0 < value <= LARGEST_COUNT  # true is an int to Python


def is_number(value: Json) -> bool:
    """Whether a value is a finite number."""
    return type(value) in (int, float) and math.isfinite(value)


def _is_checksum(value: Json) -> bool:
    return value is None or (isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{64}", value)))


def shown(value: Json) -> str:
    """A value, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
