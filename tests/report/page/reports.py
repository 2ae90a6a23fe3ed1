"""Reports to make pages of: of a small search, and one whose every name is hostile."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import optuna

from naokit.base import EvaluationFailed
from naokit.evaluators.function import Function
from naokit.images.data import Split
from naokit.images.examples import ImageExamples, mistakes
from naokit.images.measuring import measure
from naokit.method.baselines import RandomSearch
from naokit.report.run_report import (
    Asked,
    Command,
    Epoch,
    Final,
    Part,
    RunReport,
    Written,
    report_of,
)
from naokit.space import Architecture, Space
from naokit.spaces import ConvCells
from naokit.spaces.cells import Operation
from naokit.study import Study, create_study
from naokit.study.course import Course, Evaluation

HOSTILE = (
    "<script>window.ran=1</script>",
    "</script><script>window.ran=2</script>",
    "\"><img src=x onerror='parent.ran=3;window.ran=3'>",
    "' onmouseover='window.ran=4",
    "{{ 7 * 7 }}{% raw %}",
    "two\nlines\r\nand \x00 a bell \x07",
    "right \u202eto left\u202c",
    "an emoji \N{PARTY POPPER} and \N{SNOWMAN}",
    "&lt;b&gt; &amp; <b>",
    "</style><style>*{display:none}</style><!--",
)
"""Names that a page has to show as text."""


def value(architecture: Architecture) -> float:
    number = int(architecture.key[:6], 16) % 1000
    if number % 9 == 0:
        raise EvaluationFailed("diverged")
    return 80 + number / 100


@lru_cache
def searched(evaluations: int) -> tuple[RunReport, Space]:
    """The report of a search with failures, repeats and random search beside it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = ConvCells.small(nodes=2)
    study = create_study(space, method="evolution", seed=1)
    study.optimize(value, evaluations)
    study.decide(value, 3)
    beside = create_study(space, method="random", name="random", seed=2)
    beside.optimize(value, evaluations)
    metric = "validation accuracy, percent"
    return report_of(study, metric, baseline=beside, name="a-run", folder="runs/a-run"), space


def ten_thousand() -> tuple[RunReport, Space]:
    """The report of a search with so many evaluations that not all are drawn."""
    report, space = searched(60)
    one = report.course.evaluations[0]
    many = tuple(
        Evaluation(n, n + 1, one.architecture, "complete", 90.0 + n % 7, (), "random", "", 0.1)
        for n in range(10_000)
    )
    return replace(report, course=Course("evaluations", many, ())), space


class HostileMethod(RandomSearch):
    """Random search with a hostile name, whose origins are hostile too."""

    __name__ = HOSTILE[6]

    def propose(self, history, pending=()):
        return replace(super().propose(history, pending), origin=HOSTILE[len(history) % 10])


def hostile_value(architecture: Architecture) -> float:
    number = int(architecture.key[:6], 16)
    if number % 4 == 0:
        raise EvaluationFailed(HOSTILE[number % 10])
    return 80 + number % 1000 / 100


def hostile_study() -> Study:
    """A study whose every name is hostile, and whose metric is."""
    space = ConvCells(2, tuple(Operation(name, _none) for name in HOSTILE), label=HOSTILE[1])
    study = create_study(space, method=HostileMethod(space, 0, 20), name=HOSTILE[0])
    evaluator = Function(hostile_value, "maximize")
    evaluator.metric = HOSTILE[2]
    study.optimize(evaluator, 20)
    return study


def hostile_report() -> tuple[RunReport, Space]:
    """A report in which every name that came from elsewhere is hostile."""
    study = hostile_study()
    found = report_of(study, HOSTILE[2], name=HOSTILE[0], folder="/".join(HOSTILE))
    evaluations = tuple(
        replace(one, origin=HOSTILE[n % 10], reason=HOSTILE[-n % 10], architecture=HOSTILE[n % 10])
        for n, one in enumerate(found.course.evaluations)
    )
    epochs = tuple(Epoch(n, 1 / n, 10.0 * n, 0.1, float(n)) for n in range(1, 5))
    return replace(
        found,
        course=replace(found.course, evaluations=evaluations),
        asked=Asked(HOSTILE[3], HOSTILE[4], HOSTILE[5], 3, {HOSTILE[6]: 3}, 20, None, HOSTILE[7]),
        sources=tuple(replace(one, origin=HOSTILE[5]) for one in found.sources),
        final=Final(
            HOSTILE[1],
            epochs,
            {HOSTILE[2]: 40.0},
            9,
            HOSTILE[3],
            (Written(HOSTILE[8], 1e-6, HOSTILE[9]),),
        ),
        parts=(Part(HOSTILE[0], 3.5),),
        commands=tuple(Command(name, name) for name in HOSTILE),
        unfinished=HOSTILE,
        examples=_examples(),
    ), study.space


def _examples() -> ImageExamples:
    """Images of two classes with hostile names."""
    logits = np.array([[5.0, 0.0], [5.0, 0.0], [0.0, 1.0]])
    labels = np.array([0, 1, 1])
    rows = Split(np.zeros((3, 1, 4, 4), dtype=np.uint8), labels)
    names = (HOSTILE[2], HOSTILE[3])
    measured = measure(logits, labels, names)
    return ImageExamples(HOSTILE[4], "test", measured, mistakes(rows, logits, labels, names))


def _none(channels: int, stride: int) -> None:
    del channels, stride
