"""Tokenizers of Hugging Face's package `tokenizers` (extra: `pip install naokit[text]`)."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from naokit.base import InputError, Json
from naokit.wording import first_line


def load(name: str | Path) -> str:
    """The text of a `tokenizer.json`: a file, a folder that has one, or a tokenizer on the hub.

    Raises:
        InputError: The tokenizer cannot be read, there is none of this name, or no network.
    """
    path = Path(name)
    if path.is_dir():
        path = path / "tokenizer.json"
    if path.is_file():
        return _read(path)
    if path.suffix == ".json":
        raise InputError(f"there is no file {path}")
    if near := difflib.get_close_matches(str(name), ("word", "char"), n=1, cutoff=0.8):
        raise InputError(f"there are no tokens {str(name)!r}; did you mean {near[0]}?")
    return _from_hub(str(name))


def opened(definition: str) -> Any:
    """The tokenizer of a definition; it neither cuts texts short nor fills them up.

    Raises:
        InputError: The value is not a tokenizer, or the package `tokenizers` is not installed.
    """
    try:
        tokenizer = _package().Tokenizer.from_str(definition)
    except InputError:
        raise
    except Exception as error:  # what the Rust library raises is a plain Exception
        raise InputError(f"this is no readable tokenizer.json: {first_line(error)}") from error
    # A file may carry the lengths of the network that it was made for: here texts are whole.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def written(tokenizer: Any) -> str:
    """The definition of a tokenizer, as `from_json` gives it again."""
    return json.dumps(json.loads(tokenizer.to_str()))


def to_json(definition: str) -> dict[str, Json]:
    """A definition as a value of JSON."""
    value: dict[str, Json] = json.loads(definition)
    return value


def from_json(value: dict[str, Json]) -> str:
    """The definition of a value of JSON."""
    return json.dumps(value)


def tokens(tokenizer: Any) -> tuple[str, ...]:
    """The tokens by number; "" for a number without a token."""
    numbers: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
    names = {number: token for token, number in numbers.items()}
    return tuple(names.get(number, "") for number in range(max(names, default=-1) + 1))


def unknown(definition: str) -> int:
    """The number of the token for the unknown; -1 where there is none (as with bytes)."""
    model = json.loads(definition)["model"]
    if model.get("unk_id") is not None:  # Unigram
        return int(model["unk_id"])
    token = model.get("unk_token")
    return -1 if token is None else int(model["vocab"].get(token, -1))


def encode(tokenizer: Any, text: str) -> np.ndarray:
    """Numbers of the tokens (N,), int64, without what would frame a text (`[CLS]`)."""
    # Line by line: the library takes far more memory for one text of millions of characters.
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    found = tokenizer.encode_batch(lines, add_special_tokens=False)
    ids = [np.asarray(line.ids, dtype=np.int64) for line in found]
    return np.concatenate(ids) if ids else np.zeros(0, dtype=np.int64)


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of some tokens."""
    text: str = tokenizer.decode(ids, skip_special_tokens=False)
    return text


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a tokenizer.json: {error}") from error


def _from_hub(name: str) -> str:
    package = _package(name)
    try:
        definition: str = package.Tokenizer.from_pretrained(name).to_str()
    except Exception as error:  # the hub's client and the Rust library have many kinds
        raise InputError(
            f"tokens are word, char or a tokenizer: there is no file {name!r}, and no such "
            f"tokenizer could be loaded from the Hugging Face hub ({first_line(error)}); give the "
            "path of a tokenizer.json, or check the name and the network"
        ) from error
    return definition


def _package(name: str | None = None) -> Any:
    try:
        import tokenizers
    except ImportError as error:
        asked = "" if name is None else f"tokens are word, char or a tokenizer, here {name!r}; "
        raise InputError(
            f"{asked}a tokenizer needs the package tokenizers: pip install 'naokit[text]'"
        ) from error
    return tokenizers
