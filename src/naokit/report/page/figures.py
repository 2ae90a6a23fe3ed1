"""The other figures of a page: the front, the model, the map, the training."""

from __future__ import annotations

from naokit.base import sign_of
from naokit.drawing.plot import Axis, Plot, spread
from naokit.report.model_check import Map, Place
from naokit.report.run_report import RunReport
from naokit.study.goals import Objective
from naokit.wording import exact, value_text

SMALLEST, LARGEST = 3.0, 8.0
"""The radius of the worst and of the best architecture on the map."""


def front_figure(report: RunReport) -> Plot | None:
    """All evaluations in the first two objectives; None where there is one."""
    found = report.found
    if found is None or len(found.objectives) < 2:
        return None
    x, y = (Objective.of(text) for text in found.objectives[1::-1])
    done = [one for one in report.course.evaluations if one.values]
    plot = Plot(
        "front",
        f"{y.wish} against {x.wish}",
        Axis.of(x.name, (one.values[1] for one in done)),
        Axis.to_the_best(report.metric, [one.values[0] for one in done], y.sign),
    )
    front = {point.trial for point in found.front}
    for place in sorted(spread(len(done))):
        one = done[place]
        if one.trial not in front:
            words = f"trial {one.trial}: {exact(one.values[0])}, {one.values[1]:,.6g}"
            plot.mark(one.values[1], one.values[0], "circle", "complete", words, one.trial)
    points = sorted((point.values[x.name], point.values[y.name]) for point in found.front)
    plot.line(points, "best", steps=True)
    for point in found.front:
        across, up = point.values[x.name], point.values[y.name]
        words = f"trial {point.trial}, on the front: {up:.6g}, {across:,.6g}"
        plot.mark(across, up, "diamond", "complete improved", words, point.trial, size=5)
    return plot


def prediction_figure(report: RunReport) -> Plot | None:
    """Predicted against measured values; None where there is no model."""
    if report.model is None:
        return None
    found, metric = report.model.predictions, report.metric
    sign = sign_of(report.direction)
    axis = Axis.to_the_best(f"measured: {metric}", [one.value for one in found], sign)
    plot = Plot(
        "predictions",
        "Predicted against measured, each left out",
        axis,
        Axis("predicted from the others", axis.low, axis.high),
    )
    plot.line([(axis.low, axis.low), (axis.high, axis.high)], "even")
    for one in found:
        plot.line([(one.value, one.low), (one.value, one.high)], "range")
    for one in found:
        words = (
            f"trial {one.trial}: measured {value_text(one.value, metric)}, predicted "
            f"{value_text(one.predicted, metric)} ({value_text(one.low, metric)} to "
            f"{value_text(one.high, metric)})"
        )
        shape = "triangle" if one.stopped else "circle"
        plot.mark(one.value, one.predicted, shape, "complete", words, one.trial)
    return plot


def coverage_figure(report: RunReport) -> Plot | None:
    """How sure the model was, and how often it was right; None where there is no model."""
    if report.model is None:
        return None
    plot = Plot(
        "calibration",
        "How often results lay where the model was so sure",
        Axis("the model was so sure, percent", 40, 100),
        Axis("results inside, percent", 0, 105),
    )
    plot.line([(40, 40), (100, 100)], "even")
    found = report.model.coverage
    plot.line([(100 * one.sure, 100 * one.inside) for one in found], "best")
    for one in found:
        words = f"{one.sure:.0%} sure: {one.inside:.0%} of the results inside"
        plot.mark(100 * one.sure, 100 * one.inside, "circle", "complete improved", words, size=5)
    return plot


def map_figure(report: RunReport) -> Plot | None:
    """The map of the architectures; None where there is no model."""
    if report.model is None:
        return None
    found = report.model.map
    plot = Plot(
        "map",
        "Architectures that compute alike are near each other",
        Axis.of("first direction", (one.x for one in found.places)),
        Axis.of("second direction", (one.y for one in found.places)),
    )
    sign = sign_of(report.direction)
    order = sorted(found.places, key=lambda one: sign * one.value)
    where = {one.trial: (one.x, one.y) for one in found.places}
    plot.line([where[trial] for trial in found.path], "path")
    for rank, one in enumerate(order):
        share = rank / max(1, len(order) - 1)
        level = f"level{min(4, int(5 * share))}"
        words = f"trial {one.trial}: {value_text(one.value, report.metric)}" + _step(found, one)
        size = SMALLEST + (LARGEST - SMALLEST) * share
        shape = "triangle" if one.stopped else "circle"
        plot.mark(one.x, one.y, shape, f"place {level}", words, one.trial, size)
    return plot


def _step(found: Map, one: Place) -> str:
    """Which best so far a place is."""
    if one.trial not in found.path:
        return ""
    return f", best so far number {found.path.index(one.trial) + 1}"


def training_figures(report: RunReport) -> list[Plot]:
    """The validation metric and the loss of the final training; none where it has not begun."""
    if report.final is None or len(report.final.epochs) < 2:
        return []
    epochs = report.final.epochs
    across = Axis("epochs", 0, epochs[-1].epoch * 1.02)
    metric = report.final.metric
    curves = (
        ("validation", f"validation {metric}", [one.validation for one in epochs]),
        ("loss", "loss on the training data", [one.loss for one in epochs]),
    )
    plots = []
    for name, label, values in curves:
        plot = Plot(name, label[0].upper() + label[1:], across, Axis.of(label, values))
        plot.line([(one.epoch, v) for one, v in zip(epochs, values, strict=True)], "best")
        for one, value in zip(epochs, values, strict=True):
            words = f"epoch {one.epoch}: {value:.6g}"
            plot.mark(one.epoch, value, "circle", "complete", words, size=2.5)
        plots.append(plot)
    return plots
