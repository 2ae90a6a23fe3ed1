"""What a search says at its end: no claim beyond the figures."""

import numpy as np
import pytest

from naokit.base import Direction
from naokit.evaluators.function import Function
from naokit.report.contents import Comparison, Findings, Point, Report, findings, verdict
from naokit.report.words import closing_lines
from naokit.spaces import ConvCells
from naokit.study import create_study
from naokit.study.standings import Standing
from naokit.study.stored import SETTINGS


@pytest.mark.parametrize(
    ("mine", "random", "spread", "message"),
    [
        ((90.0, 92.0), (80.0, 82.0), 1.0, "more than chance explains"),
        ((90.0, 92.0), (88.0, 90.0), 3.0, "too little to tell them apart"),
        ((90.0,), (80.0,), None, "nothing more can be said"),
        ((90.0, 90.0), (80.0, 80.0), 0.0, "better than random search; repeats were equal: "),
    ],
)
def test_the_closing_line_claims_what_the_noise_allows(mine, random, spread, message) -> None:
    found, baseline = (Comparison("a", sum(v) / len(v), v) for v in (mine, random))
    assert message in verdict(found, baseline, spread)


@pytest.mark.parametrize(
    ("mine", "direction", "said"),
    [
        (90.0, "maximize", "10 better than random search"),
        (90.0, "minimize", "10 worse than random search"),
        (70.0, "minimize", "10 better than random search"),
        (80.0, "minimize", "as good as random search"),
    ],
)
def test_better_is_by_the_direction_of_the_objective(
    mine: float, direction: Direction, said: str
) -> None:
    found, baseline = (Comparison("a", value, (value,)) for value in (mine, 80.0))
    assert verdict(found, baseline, None, direction).startswith(said)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((78.0,), "78.00 (one evaluation)"),
        ((78.0, 75.5), "75.50 (evaluated again; 78.00, which chose it, is left out)"),
        (
            (78.0, 75.0, 76.0),
            "75.50 (mean of repeats 75.00, 76.00; 78.00, which chose it, is left out)",
        ),
    ],
)
def test_the_best_says_what_its_value_is_of(values: tuple[float, ...], said: str) -> None:
    best = Comparison.of(Standing(ConvCells.small(nodes=1).parse("0 0 1 0 0 0 1 0"), values, 0))
    found = Findings("validation accuracy in percent", "maximize", best, 3, 0, 0, None)
    assert f"Best: {said}" in closing_lines(Report("nao", "conv-small", {}, found, "out", "s.db"))


def test_one_is_no_plural() -> None:
    found = Findings(
        "accuracy",
        "maximize",
        Comparison("a", 78.0, (78.0,)),
        evaluations=1,
        repeats=0,
        failed=0,
        noise=None,
        objectives=("a", "b"),
        front=(Point("a", 0, {}),),
    )
    lines = closing_lines(Report("nao", "conv-small", {}, found, "out", "study.db"))
    assert lines[0].startswith("nao on conv-small: 1 evaluation (0 failed)")
    assert any(line.endswith(": 1 architecture.") for line in lines)


def test_the_best_may_have_no_shared_score_any_more() -> None:
    """Its latest score failed after it was trained by itself."""
    space = ConvCells.small(nodes=1)
    studies = [create_study(space, name=name, method="random") for name in ("search", "own")]
    first, second = (space.sample(np.random.default_rng(n)) for n in range(2))
    shared = {**studies[0].settings, "evaluator": {"evaluator": "supernet"}}
    studies[0].optuna.set_user_attr(SETTINGS, shared)
    studies[0].add(first, 50.0)
    for architecture, value in ((first, 80.0), (second, 90.0)):
        studies[1].add(architecture, value)
    evaluator = Function(lambda _: 0.0, "maximize")
    found = findings(studies[0], evaluator.metric, own=(studies[1], "accuracy"))
    assert found.own is not None
    assert (found.best.value, found.own.shared) == (90.0, (None, 50.0))
    lines = closing_lines(Report("nao", "conv-small", {}, found, "out", "s.db"))
    assert "Best: 90 (accuracy, trained by itself)" in lines
