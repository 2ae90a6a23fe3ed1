"""The picture of the README and of the first page: one search on the digits, as it was measured.

    naokit search --space conv-small --data digits --preset quick
    python -m benchmarks.picture runs/conv-small-digits-nao    # records the run, then draws
    python -m benchmarks.picture                               # draws what is recorded

The run is recorded in `results/first_search.json` and drawn in `docs/picture.svg`, on a card of its
own that is light or dark as its reader likes it. Its text is text, in the fonts that are there.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import numpy as np
from sklearn.datasets import load_digits

from benchmarks.record import RESULTS, keep
from naokit.drawing import svg
from naokit.drawing.plot import Plot, outline
from naokit.spaces import ConvCells
from naokit.study.course import Course, Evaluation, Improvement
from naokit.study.course_figure import course_figure

NAME = "first_search"
PICTURE = Path(__file__).parents[1] / "docs" / "picture.svg"
WIDTH, CELL_AT = 950, 426
LIGHT = {"card": "#fbfbf9", "ink": "#1b2430", "soft": "#55606e", "line": "#dfe3e8"}
LIGHT |= {"accent": "#0b5cad", "second": "#a04608"}
DARK = {"card": "#161b22", "ink": "#e8ecf1", "soft": "#a9b4c0", "line": "#333d49"}
DARK |= {"accent": "#7db8f7", "second": "#f2a365"}
"""The colours of the card by name, those of the page of a run."""
LEGEND = (
    ("circle", "complete", "evaluated"),
    ("triangle", "stopped", "stopped early"),
    ("ring", "again", "evaluated again"),
    ("line", "best", "best so far"),
    ("line", "random", "random search"),
)


def main() -> None:
    """Records a run, if one is named, and draws."""
    if sys.argv[1:]:
        keep(NAME, recorded(Path(sys.argv[1])))
    PICTURE.write_text(picture(json.loads((RESULTS / f"{NAME}.json").read_text())))


def recorded(folder: Path) -> dict[str, Any]:
    """What the picture shows of a run."""
    from naokit.runs.reporting import run_report
    from naokit.runs.run import Run

    found = run_report(Run.at(folder))
    assert found.found is not None
    assert found.random is not None
    assert found.final is not None
    return {
        "command": "naokit search --space conv-small --data digits --preset quick",
        "metric": found.metric,
        "winner": found.found.best.architecture,
        "verdict": found.found.verdict,
        "scores": found.final.scores,
        "parameters": found.final.parameters,
        "files": [dataclasses.asdict(file) for file in found.final.files],
        "course": dataclasses.asdict(found.course),
        "random": dataclasses.asdict(found.random),
    }


def picture(record: Mapping[str, Any]) -> str:
    """The picture as SVG."""
    course = _course(record["course"])
    plot = course_figure(course, record["metric"], 1.0, _course(record["random"]))
    assert plot is not None
    cell = svg([ConvCells.small().parse(record["winner"]).graphs[0]])
    below = CELL_AT + int(ElementTree.fromstring(cell).attrib["height"])
    parts = [
        _heading(24, 1, "Data and a space"),
        *_digits(24, 70),
        _words(24, 280, "1,797 pictures of digits,"),
        _words(24, 302, "and cells of five nodes with"),
        _words(24, 324, "two of five operations at each"),
        _heading(310, 2, f"naokit searches: {len(course.evaluations)} short trainings"),
        *_plot(plot, 302, 62),
        *_legend(820, 96),
        _heading(24, 3, "A network of the best cell: trained, exported, checked", 412),
        _cell(cell, 24, CELL_AT),
        _words(24, below + 28, _outcome(record)),
        _words(24, below + 52, f"After as many epochs {record['verdict']}."),
    ]
    height = below + 72
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="16">\n'
        f"<title>{escape(_said(record))}</title>\n<style>\n{_style()}</style>\n"
        f'<rect class="card" x="1" y="1" width="{WIDTH - 2}" height="{height - 2}" rx="14"/>\n'
        + "".join(f"{part}\n" for part in parts)
        + "</svg>\n"
    )


def _course(found: Mapping[str, Any]) -> Course:
    return Course(
        found["cost"],
        tuple(Evaluation(**one) for one in found["evaluations"]),
        tuple(Improvement(**one) for one in found["improvements"]),
    )


def _said(record: Mapping[str, Any]) -> str:
    """The picture in words."""
    return (
        f"A search on pictures of digits: every evaluation, the best so far and random search "
        f"beside it; the cell that was found; {_outcome(record)}"
    )


def _outcome(record: Mapping[str, Any]) -> str:
    """What came of it."""
    files = len(record["files"])
    return (
        f"{record['scores']['test']:.2f} % of the test pictures right with "
        f"{record['parameters']:,} parameters; {files} files, each compared with the network."
    )


def _style() -> str:
    """The looks, in light and in dark."""
    rules = (
        ".card{fill:var(--card);stroke:var(--line)} .words{fill:var(--soft)}"
        " .heading{fill:var(--ink);font-weight:600;font-size:18px}"
        " .small{font-size:13px}"
        " .grid{stroke:var(--line);fill:none} .pixels{fill:var(--ink)}"
        " .line{fill:none;stroke-width:2.4;stroke-linejoin:round} .best{stroke:var(--accent)}"
        " .random{stroke:var(--second);stroke-dasharray:6 4}"
        " .mark{fill:var(--accent);fill-opacity:.45;stroke:var(--accent);stroke-width:1.2}"
        " .improved{fill-opacity:1} .ring,.triangle,.stopped{fill:none}"
        " .stopped{stroke:var(--soft)} .quiet{fill:var(--second);stroke:none;fill-opacity:.8}"
        " .quiet.triangle,.quiet.ring{fill:none;stroke:var(--second)}"
    )
    turned = "svg svg{filter:invert(.9) hue-rotate(180deg)}"
    light, dark = (";".join(f"--{n}:{v}" for n, v in one.items()) for one in (LIGHT, DARK))
    return (
        f"svg{{{light}}}\n@media (prefers-color-scheme:dark){{svg{{{dark}}}{turned}}}\n"
        + rules.replace("} ", "}\n")
        + "\n"
    )


def _heading(x: int, number: int, words: str, y: int = 38) -> str:
    return f'<text class="heading" x="{x}" y="{y}">{number}. {escape(words)}</text>'


def _words(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text class="words" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'


def _digits(x: int, y: int) -> Iterator[str]:
    """The first six pictures; of one shade all pixels are one path."""
    images = np.pad(load_digits().images[:6], ((0, 0), (0, 1), (0, 1)))  # (6, 9, 9), from 0 to 16
    tiled = np.vstack([np.hstack([*images[:3]]), np.hstack([*images[3:]])])
    yield f'<g class="pixels" transform="translate({x} {y}) scale(10)">'
    for shade in np.unique(tiled[tiled > 0]):
        pixels = "".join(f"M{c} {r}h1v1h-1z" for r, c in np.argwhere(tiled == shade))
        yield f'<path fill-opacity="{shade / tiled.max():.2f}" d="{pixels}"/>'
    yield "</g>"


def _plot(plot: Plot, x: int, y: int) -> Iterator[str]:
    """The course between its axes."""
    yield f'<g transform="translate({x} {y}) scale(.92)">'
    yield _words(plot.left, plot.top - 10, plot.y.label)
    yield _words(plot.right, plot.bottom + 43, plot.x.label, "end")
    for at, words in plot.x_ticks:
        yield f'<path class="grid" d="M{at:g} {plot.top}V{plot.bottom}"/>'
        yield _words(at, plot.bottom + 21, words, "middle")
    for at, words in plot.y_ticks:
        yield f'<path class="grid" d="M{plot.left:g} {at:g}H{plot.right}"/>'
        yield _words(plot.left - 8, at + 5, words, "end")
    for path in plot.paths:
        yield f'<path class="line {path.look}" d="{path.d}"/>'
    for mark in plot.marks:
        yield (
            f'<path class="mark {mark.look} {mark.shape}" '
            f'transform="translate({mark.x:g} {mark.y:g})" d="{outline(mark.shape, mark.size)}"/>'
        )
    yield "</g>"


def _legend(x: int, y: int) -> Iterator[str]:
    """What the marks and lines mean."""
    for row, (shape, look, words) in enumerate(LEGEND):
        middle = y + 26 * row
        if shape == "line":
            yield f'<path class="line {look}" d="M{x - 10} {middle}h20"/>'
        else:
            path = outline(shape, 5)
            place = f'transform="translate({x} {middle})"'
            yield f'<path class="mark {look} {shape}" {place} d="{path}"/>'
        yield f'<text class="words small" x="{x + 16}" y="{middle + 5}">{escape(words)}</text>'


def _cell(drawn: str, x: int, y: int) -> str:
    """The drawing of a cell at a place."""
    return drawn.replace("<svg ", f'<svg x="{x}" y="{y}" ', 1)


if __name__ == "__main__":
    main()
