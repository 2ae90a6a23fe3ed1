"""From the options of a command to what is trained on: images or text, as the space reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from naokit.base import InputError, Json, Reads, Space
from naokit.cli.output import say
from naokit.presets import EMBEDDED

if TYPE_CHECKING:
    from naokit.subjects import Subject
    from naokit.training.data import ImageData
    from naokit.training.recipe import Recipe
    from naokit.training.text.data import TextData

_KINDS: Mapping[str, Reads] = {
    "channels": "images",
    "cells": "images",
    "image_size": "images",
    "skip_bad": "images",
    "image_column": "images",
    "label_column": "images",
    "all_data": "images",
    "workers": "images",
    "processes": "images",
    "balance": "images",
    "classes": "images",
    "image": "images",
    "images": "images",
    "onnx": "images",
    "final_channels": "images",
    "final_cells": "images",
    "hidden": "text",
    "final_hidden": "text",
    "tokens": "text",
    "vocabulary": "text",
}
"""What an option is about."""


def check_options(reads: Reads, options: Mapping[str, Json]) -> None:
    """Raises InputError where an option is given that is about another kind of data."""
    for name, value in options.items():
        if value and _KINDS[name] != reads:
            raise InputError(
                f"--{name.replace('_', '-')} is for {_KINDS[name]}; the networks of this space "
                f"read {reads}: leave it out"
            )


def subject_of(reads: Reads, data: str | None, options: Mapping[str, Json]) -> Subject:
    """What is trained on.

    Args:
        reads: what the networks of the space read.
        data: of the command line; None: the embedded data.
        options: fields of the subject, those that are not given (None, False or 0) left out.

    Raises:
        InputError: an option is about another kind of data.
    """
    from naokit.subjects import ImageSubject, TextSubject

    check_options(reads, options)
    given = {name: value for name, value in options.items() if value and name != "balance"}
    kind = ImageSubject if reads == "images" else TextSubject
    return kind(data or EMBEDDED[reads], **given)


def recipe_for(
    reads: Reads,
    name: str,
    epochs: int | None = None,
    *,
    balance: bool = False,
    settings: Sequence[str] | None = None,
) -> Recipe:
    """The recipe of a name for this kind of data, with what `--set` changes."""
    from naokit.training.recipe import changed
    from naokit.training.recipes import recipe, recipe_of

    check_options(reads, {"balance": balance})
    found = recipe(name, epochs, balance=True) if balance else recipe_of(reads, name, epochs)
    return changed(found, settings or ())


def check_networks(space: Space, subject: Subject, recipe: Recipe) -> None:
    """Raises InputError where the data or the sizes are none for the networks of a space."""
    import numpy as np

    from naokit.networks import without_weights

    settings = subject.settings(recipe)
    architecture = space.sample(np.random.default_rng(0))
    try:
        with without_weights():
            space.build(architecture, settings)
    except InputError:
        raise
    except Exception:  # noqa: BLE001  a user's own network; its evaluations will tell
        return


def say_what_was_read(data: ImageData | TextData) -> None:
    """Says on stderr how data were read: parts, columns, and what is held out of a text."""
    for remark in data.remarks:
        say(remark, err=True)
    if isinstance(data.held_out, int):
        lines = data.held_out
        say(
            f"{data.name} has no validation part: the last {lines:,} lines of its training "
            "part are held out",
            err=True,
        )
