"""The kinds of data: the one table of them, and what is done with a network of any kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import InputError, Json, unknown_name
from naokit.files import check_fits
from naokit.images.kind import IMAGES
from naokit.kind import Kind
from naokit.settings import NetworkSettings
from naokit.space import Architecture, Space, check_architecture
from naokit.spaces import published
from naokit.text.kind import TEXT

if TYPE_CHECKING:
    from torch import nn

    from naokit.export.bundle import Bundle
    from naokit.subject import Subject
    from naokit.training.recipe import Recipe

KINDS: Mapping[str, Kind] = {kind.reads: kind for kind in (IMAGES, TEXT)}
"""By what networks read. Others come from packages, by the entry-point group `naokit.kinds`."""


def kind_of(reads: str) -> Kind:
    """The kind of data that networks read; raises InputError where nobody knows it."""
    found = next((kind for kind in _kinds() if kind.reads == reads), None)
    if found is None:
        raise unknown_name("kind of data", reads, KINDS)
    return found


def _kinds() -> Iterator[Kind]:
    """The kinds of the table, then those of other packages, which are loaded if asked for."""
    yield from KINDS.values()
    for point in entry_points(group="naokit.kinds"):
        yield point.load()


def recipe_of(reads: str, name: str, epochs: int | None = None) -> Recipe:
    """The recipe of a name for networks that read this.

    Args:
        reads: What the networks read.
        name: The recipe's name.
        epochs: The number of epochs in place of the recipe's.

    Raises:
        InputError: There is no such recipe (with the nearest names), or it is for another kind.
    """
    recipes = kind_of(reads).recipes
    if name in recipes:
        found = recipes[name]
        return dataclasses.replace(found, epochs=epochs or found.epochs)
    if any(name in other.recipes for other in KINDS.values()):
        raise InputError(f"the recipe {name} is not for {reads}; there are {', '.join(recipes)}")
    raise unknown_name("recipe", name, recipes)


def source_settings(subject: Subject) -> dict[str, Json]:
    """The setting `source` of a subject; no setting where its data were given in memory."""
    origin = subject.origin()
    return {"source": {"reads": subject.reads, **origin}} if origin else {}


def from_settings(settings: Mapping[str, Json]) -> tuple[Subject, Recipe]:
    """The subject and the recipe that an evaluator's settings describe, its data read again.

    Args:
        settings: An evaluator's settings: the source (see `source_settings`), sizes and recipe.

    Raises:
        InputError: The kind of data is not known, or the recipe is not one of this version.
    """
    source = dict(settings["source"])
    kind = kind_of(source.pop("reads"))
    sizes = {name: settings[name] for name in kind.sizes}
    subject = kind.subject(source.pop("source"), **source, **sizes)
    return subject, kind.recipe_type.from_json(settings["recipe"])


def load(
    folder: Path | str, space: Space | None = None, kind: type[Bundle] | None = None
) -> nn.Module:
    """The trained network of a folder, in eval mode; see `load_bundle`."""
    return load_bundle(folder, space, kind).network


def load_bundle(
    folder: Path | str, space: Space | None = None, kind: type[Bundle] | None = None
) -> Bundle:
    """What `naokit.export.save` wrote.

    Args:
        folder: The folder of the network's files.
        space: The space, where it is a user's own that was made in Python.
        kind: The class of the network's bundle, where its kind is a user's own.

    Raises:
        InputError: A file is missing, damaged, of another network (the first difference) or of
            another version, or the space is missing.
    """
    from naokit.export.bundle import read

    folder = Path(folder)
    return read(kind or bundle_at(folder), folder, space)


def bundle_at(folder: Path) -> type[Bundle]:
    """The class of the network in a folder; raises InputError where there is none, or no such."""
    return _kind_at(folder).bundle


def _kind_at(folder: Path) -> Kind:
    """The kind of the network in a folder; raises InputError as `bundle_at` does."""
    from naokit.export import config

    stored = config.kind_of(config.read_any(folder))
    found = next((kind for kind in _kinds() if kind.stored == stored), None)
    if found is None:
        known = ", ".join(kind.stored for kind in KINDS.values())
        raise InputError(
            f"{folder / config.CONFIG} is of the kind {stored!r}, this naokit reads {known}: use "
            "the naokit that made it"
        )
    return found


def config_at(folder: Path) -> dict[str, Json]:
    """The config of a folder's network, checked as its kind asks; raises InputError."""
    from naokit.export.bundle import read_config

    return read_config(bundle_at(folder), folder)


def reads_at(path: Path | str) -> str:
    """What the network of a run, a folder or an exported file reads; raises InputError for none."""
    from naokit.export.config import CONFIG, network_folder

    path = Path(path)
    beside = path.is_file() and (path.parent / CONFIG).exists()
    if not path.is_dir() and not beside:
        return IMAGES.reads  # what else a file may be is said where it is opened
    return _kind_at(path.parent if beside else network_folder(path)).reads


def check_reads(path: Path | str, wanted: str) -> None:
    """Raises InputError where the network of a run, a folder or a file reads something else."""
    found, expected = (kind_of(reads).bundle for reads in (reads_at(path), wanted))
    if found is not expected:
        raise InputError(f"{path} holds {found.noun}, not {expected.noun}; {found.use}")


def build(
    architecture: Architecture | str,
    *,
    classes: int | None = None,
    channels: int | None = None,
    cells: int | None = None,
    image: tuple[int, int, int] | None = None,
    auxiliary: bool | None = None,
    vocabulary: int | None = None,
    hidden: int | None = None,
) -> nn.Module:
    """A plain `torch.nn.Module` with random weights.

    An image classifier takes the first five sizes, a language model the last two; what is left out
    is as in `ImageSettings` or `LanguageSettings`. Networks of another kind are built by
    `space.build(architecture, settings)`.

    Args:
        architecture: An architecture of a space that has networks, or the name of a published one
            (`naokit zoo`).
        classes: The size of the output.
        channels: The paper's F.
        cells: The paper's N; 3N + 2 cells in all.
        image: The shape (C, H, W) of one image; from 96 pixels a side the network begins as the
            published one for ImageNet, with three convolutions of stride 2.
        auxiliary: Whether there is a second head, whose logits come second in training mode.
        vocabulary: How many tokens there are.
        hidden: The size of embedding, state and output.

    Raises:
        InputError: No such network can be built (what is wrong), or its weights fit no memory.
    """
    sizes = {
        "classes": classes,
        "channels": channels,
        "cells": cells,
        "image": image,
        "auxiliary": auxiliary,
        "vocabulary": vocabulary,
        "hidden": hidden,
    }
    if isinstance(architecture, str):
        architecture = published.genotype(architecture).architecture
    check_architecture(architecture)
    space = architecture.space
    kind = kind_of(space.reads)
    given = {name: value for name, value in sizes.items() if value is not None}
    kind.check_own(given, space.name)
    settings = kind.settings(given)
    check_memory(architecture, settings)
    return space.build(architecture, settings)


def check_memory(architecture: Architecture, settings: NetworkSettings) -> None:
    """Raises InputError where the weights alone are more than the memory that is free."""
    from naokit.networks import count_parameters, without_weights

    try:
        with without_weights():
            needed = 4 * count_parameters(architecture.space.build(architecture, settings))
    except InputError:
        raise
    except Exception:  # noqa: BLE001  a user's own network that is not made without weights
        return
    check_fits("this network", needed, "name smaller sizes")
