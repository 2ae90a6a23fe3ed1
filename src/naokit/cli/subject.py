"""From the options of a command to what is trained on, of the kind that the space reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from naokit.base import InputError, Json
from naokit.cli.options import Pictures
from naokit.cli.output import say
from naokit.kind import Kind
from naokit.kinds import KINDS, kind_of, recipe_of

if TYPE_CHECKING:
    from naokit.subject import Subject
    from naokit.training.parts import Data
    from naokit.training.recipe import Recipe


def check_options(reads: str, options: Mapping[str, Json]) -> None:
    """Raises InputError where an option is given that is about another kind of data."""
    for name, value in options.items():
        other = next((kind.reads for kind in KINDS.values() if name in _options(kind)), reads)
        if value and other != reads:
            raise InputError(
                f"--{name.replace('_', '-')} is for {other}; the networks of this space "
                f"read {reads}: leave it out"
            )


def _options(kind: Kind) -> tuple[str, ...]:
    """The options that are about one kind of data."""
    return (*kind.sizes, *kind.data_sizes, *kind.options)


def subject_of(reads: str, data: str | None, options: Mapping[str, Json]) -> Subject:
    """What is trained on.

    Args:
        reads: What the networks of the space read.
        data: --data of the command line; None: the embedded data.
        options: The fields of the subject; those that are not given are None, False or 0.

    Raises:
        InputError: An option is about another kind of data, or the data are.
    """
    check_options(reads, options)
    check_embedded(reads, data)
    kind = kind_of(reads)
    given = {name: value for name, value in options.items() if value and name != "balance"}
    return kind.subject(data or kind.embedded, **given)


def check_embedded(reads: str, data: str | None) -> None:
    """Raises InputError where data are embedded ones that networks of another kind read."""
    own = kind_of(reads).embedded
    for other in KINDS.values():
        if data == other.embedded != own:
            raise InputError(
                f"{data} holds {other.reads}; the network reads {reads}: give other data, or {own}"
            )


def recipe_for(
    reads: str,
    name: str,
    epochs: int | None = None,
    *,
    balance: bool = False,
    settings: Sequence[str] | None = None,
) -> Recipe:
    """The recipe of a name for this kind of data, with what `--set` changes."""
    from naokit.training.recipe import changed

    check_options(reads, {"balance": balance})
    found = recipe_of(reads, name, epochs)
    return changed(found, [*(["balance=true"] if balance else []), *(settings or ())])


def as_recorded(pictures: Pictures, recorded: Mapping[str, Json], data: str | None) -> Pictures:
    """How pictures are read: as they are asked to be, else as the run read them.

    The columns of the run's data are not those of other data.
    """
    columns = {} if data else recorded
    return Pictures(
        pictures.image_size or recorded.get("image_size"),
        pictures.skip_bad or recorded.get("skip_bad", False),
        pictures.image_column or columns.get("image_column"),
        pictures.label_column or columns.get("label_column"),
    )


def say_what_was_read(data: Data) -> None:
    """Says on stderr how data were read: parts, columns, and what is held out of a text."""
    for remark in data.remarks:
        say(remark, err=True)
