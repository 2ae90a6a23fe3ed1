"""Text to learn from: three streams of tokens and their vocabulary.

    load_text("pydoc")                 the prose of Python's documentation, on every machine
    load_text("ptb/")                  a folder: train.txt, valid.txt, test.txt
    load_text("corpus.txt")            one file
    load_text("owner/name")            a data set on the Hugging Face hub

Text is never shuffled. Shapes: N tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from naokit.base import InputError, unexpected
from naokit.text import tokenizer
from naokit.text.sources import TextSource, read_source
from naokit.text.vocabulary import LISTED, Vocabulary
from naokit.training.parts import VALIDATION


@dataclass(frozen=True, eq=False)
class TextData:
    """A text in three parts; `test` is never looked at by a search.

    Attributes:
        name: The name of the source.
        train: The tokens that networks learn from (N,), int64.
        validation: The tokens that networks are compared on (N,).
        test: The tokens that the last network is reported on (N,); empty where the source has none.
        vocabulary: The tokens that the numbers stand for.
        unknown: The number of tokens of each part that became `<unk>` because they are not in the
            vocabulary.
        held_out: The number of the source's training lines, the last ones, that became the
            validation part; None where the source has one.
        remarks: Remarks for a person on how the source was read, one line each.
    """

    name: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    vocabulary: Vocabulary
    unknown: Mapping[str, int]
    held_out: int | None = None
    remarks: tuple[str, ...] = ()

    @property
    def tokens(self) -> str:
        """What a token is: "word", "char", or what a "tokenizer" makes."""
        return self.vocabulary.kind

    @cached_property
    def fingerprint(self) -> str:
        """A name for the content: every token, and the size of the vocabulary."""
        state = hashlib.blake2b(str(len(self.vocabulary)).encode(), digest_size=8)
        for part in (self.train, self.validation, self.test):
            state.update(str(len(part)).encode())
            state.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        return state.hexdigest()


def load_text(
    source: str | Path | TextData,
    tokens: str | Path = "word",
    *,
    vocabulary: Vocabulary | None = None,
) -> TextData:
    """The text of a name or path as tokens; its last lines are held out if need be.

    Args:
        source: "pydoc", a folder, a text file, or a data set on the hub (`owner/name`, or
            `owner/name:configuration`). What is loaded already is checked and given back.
        tokens: "word", "char", or a tokenizer: the path of a `tokenizer.json` or a name on the
            hub. Only with a vocabulary, "tokenizer" stands for its own.
        vocabulary: The vocabulary of a trained network, so that its numbers mean the same. If None,
            that of the training part.

    Raises:
        InputError: The text cannot be read, is not UTF-8, is empty, has one line or one token only,
            a part of it is shorter than two tokens, or the vocabulary is of another kind.
    """
    if isinstance(source, TextData):
        return _checked(source, vocabulary)
    given: object = source
    if not isinstance(given, str | Path):
        raise unexpected("data", given, "a name or a path, or a naokit.text.data.TextData")
    found = read_source(source)
    name = str(source)
    _check_lines(name, found.train)
    found, held_out = _with_validation(found)
    vocabulary = _vocabulary(found, str(tokens), vocabulary)
    train = vocabulary.look_up(found.train)
    validation = vocabulary.look_up(found.validation or "")
    test = vocabulary.look_up(found.test or "")
    unknown = {
        "train": train.unknown,
        "validation": validation.unknown,
        "test": test.unknown,
    }
    data = TextData(
        name,
        train.ids,
        validation.ids,
        test.ids,
        vocabulary,
        unknown,
        held_out,
        (*found.remarks, *_held_out_in_words(name, held_out)),
    )
    _check(data, has_test=found.test is not None)
    return data


def _held_out_in_words(name: str, lines: int | None) -> list[str]:
    """Remarks on the lines that were held out."""
    if lines is None:
        return []
    return [
        f"{name} has no validation part: the last {lines:,} lines of its training part are held out"
    ]


def _checked(data: TextData, vocabulary: Vocabulary | None) -> TextData:
    """Data that are loaded already, checked against the vocabulary of a network."""
    for part in (data.train, data.validation, data.test):
        if part.dtype != np.int64 or part.ndim != 1:
            raise InputError(f"{data.name}: tokens must be int64 of shape (N,)")
        if len(part) and not 0 <= part.min() <= part.max() < len(data.vocabulary):
            raise InputError(
                f"{data.name}: tokens run from {part.min()} to {part.max()}, but the vocabulary "
                f"has {len(data.vocabulary)} (0 to {len(data.vocabulary) - 1})"
            )
    if vocabulary not in (None, data.vocabulary):
        raise InputError(f"{data.name} is loaded with another vocabulary; load it with this one")
    _check(data, has_test=len(data.test) > 0)
    return data


def _check_lines(name: str, train: str) -> None:
    lines = [line for line in train.split("\n") if line.strip()]
    if not lines:
        raise InputError(f"{name} holds no text to learn from")
    if len(lines) < 2:
        raise InputError(
            f"{name} has one line of text to learn from; it needs two or more: break it into lines"
        )


def _with_validation(source: TextSource) -> tuple[TextSource, int | None]:
    """The source with a validation part, and how many lines were held out for it."""
    if source.validation is not None:
        return source, None
    lines = source.train.removesuffix("\n").split("\n")
    held_out = max(1, round(VALIDATION * len(lines)))
    train, validation = ("\n".join(part) + "\n" for part in (lines[:-held_out], lines[-held_out:]))
    return replace(source, train=train, validation=validation), held_out


def _vocabulary(source: TextSource, tokens: str, given: Vocabulary | None) -> Vocabulary:
    """The vocabulary given, if it is of the kind wished for; else that of the training part."""
    if given is None:
        if tokens in LISTED:
            return Vocabulary.fit(source.train, tokens, source.least if tokens == "word" else 1)
        return Vocabulary.of_tokenizer(tokenizer.load(tokens))
    kind = tokens if tokens in LISTED else "tokenizer"
    if given.kind != kind:
        raise InputError(
            f"the text is wished for in tokens of kind {kind}, but the vocabulary given is of kind "
            f"{given.kind}; ask for tokens {given.kind!r}"
        )
    if tokens != kind and Vocabulary.of_tokenizer(tokenizer.load(tokens)) != given:
        raise InputError(f"{tokens} is another tokenizer than that of the vocabulary given")
    return given


def _check(data: TextData, *, has_test: bool) -> None:
    if data.train.size == 0 or (data.train == data.train[0]).all():
        raise InputError(
            f"{data.name}: the text to learn from is of one token only; there is nothing to predict"
        )
    parts = {"validation": data.validation} | ({"test": data.test} if has_test else {})
    for part, ids in parts.items():
        if len(ids) < 2:
            raise InputError(
                f"{data.name}: its {part} part is too short (tokens: {len(ids)}); it needs two or "
                "more, as each is predicted from those before it"
            )
