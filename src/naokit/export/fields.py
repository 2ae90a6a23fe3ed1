"""What the fields of `config.json` hold: checked when it is read, so that no one else need ask."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from naokit.base import ImageSettings, Json, LanguageSettings, NetworkSettings

SETTINGS: Mapping[str, type[NetworkSettings]] = {
    "image": ImageSettings,
    "language": LanguageSettings,
}
NEEDED_SIZES = {
    "image": ("classes", "channels", "cells", "image"),
    "language": ("vocabulary", "hidden"),
}
"""Of the network; others have been added since the first one was saved."""
FIGURES = ("_accuracy", "_perplexity")
LONGEST_PATH = 4096
LARGEST_COUNT = 2**31 - 1
"""Of anything; what a network can be made of is narrower, and checked where it is made."""


def faults(config: Mapping[str, Json], kind: str) -> Iterator[str]:
    """What is wrong with a config that has every field; nothing where it is sound."""
    for name, wanted in (("space", dict), ("architecture", str), ("results", dict)):
        if not isinstance(config[name], wanted):
            yield f"{name} is {_shown(config[name])}"
    yield from _network_faults(config["network"], kind)
    yield from _checksum_faults(config)
    if isinstance(config["results"], dict):
        yield from _results_faults(config["results"])
    if kind == "image":
        yield from _image_faults(config)


def _network_faults(network: Json, kind: str) -> Iterator[str]:
    """Each field is of the type of its default."""
    if not isinstance(network, dict):
        yield f"network is {_shown(network)}"
        return
    defaults = {field.name: field.default for field in dataclasses.fields(SETTINGS[kind])}
    yield from (f"network has no {name}" for name in NEEDED_SIZES[kind] if name not in network)
    for name, value in network.items():
        if name not in defaults:
            yield f"network has {name!r}, which this naokit does not know"
        elif not _is_like(value, defaults[name]):
            yield f"network.{name} is {_shown(value)}"


def _is_like(value: Json, default: Any) -> bool:
    if isinstance(default, tuple):  # an image: channels, height, width
        return _is_list(value, len(default)) and all(_is_count(size) for size in value)
    if isinstance(default, bool | str):
        return type(value) is type(default)
    return _is_count(value) if isinstance(default, int) else _is_number(value)


def _image_faults(config: Mapping[str, Json]) -> Iterator[str]:
    """As many names as outputs, as many means and deviations as channels."""
    network = config["network"]
    if next(_network_faults(network, "image"), None):
        return
    names, mean, std = config["class_names"], config["mean"], config["std"]
    classes, channels = network["classes"], network["image"][0]
    if not _is_list(names, classes) or not all(isinstance(name, str) for name in names):
        yield f"class_names is {_shown(names)}, not {classes} names"
    for name, values in (("mean", mean), ("std", std)):
        if not _is_list(values, channels) or not all(_is_number(value) for value in values):
            yield f"{name} is {_shown(values)}, not one number for each of {channels} channels"
        elif name == "std" and not all(value > 0 for value in values):
            yield f"std is {_shown(values)}, not above 0"


def _checksum_faults(config: Mapping[str, Json]) -> Iterator[str]:
    """Networks from before there were checksums have none."""
    if not _is_checksum(config.get("sha256")):
        yield f"sha256 is {_shown(config['sha256'])}"
    files = config.get("files", {})
    if not isinstance(files, dict):
        yield f"files is {_shown(files)}"
        return
    for name, entry in files.items():
        if not isinstance(entry, dict) or not _is_checksum(entry.get("sha256", "")):
            yield f"files.{name} is {_shown(entry)}"


def _results_faults(results: Mapping[str, Json]) -> Iterator[str]:
    """What is read again: which data, how large its pictures were shown, what the card says."""
    for name in ("data", "image_column", "label_column"):
        value = results.get(name)
        if value is not None and not (
            _is_name(value) if name == "data" else isinstance(value, str)
        ):
            yield f"results.{name} is {_shown(value)}"
    size, recipe = results.get("image_size"), results.get("recipe")
    if size is not None and not _is_count(size):
        yield f"results.image_size is {_shown(size)}"
    if recipe is not None and not isinstance(recipe, dict):
        yield f"results.recipe is {_shown(recipe)}"
    for name, value in results.items():
        if name.endswith(FIGURES) and value is not None and not _is_number(value):
            yield f"results.{name} is {_shown(value)}"


def _is_name(value: Json) -> bool:
    """Whether a file of this name is possible: else the system's calls would fail with it."""
    try:
        encoded = os.fsencode(value) if isinstance(value, str) else b"\0"
    except UnicodeEncodeError:
        return False
    parts = encoded.split(b"/")
    return b"\0" not in encoded and len(encoded) < LONGEST_PATH and max(map(len, parts)) < 256


def _is_list(value: Json, length: int) -> bool:
    return isinstance(value, list) and len(value) == length


def _is_count(value: Json) -> bool:
    return type(value) is int and 0 < value <= LARGEST_COUNT  # true is an int to Python


def _is_number(value: Json) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_checksum(value: Json) -> bool:
    return value is None or (isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{64}", value)))


def _shown(value: Json) -> str:
    """A value, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
