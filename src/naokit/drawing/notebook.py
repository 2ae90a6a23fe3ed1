"""Pieces of HTML for notebooks: tables, figures and drawn cells.

A look stands with its element, and nothing has a name: so an output alters nothing of the notebook,
and two of them do not know each other. There is no script, and nothing is loaded. Text has the
notebook's colour, and all other colours are seen on dark as on light.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from markupsafe import Markup

from naokit.drawing.plot import Entry, Plot, outline
from naokit.wording import one_line

ACCENT = "#3b82c4"
GREY = "#8a8f98"
_PLAIN = f'stroke="{ACCENT}" stroke-width="1.2"'
_OTHER = 'fill="none" stroke="currentColor" stroke-width="1.2"'
LOOKS = {
    "complete": f'fill="{ACCENT}" fill-opacity="0.35" {_PLAIN}',
    "complete improved": f'fill="{ACCENT}" {_PLAIN}',
    "again": f'fill="none" {_PLAIN}',
    "best": f'fill="none" stroke="{ACCENT}" stroke-width="2.2" stroke-linejoin="round"',
}
"""How the looks of a figure are drawn; all others as outlines in the colour of the text."""
_FIELD = "padding:.25em .8em .25em 0;border:0;text-align:"

Side = Literal["left", "right"]


def together(pieces: Iterable[Markup]) -> Markup:
    """Pieces as one output."""
    inside = Markup("\n").join(pieces)
    return Markup('<div style="line-height:1.45">\n{}\n</div>').format(inside)


def paragraph(*words: object) -> Markup:
    """A paragraph; words that are no markup are escaped."""
    return Markup('<p style="margin:.4em 0">{}</p>').format(_joined(words))


def strong(text: str) -> Markup:
    """A text that stands out."""
    return Markup("<strong>{}</strong>").format(one_line(text))


def code(text: str) -> Markup:
    """A text for programs, which may be long."""
    return Markup('<code style="overflow-wrap:anywhere">{}</code>').format(one_line(text))


def table(
    caption: str, columns: Sequence[tuple[str, Side]], rows: Iterable[Sequence[object]]
) -> Markup:
    """A table.

    Args:
        caption: What it shows.
        columns: The head of each column, and the side at which what is in it stands.
        rows: What is in it.
    """
    head = [
        Markup('<th scope="col" style="{}{};vertical-align:bottom">{}</th>').format(
            _FIELD, side, one_line(name)
        )
        for name, side in columns
    ]
    sides = [side for _, side in columns]
    body = [Markup("<tr>{}</tr>").format(Markup("").join(map(_field, row, sides))) for row in rows]
    return Markup(
        '<div style="overflow-x:auto"><table style="margin:.4em 0;border-collapse:collapse;'
        'table-layout:auto"><caption style="caption-side:top;text-align:left;padding:.3em 0">{}'
        "</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(one_line(caption), Markup("\n").join(head), Markup("\n").join(body))


def cell(drawing: str, *words: object, shown: bool) -> Markup:
    """A drawn architecture that a click on its words opens and closes.

    Args:
        drawing: The drawing as `naokit.drawing.svg` makes it.
        words: What stands over it.
        shown: Whether it is open at first.
    """
    return Markup(
        '<details{} style="margin:.4em 0"><summary style="cursor:pointer">{}</summary>'
        '<div style="overflow-x:auto;padding:.4em 0">{}</div></details>'
    ).format(
        Markup(" open") if shown else "",
        _joined(words),
        Markup(drawing),  # noqa: S704  # of this package, which escapes what it draws
    )


def figure(plot: Plot, legend: Sequence[Entry]) -> Markup:
    """A figure with its axes and legend."""
    across = [
        _tick(f"M{x:g} {plot.top}V{plot.bottom}", x, plot.bottom + 20, "middle", words)
        for x, words in plot.x_ticks
    ]
    up = [
        _tick(f"M{plot.left:g} {y:g}H{plot.right}", plot.left - 8, y + 4.5, "end", words)
        for y, words in plot.y_ticks
    ]
    lines = [_path(one.d, one.look) for one in plot.paths]
    marks = [
        _path(outline(one.shape, one.size), one.look, f"translate({one.x:g} {one.y:g})", one.words)
        for one in plot.marks
    ]
    names = [
        _text((plot.left + plot.right) / 2, plot.height - 6, "middle", plot.x.words),
        Markup('<g transform="translate(15 {:g}) rotate(-90)">{}</g>').format(
            (plot.top + plot.bottom) / 2, _text(0, 0, "middle", plot.y.words)
        ),
    ]
    return Markup(
        '<figure style="margin:.4em 0;max-width:560px"><svg viewBox="0 0 {} {}" role="img" '
        'aria-label="{}" style="width:100%;height:auto;overflow:visible">{}</svg>'
        '<figcaption style="font-size:90%">{}</figcaption></figure>'
    ).format(
        plot.width,
        plot.height,
        one_line(f"{plot.title}: {plot.y.label} over {plot.x.label}"),
        Markup("").join([*across, *up, *lines, *marks, *names]),
        Markup(" ").join(_key(*entry) for entry in legend),
    )


def _joined(words: Iterable[object]) -> Markup:
    return Markup("").join(w if isinstance(w, Markup) else one_line(w) for w in words)


def _field(found: object, side: Side) -> Markup:
    return Markup('<td style="{}{};vertical-align:top">{}</td>').format(
        _FIELD, side, _joined([found])
    )


def _tick(line: str, x: float, y: float, anchor: str, words: str) -> Markup:
    grid = Markup('<path d="{}" stroke="{}" stroke-opacity="0.35"/>').format(line, GREY)
    return grid + _text(x, y, anchor, words)


def _text(x: float, y: float, anchor: str, words: str) -> Markup:
    return Markup(
        '<text x="{:g}" y="{:g}" text-anchor="{}" fill="currentColor" font-size="13">{}</text>'
    ).format(x, y, anchor, one_line(words))


def _path(d: str, look: str, transform: str = "", words: str = "") -> Markup:
    """A line or a mark, with what a pointer shows of it."""
    moved = Markup(' transform="{}"').format(transform) if transform else ""
    title = Markup("<title>{}</title>").format(one_line(words)) if words else ""
    drawn = Markup(LOOKS.get(look, _OTHER))  # noqa: S704  # of this module
    return Markup('<path d="{}" {}{}>{}</path>').format(d, drawn, moved, title)


def _key(form: str, look: str, words: str) -> Markup:
    """An entry of a legend."""
    drawn = _path("M-11 0H11" if form == "line" else outline(form, 5), look)
    return Markup(
        '<span style="white-space:nowrap;margin-right:.9em"><svg viewBox="-12 -8 24 16" width="24" '
        'height="16" aria-hidden="true" style="vertical-align:middle">{}</svg> {}</span>'
    ).format(drawn, one_line(words))
