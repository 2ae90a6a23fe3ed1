"""What the fields of `config.json` hold: the checks made when it is read."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic import ValidationError as Invalid

from naokit.base import Json
from naokit.settings import NetworkSettings

FIGURES = ("_accuracy", "_perplexity")
LONGEST_PATH = 4096
LARGEST_COUNT = 2**31 - 1
"""The largest count of anything; a network's own limits are checked where it is made."""

_STRICT = ConfigDict(strict=True, allow_inf_nan=False)


def _name(value: str) -> str:
    """A name that a file can have; with another the system's calls would fail."""
    encoded = os.fsencode(value)
    parts = encoded.split(b"/")
    if b"\0" in encoded or len(encoded) >= LONGEST_PATH or max(map(len, parts)) >= 256:
        raise ValueError(value)
    return value


Count = Annotated[int, Field(gt=0, le=LARGEST_COUNT)]
Checksum = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _File(BaseModel, **_STRICT):
    sha256: Checksum | None


class _Results(BaseModel, **_STRICT):
    """What is read again: which data, how large their pictures were shown, what the card says."""

    data: Annotated[str, AfterValidator(_name)] | None = None
    image_column: str | None = None
    label_column: str | None = None
    image_size: Count | None = None
    recipe: dict[str, Any] | None = None


class _Config(BaseModel, **_STRICT):
    """The fields of every kind; networks from before there were checksums have none."""

    space: dict[str, Any]
    architecture: str
    network: dict[str, Any]
    results: _Results
    sha256: Checksum | None = None
    files: dict[str, _File] = {}


def general_fault(config: Mapping[str, Json]) -> str | None:
    """The fault of the fields that every kind has; None where there is none."""
    if found := _fault(TypeAdapter(_Config), config):
        return found
    figures = {name: v for name, v in config["results"].items() if name.endswith(FIGURES)}
    return _fault(TypeAdapter(dict[str, float | None], config=_STRICT), figures, "results")


def network_fault(
    network: Json, settings: type[NetworkSettings], needed: Sequence[str]
) -> str | None:
    """The fault of the sizes of a network, each of which has the type of its default.

    Args:
        network: The field of the config.
        settings: The class of these sizes.
        needed: The sizes that every config names; others have been added since the first.
    """
    fields: dict[str, Any] = {
        field.name: (_like(field.default), ... if field.name in needed else field.default)
        for field in dataclasses.fields(settings)
    }
    sizes = create_model("Sizes", __config__=ConfigDict(extra="forbid", **_STRICT), **fields)
    return _fault(TypeAdapter(sizes), network, "network")


def fits(value: Json, kind: Any, length: int) -> bool:
    """Whether a value is a list of this length of plain values of a kind."""
    of = Annotated[list[kind], Field(min_length=length, max_length=length)]
    return _fault(TypeAdapter(of, config=_STRICT), value) is None


def _like(default: Any) -> Any:
    """The type of what a config may have in place of a default."""
    if isinstance(default, tuple):  # an image: channels, height, width
        return Annotated[tuple[(Count,) * len(default)], Field(strict=False)]  # type: ignore[misc]
    if isinstance(default, bool | str):
        return type(default)
    return Count if isinstance(default, int) else float


def _fault(adapter: TypeAdapter[Any], value: Json, where: str = "") -> str | None:
    """The first fault that pydantic finds in a value, in one line."""
    try:
        adapter.validate_python(value)
    except Invalid as error:
        fault = error.errors()[0]
    else:
        return None
    path, missing = fault["loc"], fault["type"] == "missing"
    if missing and len(path) == 1:
        return f"{where or 'it'} has no {path[0]}"
    if fault["type"] == "extra_forbidden":
        return f"{where} has {path[0]!r}, which this naokit does not know"
    path = path[:-1] if missing else path
    names = [name for name in path if isinstance(name, str)]  # a list is shown whole
    for name in names:
        value = value[name]
    return f"{'.'.join([where, *names]).removeprefix('.')} is {shown(value)}"


def shown(value: Json) -> str:
    """A value, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
