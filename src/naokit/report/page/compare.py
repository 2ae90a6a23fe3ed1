"""The page of several runs beside each other."""

from __future__ import annotations

from naokit.base import sign_of
from naokit.drawing.plot import Axis, Plot
from naokit.report.compared import Compared
from naokit.report.page.environment import rendered
from naokit.wording import counted

LOOKS = 6
"""So many curves can be told apart, by colour and by dashes."""
FEWEST = 3
"""Of two runs the interval is so wide that its band would fill the figure."""
SECTIONS = (("curves", "Curves"), ("differences", "Differences"), ("runs", "Runs"))


def comparison_page(found: Compared) -> str:
    """The page of a comparison."""
    figure = _curves(found)
    sections = [one for one in SECTIONS if figure is not None or one[0] != "curves"]
    names = ", ".join(one.name for one in found.runs[:3])
    return rendered(
        title=f"{names}{', ...' if len(found.runs) > 3 else ''}",
        kicker="naokit, several runs beside each other",
        glance="compared.html",
        version=found.version,
        sections=sections,
        found=found,
        figure=figure,
        legend=[
            ("line", f"group{n % LOOKS}", f"{one.name}, {counted(len(one.runs), 'run')}")
            for n, one in enumerate(found.groups)
        ],
    )


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
        if len(group.runs) >= FEWEST:
            edge = [(p.at, p.high) for p in curve] + [(p.at, p.low) for p in reversed(curve)]
            plot.line(edge, f"band {look}")
        plot.line([(point.at, point.mean) for point in curve], look)
    return plot
