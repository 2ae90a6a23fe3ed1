"""The part of a data set (train, validation, test) that the name of a folder or file says.

    train_set, Training, images_train, TRAINING SET, train2017    train
    val, valid, validation, dev, eval                             validation
    test, Testing, test-images                                    test

One table for pictures, parquet files and text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple

from naokit.base import InputError

SPELLINGS: Mapping[str, Sequence[str]] = {
    "train": ("train", "training", "trainval", "trn"),
    "validation": (
        *("validation", "valid", "validate", "validating", "val"),
        *("dev", "development", "eval", "evaluation"),
    ),
    "test": ("test", "testing", "tests", "tst"),
}
"""The words for each part. `eval` is what networks are compared on; `trainval` is learnt from."""
FILLERS = r"sets?|datasets?|data|splits?|parts?|images?|imgs?|pictures?|pics?|photos?|files?|folder"
"""Words that say nothing more about a part."""
PARTS = {word: part for part, words in SPELLINGS.items() for word in words}
WORD = re.compile(rf"(?:{FILLERS})*({'|'.join(PARTS)})(?:{FILLERS})*")
FILLER = re.compile(rf"(?:{FILLERS})+")


class Told(NamedTuple):
    """The part that a name says.

    Attributes:
        part: "train", "validation" or "test"; None for none of them or several.
        word: The word that names the part.
        rest: The other words, without those that say nothing.
    """

    part: str | None
    word: str
    rest: tuple[str, ...]


def told(name: str) -> Told:
    """The part that a name in any case contains: `train` in wiki.train.tokens."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)  # TrainSet
    words = re.findall(r"[^\W\d_]+", apart.lower())
    matches = {word: match[1] for word in words if (match := WORD.fullmatch(word))}
    parts = {PARTS[found] for found in matches.values()}
    if len(parts) != 1:
        return Told(None, "", tuple(words))
    rest = (word for word in words if word not in matches and not FILLER.fullmatch(word))
    return Told(parts.pop(), next(iter(matches.values())), tuple(rest))


def folders_by_part(names: Iterable[str]) -> dict[str, list[str]]:
    """The parts among folders that lie beside each other.

    A name is one where it tells of a part and of nothing else, or where another tells of another
    part and of the same besides: `birds_train` beside `birds_test`. A class may be called `steam
    train`.
    """
    by_rest: defaultdict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for name in names:
        part, _, rest = told(name)
        if part is not None:
            by_rest[rest][name] = part
    found: defaultdict[str, list[str]] = defaultdict(list)
    for rest, parts in by_rest.items():
        for name, part in parts.items() if not rest or len({*parts.values()}) > 1 else ():
            found[part].append(name)
    return dict(found)


def files_by_part(where: str, files: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The files of each part, by their names or else by the folders that they lie in.

    Args:
        where: The name of their folder in a message.
        files: The files, relative to the folder, with `/`.

    Returns:
        The files of each part, in order, and those that tell of none.

    Raises:
        InputError: Files of one part lie in several folders, or are spelt in several ways.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    unnamed: list[str] = []
    kinds: dict[str, tuple[tuple[PurePath, str], str]] = {}
    for file in files:
        path = PurePath(file)
        names = (told(name) for name in (path.name, *reversed(path.parent.parts)))
        part, word, _ = next((one for one in names if one.part), Told(None, "", ()))
        if part is None:
            unnamed.append(file)
            continue
        found[part].append(file)
        first, other = kinds.setdefault(part, ((path.parent, word), file))
        if first != (path.parent, word):
            raise two_of(where, "files", part, other, file)
    return {part: found[part] for part in SPELLINGS if part in found}, unnamed


def two_of(where: str, what: str, part: str, one: str, other: str) -> InputError:
    """The error where two "files" or "folders" may be the same part."""
    return InputError(
        f"{where} has two {what} for the {part} part, {one} and {other}; move one away"
    )
