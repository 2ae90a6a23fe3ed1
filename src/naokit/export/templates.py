"""Templates of cards and programs: a value is escaped where it is written, not where it is made.

In a card a value is text for people, in a program it is a literal. Only `Markup`, which our own
Markdown and our own source are marked as, is written as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, StrictUndefined, Undefined
from markupsafe import Markup

from naokit.export.literals import literal
from naokit.wording import block, code, prose


def card(template: str, **values: Any) -> str:
    """A text in Markdown with these values."""
    return _CARDS.from_string(template).render(values)


def program(template: str, **values: Any) -> str:
    """Python source with these values."""
    return _PROGRAMS.from_string(template).render(values)


def _environment(escaped: Callable[[object], str]) -> Environment:
    def finalize(value: object) -> Markup:
        if isinstance(value, Undefined):
            str(value)  # says which name is missing
        return value if isinstance(value, Markup) else Markup(escaped(value))  # noqa: S704

    return Environment(
        autoescape=True,
        finalize=finalize,
        keep_trailing_newline=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )


_CARDS, _PROGRAMS = _environment(prose), _environment(literal)
_CARDS.filters.update(
    {
        name: lambda value, escaped=escaped: Markup(escaped(value))  # noqa: S704
        for name, escaped in (("code", code), ("block", block), ("literal", literal))
    }
)
