"""Vocabularies: from text to numbers and back.

    word         the company said    ->  the | company | said | <eos>
    char         the co              ->  t | h | e |   | c | o
    tokenizer    what a `tokenizer.json` of Hugging Face's `tokenizers` makes of it

Shapes: N tokens.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from naokit.base import InputError, Json
from naokit.text import tokenizer

END, UNKNOWN = "<eos>", "<unk>"
LISTED = ("word", "char")
FILE = "vocabulary.json"
"""What the file of a network's vocabulary is called."""


class TokenIds(NamedTuple):
    """Tokens of a text.

    Attributes:
        ids: The ids (N,), int64.
        unknown: The number of them that became `<unk>` because they are not in the vocabulary. A
            literal `<unk>` in a text of words is known.
    """

    ids: np.ndarray
    unknown: int


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that a text may be made of; a token's number is its place among them.

    Attributes:
        kind: "word", "char" or "tokenizer".
        tokens: Each token once. Of words and characters `<unk>` is one of them; of words `<eos>`,
            the end of a line, is one too. "" stands for a gap in the numbers of a tokenizer.
        definition: The `tokenizer.json` of a tokenizer.

    Raises:
        InputError: A token comes twice, is missing, or there are fewer than two.
    """

    kind: str
    tokens: tuple[str, ...] = field(repr=False)
    definition: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.tokens) < 2:
            raise InputError(
                f"a vocabulary needs two tokens or more, not {len(self.tokens)}: else there is "
                "nothing to predict"
            )
        if self.definition is None:
            _check_listed(self.kind, self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    def fit(cls, text: str, kind: str = "word", least: int = 1) -> Vocabulary:
        """The vocabulary of a text, its tokens in the order of their first occurrence.

        `<eos>` and `<unk>` stand where the text first has them, and at the end if it does not.

        Args:
            text: The text that a network learns from.
            kind: "word" or "char".
            least: The count that a token needs; rarer tokens are left out, and so become `<unk>`.
        """
        counts = Counter(_pieces(text, kind))
        special = (END, UNKNOWN) if kind == "word" else (UNKNOWN,)
        tokens = {token: None for token, count in counts.items() if count >= least}
        return cls(kind, tuple(tokens | dict.fromkeys(special)))

    @classmethod
    def of_tokenizer(cls, definition: str) -> Vocabulary:
        """The vocabulary of a tokenizer, from the text of its `tokenizer.json`."""
        opened = tokenizer.opened(definition)
        return cls("tokenizer", tokenizer.tokens(opened), tokenizer.written(opened))

    @cached_property
    def unknown(self) -> int:
        """The number that unknown tokens get; -1 where a tokenizer knows everything."""
        if self.definition is not None:
            return tokenizer.unknown(self.definition)
        return self._ids[UNKNOWN]

    def shared(self, other: Vocabulary) -> tuple[list[int], list[int]]:
        """The numbers of the tokens that both have, here and there; empty for another kind's."""
        if self.kind != other.kind:
            return [], []
        there = {token: number for number, token in enumerate(other.tokens) if token}
        both = [(n, there[token]) for n, token in enumerate(self.tokens) if token in there]
        return [mine for mine, _ in both], [theirs for _, theirs in both]

    def encode(self, text: str) -> np.ndarray:
        """Numbers of the tokens of a text (N,), int64.

        Each line end gives an `<eos>` (words) or is a token itself (characters): a text that does
        not end with one can be continued within its line.
        """
        return self.look_up(text).ids

    def look_up(self, text: str) -> TokenIds:
        """The result of `encode`, and the number of unknown tokens."""
        if self.definition is not None:
            ids = tokenizer.encode(self._tokenizer, text)
            return TokenIds(ids, int((ids == self.unknown).sum()))
        pieces = _pieces(text, self.kind)
        ids = np.fromiter(map(self._ids.get, pieces, repeat(-1)), np.int64, len(pieces))
        absent = ids < 0
        ids[absent] = self.unknown
        return TokenIds(ids, int(absent.sum()))

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """The text of some tokens (N,): words with a space between, `<eos>` as a line end.

        Raises:
            InputError: A number is not the id of a token.
        """
        numbers = np.asarray(ids, dtype=np.int64).tolist()
        if numbers and not 0 <= min(numbers) <= max(numbers) < len(self):
            raise InputError(
                f"tokens run from {min(numbers)} to {max(numbers)}, but the vocabulary has "
                f"{len(self)} (0 to {len(self) - 1})"
            )
        if self.definition is not None:
            return tokenizer.decode(self._tokenizer, numbers)
        tokens = [self.tokens[number] for number in numbers]
        if self.kind == "char":
            return "".join(tokens)
        text = " ".join("\n" if token == END else token for token in tokens)
        return re.sub(" ?\n ?", "\n", text)

    def to_json(self) -> dict[str, Json]:
        """What `from_json` needs: the tokens, or the whole tokenizer."""
        if self.definition is not None:
            return {"kind": self.kind, "tokenizer": tokenizer.to_json(self.definition)}
        return {"kind": self.kind, "tokens": list(self.tokens)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Json]) -> Vocabulary:
        """The vocabulary of what `to_json` gave; raises InputError where it is none."""
        match fields:
            case {"kind": "tokenizer", "tokenizer": dict(definition)}:
                return cls.of_tokenizer(tokenizer.from_json(definition))
            case {"kind": "word" | "char" as kind, "tokens": list(tokens)}:
                return cls(kind, tuple(map(str, tokens)))
        raise InputError(
            'a vocabulary needs a "kind" (word, char or tokenizer) and its "tokens" or "tokenizer"'
        )

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    @cached_property
    def _tokenizer(self) -> Any:
        assert self.definition is not None
        return tokenizer.opened(self.definition)


def _pieces(text: str, kind: str) -> Sequence[str]:
    """The tokens of a text, known or not."""
    return text.replace("\n", f" {END} ").split() if kind == "word" else text


def _check_listed(kind: str, tokens: Sequence[str]) -> None:
    if kind not in LISTED:
        raise InputError(f"a vocabulary lists words or characters (word, char), not {kind!r}")
    try:
        "".join(tokens).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"a vocabulary has a token that no file can hold: {error}") from error
    twice = [token for token, count in Counter(tokens).items() if count > 1]
    if twice:
        raise InputError(f"a vocabulary has each token once; {twice[0]!r} comes twice")
    missing = {UNKNOWN, END} - set(tokens) if kind == "word" else {UNKNOWN} - set(tokens)
    if missing:
        raise InputError(f"a vocabulary of kind {kind} needs the token {min(missing)}")
