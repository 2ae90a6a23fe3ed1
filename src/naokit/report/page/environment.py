"""The templates of pages: what is escaped, and what a browser may do with a page."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from markupsafe import Markup

from naokit.drawing.plot import outline
from naokit.report.page.words import FILTERS
from naokit.wording import one_line

TEMPLATES = Path(__file__).parent / "templates"


def rendered(*, refresh: int | None = None, **values: Any) -> str:
    """A whole page with these values.

    Args:
        refresh: After how many seconds a browser shall load the page again. If None, never.
        values: What the templates name.
    """
    script = _text("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html")
        .render(
            refresh=refresh,
            # Nothing is loaded, and of scripts only ours runs, whatever a name may smuggle in.
            policy=f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
            f"script-src 'sha256-{digest}'",
            style=Markup(_text("style.css")),  # noqa: S704  # a file of this package
            script=Markup(script),  # noqa: S704  # a file of this package
            **values,
        )
    )


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _environment() -> Environment:
    def finalize(value: object) -> object:
        """Text in one line, with escapes for what cannot be seen; what is escaped already stays."""
        if isinstance(value, Undefined):
            str(value)  # says which name is missing
        return value if isinstance(value, Markup) or not isinstance(value, str) else _visible(value)

    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    found.filters.update(FILTERS)
    found.globals["outline"] = outline
    return found


def _visible(text: str) -> str:
    """A text whose lines stay lines."""
    return "\n".join(map(one_line, text.split("\n")))
