"""`--prior FILE`: weights on choices, in YAML (so JSON too).

stage1: {conv: 3, attention: 0.5}
width: {64: 2}
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from naokit.base import InputError, Json

if TYPE_CHECKING:
    from yaml import MappingNode, Node

LARGEST = 2**20
"""Bytes of a file of weights; one for the forty choices of two cells has some thousands."""


def read_prior(path: Path) -> Json:
    """The weights of a file by names, as they are written; the space says whether it has those.

    Raises:
        InputError: The file cannot be read, or holds something else than names and weights.
    """
    import yaml

    from naokit.files import read_text

    try:
        root: Any = yaml.compose(read_text(path, LARGEST), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        said = " ".join(str(error).split()) or "nested too deep"
        raise InputError(f"{path} is no YAML: {said}") from error
    if not isinstance(root, yaml.MappingNode):
        raise InputError(f"{path} holds no weights; expected lines such as `width: {{64: 2}}`")
    found: dict[str, Json] = {}
    for name, node in _entries(path, root):
        if not isinstance(node, yaml.MappingNode):
            raise _unexpected(path, node, f"weights, as in `{name}: {{64: 2}}`")
        found[name] = {option: _weight(path, weight) for option, weight in _entries(path, node)}
    return found


def _entries(path: Path, node: MappingNode) -> Iterator[tuple[str, Any]]:
    """Name and node of each entry; InputError for a name that is no text, or is there twice."""
    names: set[str] = set()
    for key, value in node.value:
        if not isinstance(key.value, str) or key.value in names:
            raise _unexpected(path, key, "a name that is not there yet")
        names.add(key.value)
        yield key.value, value


def _weight(path: Path, node: Node) -> Json:
    """The number that is written; another text as it is, for the message that refuses it."""
    from naokit.spaces.choices import plain_number

    if not isinstance(node.value, str):
        raise _unexpected(path, node, "one number as a weight")
    number = plain_number(node.value)
    return node.value if math.isnan(number) else number


def _unexpected(path: Path, node: Node, expected: str) -> InputError:
    return InputError(f"{path}, line {node.start_mark.line + 1}: expected {expected}")
