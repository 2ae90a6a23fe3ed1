"""What was found out about one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from naokit.base import Json

State = Literal["ok", "note", "broken"]


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing.

    Attributes:
        topic: The kind of thing, in one word.
        name: The name of the thing.
        state: "ok"; "note" for what is absent or unwise; "broken" where naokit cannot do its work.
        text: What a person should know, with parameters in backticks.
        figures: The same for programs.
    """

    topic: str
    name: str
    state: State
    text: str
    figures: Mapping[str, Json] = field(default_factory=dict)
