"""Who leads, and what is said where nobody does."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from naokit.base import EvaluationFailed, InputError
from naokit.cli.app import app
from naokit.doors import Result
from naokit.files import write_json
from naokit.report.contents import Report, findings
from naokit.report.words import closing_lines
from naokit.runs.folder import SETTINGS
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import Study, create_study

SPACE = ConvCells.small(nodes=1)


@pytest.mark.parametrize(
    ("reasons", "message"),
    [
        (
            ["diverged"] * 3,
            "all 3 evaluations of the study s failed (diverged: 3): lower the learning rate, or "
            "search another space",
        ),
        (
            ["a", "b", "b"],
            "all 3 evaluations of the study s failed (b: 2): mend that, or search another space",
        ),
        (["a"], "the one evaluation of the study s failed (a: 1): mend that"),
    ],
)
def test_a_study_of_failures_says_why_it_has_no_best(reasons: list[str], message: str) -> None:
    left = iter(reasons)

    def fails(architecture: Architecture) -> float:
        raise EvaluationFailed(next(left))

    study = create_study(SPACE, method="random", name="s")
    with pytest.raises(InputError, match="s has no finished evaluation yet: search on"):
        _ = study.best
    study.optimize(fails, len(reasons))
    with pytest.raises(InputError, match=re.escape(message)):
        _ = study.best


def measured(*results: tuple[float, float] | None) -> Study:
    """A study of these values and latencies; None: the evaluation failed."""
    left = iter(results)

    def evaluate(architecture: Architecture) -> Result:
        found = next(left)
        if found is None:
            raise EvaluationFailed("diverged")
        return Result(found[0], {"latency": found[1]})

    study = create_study(SPACE, method="random", name="s", limits=["latency<=1"])
    study.optimize(evaluate, len(results))
    return study


def test_a_study_of_values_beyond_a_limit_says_what_came_nearest() -> None:
    study = measured((90.0, 4.0), None, (80.0, 1.5))
    message = (
        "nothing is within latency<=1 yet in the study s: of 3 evaluations 1 failed and 2 are "
        "beyond; trial 2 came nearest (latency 1.5): loosen the limits, or search on"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        _ = study.best


def test_random_search_with_nothing_within_the_limits_is_no_comparison() -> None:
    study, baseline = measured((90.0, 0.5)), measured((95.0, 2.0))
    found = findings(study, "value", baseline)
    assert found.best.value == 90.0
    assert found.random is None
    assert found.to_json()["random"] is None
    lines = closing_lines(Report("nao", "s", {}, found, "out", "x"))
    assert any(line.startswith("Random search: nothing is within latency<=1 yet") for line in lines)


def run_of(folder: Path, *, limits: tuple[str, ...], latencies: tuple[float | None, ...]) -> Path:
    """A run's folder whose evaluations have these latencies; None: failed."""
    left = iter(latencies)

    def evaluate(architecture: Architecture) -> Result:
        latency = next(left)
        if latency is None:
            raise EvaluationFailed("diverged")
        return Result(90.0, {"latency": latency})

    storage = f"sqlite:///{folder / 'study.db'}"
    write_json(folder / SETTINGS, {"storage": storage, "space": dict(SPACE.settings())})
    study = create_study(SPACE, storage=storage, name="search", method="random", limits=limits)
    study.optimize(evaluate, len(latencies))
    return folder


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["show", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_show_lists_a_run_without_a_best(tmp_path: Path) -> None:
    out = run_of(tmp_path, limits=(), latencies=(None, None))
    text = " ".join(shown(str(out)).split())
    assert "2 evaluations (2 failed)" in text
    assert text.count("diverged") == 3
    assert "No best: all 2 evaluations of the study search failed (diverged: 2)" in text
    found = json.loads(shown(str(out), "--json"))
    assert (found["architecture"], found["standings"]) == (None, [])
    assert "all 2 evaluations" in found["no_best"]
    assert [row["outcome"] for row in found["trials"]] == ["diverged", "diverged"]
    refused = CliRunner().invoke(app, ["show", str(out), "--svg", str(tmp_path / "a.svg")])
    assert refused.exit_code == 2
    other = CliRunner().invoke(app, ["show", str(out), "--space", "recurrent"])
    assert "is of the space conv-small, not of recurrent" in other.output


def test_show_lists_what_came_nearest_to_the_limits_first(tmp_path: Path) -> None:
    out = run_of(tmp_path, limits=("latency<=1",), latencies=(4.0, None, 1.5))
    found = json.loads(shown(str(out), "--json", "--top", "2"))
    assert [row["trial"] for row in found["trials"]] == [2, 0]
    assert found["trials"][0]["outcome"] == "beyond a limit: latency 1.5"
    text = " ".join(shown(str(out)).split())
    assert "trial 2 came nearest (latency 1.5)" in text
