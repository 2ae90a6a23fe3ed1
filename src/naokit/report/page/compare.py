"""The page of several runs, or of methods on a table, beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from naokit.base import sign_of
from naokit.drawing.plot import Axis, Plot
from naokit.report.beside import Compared, Difference
from naokit.report.page.environment import rendered
from naokit.wording import counted

LOOKS = 12
"""So many curves can be told apart, by colour and by dashes."""
FEWEST = 3
"""Of two runs the interval is so wide that its band would fill the figure."""
BANDS = 6
"""The bands of more groups would hide each other."""
SECTIONS = (("curves", "Curves"), ("differences", "Differences"), ("runs", "Runs"))


def comparison_page(found: Compared) -> str:
    """The page of a comparison."""
    figure = _curves(found)
    absent = {name for name, there in (("curves", figure), ("runs", found.runs)) if not there}
    sections = [one for one in SECTIONS if one[0] not in absent]
    noun = "run" if found.runs else "seed"
    return rendered(
        title=found.name,
        kicker="naokit, "
        + ("several runs beside each other" if found.runs else "methods on known results"),
        glance="compared.html",
        version=found.version,
        sections=sections,
        found=found,
        figure=figure,
        legend=[
            ("line", f"group{n % LOOKS}", f"{one.name}, {counted(len(one.runs), noun)}")
            for n, one in enumerate(found.groups)
        ],
        bands=len(found.groups) <= BANDS,
        pairs=_pairs(found.differences),
    )


def _pairs(differences: Sequence[Difference]) -> list[list[Difference]]:
    """The differences between the same two groups, side by side."""
    found = groupby(differences, lambda one: (one.one, one.other))
    return [list(same) for _, same in found]


def _curves(found: Compared) -> Plot | None:
    """The best so far of each group with its interval; None where no group has any."""
    points = [point for group in found.groups for point in group.curve]
    if not points:
        return None
    sign = sign_of(found.direction)
    # Early values are poor, and would squeeze what the runs came to.
    up = Axis.to_the_best(found.metric, [one.mean for one in points], sign)
    across = Axis(f"{found.cost} so far", 0, 1.02 * max(point.at for point in points))
    plot = Plot("curves", "The best so far", across, up)
    for n, group in enumerate(found.groups):
        curve, look = group.curve, f"group{n % LOOKS}"
        if len(group.runs) >= FEWEST and len(found.groups) <= BANDS:
            edge = [(p.at, p.high) for p in curve] + [(p.at, p.low) for p in reversed(curve)]
            plot.line(edge, f"band {look}")
        plot.line([(point.at, point.mean) for point in curve], look)
    return plot
