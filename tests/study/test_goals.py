"""Several objectives, limits, told and given architectures."""

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from naokit.base import EvaluationFailed, InputError
from naokit.cli.app import app
from naokit.doors import Evaluator, Observation, Result, Trial
from naokit.evaluators import Train
from naokit.method.nao import Nao
from naokit.space import Architecture
from naokit.spaces import Choice, Choices, ConvCells
from naokit.study import create_study, open_study
from naokit.study.goals import Goals, Limit, Objective, chebyshev
from naokit.study.limits import LimitedSpace, limited

SPACE = Choices("grid", (Choice("width", tuple(range(8))), Choice("depth", tuple(range(8)))))


def both(architecture: Architecture) -> Result:
    """Accuracy grows with width and depth, and so does the cost: the diagonal is the front."""
    width, depth = architecture.choices
    return Result(width + depth - 0.01 * abs(width - depth), {"cost": 2.0**width + 2.0**depth})


def test_texts_are_read_and_bad_ones_refused() -> None:
    goals = Goals.of(
        "maximize", ["accuracy", "latency", "x:maximize"], ["parameters<=3e6", "x>=-1"]
    )
    assert [str(o) for o in goals.objectives] == [
        "accuracy:maximize",
        "latency:minimize",
        "x:maximize",
    ]
    assert goals.limits == (Limit("parameters", True, 3e6), Limit("x", False, -1.0))
    assert goals.metric_names == ("latency", "x", "parameters")
    assert Goals.of("maximize", **goals.to_json()) == goals
    assert Goals.of("minimize", ["perplexity"]).objectives == (Objective("perplexity", "minimize"),)
    for bad in ("parameters", "parameters<3", "parameters<=many", "<=3", "x<=1.2.3", "x<=."):
        with pytest.raises(InputError, match="is no limit"):
            Limit.of(bad)
    with pytest.raises(InputError, match="expected maximize or minimize"):
        Goals.of("maximize", ["a", "b:up"])
    assert goals.objectives[1].wish == "latency (less is better)"
    with pytest.raises(InputError, match="the objective a is given twice"):
        Goals.of("maximize", ["a", "b", "a:minimize"])
    with pytest.raises(InputError, match="is the evaluator's value"):
        Goals.of("maximize", ["a:minimize", "b"])


def test_the_score_of_several_objectives_keeps_their_order() -> None:
    table = np.array([[3.0, 3.0], [2.0, 2.0], [1.0, 1.0], [4.0, 0.0]])
    for seed in range(20):
        scores = chebyshev(table, np.random.default_rng(seed))
        assert scores[0] > scores[1] > scores[2], "better in both is better"
    best = {int(chebyshev(table, np.random.default_rng(seed)).argmax()) for seed in range(20)}
    assert best == {0, 3}, "other weights want other trade-offs"


@pytest.mark.parametrize("method", ["nao", "random", "evolution", "tpe", "nsga2"])
def test_a_front_is_found_by_every_method(method: str) -> None:
    study = create_study(SPACE, method=method, objectives=["accuracy", "cost:minimize"], seed=1)
    study.optimize(both, 25)
    assert study.evaluations == 25
    assert len({trial.architecture.key for trial in study.trials}) == 25
    front = study.front()
    assert front
    for one in front:
        for other in study.trials:
            better = other.values[0] >= one.values[0] and other.values[1] <= one.values[1]
            assert not better or other.values == one.values


def test_the_front_compares_the_means_of_repeated_evaluations() -> None:
    """A lucky evaluation of a poor architecture does not put it on the front."""
    lucky, steady = SPACE.architecture((1, 1)), SPACE.architecture((2, 2))
    study = create_study(SPACE, objectives=["accuracy", "cost:minimize"], method="random")
    for architecture, accuracy in ((lucky, 95.0), (steady, 90.0), (lucky, 75.0), (lucky, 80.0)):
        study.add(architecture, Result(accuracy, {"cost": 5.0}))
    assert [(t.architecture, t.value, t.values) for t in study.front()] == [
        (steady, 90.0, (90.0, 5.0))
    ]
    study.add(steady, Result(70.0, {"cost": 6.0}))
    (best,) = study.front()
    assert (best.number, best.architecture, best.value) == (0, lucky, 250 / 3)
    assert best.values == (250 / 3, 5.0)


def test_nao_covers_more_of_the_front_than_random_search() -> None:
    """Share of the true front that 20 evaluations of 64 find, over five seeds."""
    every = [Trial(0, SPACE.architecture((w, d)), *_told(w, d)) for w in range(8) for d in range(8)]
    goals = Goals.of("maximize", ["accuracy", "cost:minimize"])
    true = {trial.values for trial in goals.front(every)}

    def found(method: str) -> float:
        shares = []
        for seed in range(5):
            study = create_study(
                SPACE, method=method, objectives=["accuracy", "cost:minimize"], seed=seed
            )
            study.optimize(both, 20)
            shares.append(len({trial.values for trial in study.front()} & true) / len(true))
        return sum(shares) / len(shares)

    assert found("nao") > found("random") + 0.1


def _told(width: int, depth: int) -> tuple[float, str, str, dict[str, float], float, dict, tuple]:
    result = both(SPACE.architecture((width, depth)))
    return (result.value, "", "", {}, 0.0, {}, (result.value, result.metrics["cost"]))


def test_a_search_for_a_front_resumes_exactly(tmp_path: Path) -> None:
    def study_at(name: str):
        return create_study(
            SPACE,
            storage=f"sqlite:///{tmp_path}/{name}.db",
            objectives=["accuracy", "cost:minimize"],
            limits=["cost<=100"],
            seed=3,
            evaluations=14,
        )

    whole = study_at("whole")
    whole.optimize(both, 14)
    study_at("parts").optimize(both, 9)
    parts = study_at("parts")
    parts.optimize(both, 14)
    assert [str(t.architecture) for t in parts.trials] == [
        str(t.architecture) for t in whole.trials
    ]
    with pytest.raises(InputError, match=r"goals\.limits was"):
        create_study(
            SPACE, storage=f"sqlite:///{tmp_path}/parts.db", objectives=["a", "cost"], seed=3
        )


def test_candidates_ask_little_of_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """To count a network costs time: about one question a candidate, not one a mutant made."""
    monkeypatch.setattr("naokit.method.nao.LATENT_FIRST", 1000)
    asked = 0
    space = Choices("wide", tuple(Choice(f"p{i}", tuple(range(5))) for i in range(10)))

    def holds(choices: Sequence[int]) -> bool:
        nonlocal asked
        asked += 1
        return sum(choices) <= 14

    inside = LimitedSpace(space, ("cost<=14",), "", holds)
    method, history = Nao(inside, 0, 8), []
    for _ in range(8):
        proposal = method.propose(history)
        assert sum(proposal.architecture.choices) <= 14
        value = float(sum(proposal.architecture.choices))
        history.append(Observation(proposal.architecture, value, proposal.origin))
    assert asked < 8 * 250
    assert any(trial.origin != "random" for trial in history[3:])


def test_a_dear_limit_that_nothing_is_within_is_given_up_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("naokit.study.limits.SECONDS", 0.05)

    def holds(choices: Sequence[int]) -> bool:
        time.sleep(0.01)
        return False

    inside = LimitedSpace(SPACE, ("cost<=1",), "", holds)
    with pytest.raises(InputError, match=r"none of \d random .* cost<=1: loosen"):
        inside.sample(np.random.default_rng(0))


def test_a_cheap_limit_finds_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("naokit.study.limits.DRAWS", 3)
    inside = LimitedSpace(SPACE, ("x<=0",), "", lambda c: sum(c) == 0, cheap=True)
    assert inside.sample(np.random.default_rng(0)).choices == (0, 0)
    none = LimitedSpace(SPACE, ("x<=-1",), "", lambda c: sum(c) < 0, cheap=True)
    with pytest.raises(InputError, match=r"none of the 64 .*loosen the limits"):
        none.sample(np.random.default_rng(0))


class Known(Evaluator):
    """Costs are known beforehand."""

    static_metric_names = ("cost",)

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        result = both(architecture)
        if result.metrics["cost"] > 40:
            raise EvaluationFailed("an evaluation beyond the limit was spent")
        return result

    def static_metrics(self, architecture: Architecture) -> dict[str, float]:
        return dict(both(architecture).metrics)


@pytest.mark.parametrize(
    "method", ["nao", "random", "evolution", "local-search", "tpe", "nao-2018"]
)
def test_a_limit_on_what_is_known_costs_no_evaluation(method: str) -> None:
    study = create_study(SPACE, method=method, limits=["cost<=40"], seed=0)
    study.optimize(Known(), 12)
    assert len(study.trials) == 12
    assert all(trial.value is not None for trial in study.trials)


def test_a_limit_on_what_is_measured_is_learned() -> None:
    """The best lies on the border, so about half of a search along it is beyond."""
    study = create_study(SPACE, limits=["cost<=40"], seed=0)
    study.optimize(both, 30)
    beyond = [trial.metrics["cost"] > 40 for trial in study.trials]
    assert 0 < sum(beyond) <= 20
    assert study.best.mean == max(
        both(_any(w, d)).value for w, d in _grid() if both(_any(w, d)).metrics["cost"] <= 40
    )
    assert study.front() == [
        t for t in study.trials if t.value == study.best_value and t.metrics["cost"] <= 40
    ]


def _any(width: int, depth: int) -> Architecture:
    return SPACE.architecture((width, depth))


def _grid() -> list[tuple[int, int]]:
    return [(w, d) for w in range(8) for d in range(8)]


def test_a_limit_that_nothing_is_within_says_so() -> None:
    study = create_study(SPACE, limits=["cost<=1"], seed=0)
    least = min(both(_any(*choices)).metrics["cost"] for choices in _grid())
    nearest = re.escape(f"the nearest has cost {least:g}: loosen the limits")
    with pytest.raises(InputError, match=nearest):
        study.optimize(Known(), 3)


def test_parameters_of_a_network_are_counted_without_training_it() -> None:
    space = ConvCells.small(nodes=1)
    evaluator = Train("digits", "quick", channels=8, cells=1)
    inside = limited(space, evaluator, [Limit("parameters", True, 8000.0)])
    generator = np.random.default_rng(0)
    drawn = [inside.sample(generator) for _ in range(2)]
    assert all(
        evaluator.static_metrics(architecture)["parameters"] <= 8000 for architecture in drawn
    )
    counted = evaluator._counted.values()
    assert counted
    assert all(set(names) == {"parameters"} for names in counted), "nobody asked for the rest"
    assert evaluator.static_metrics(drawn[0])["macs"] > 1000
    assert limited(space, evaluator, [Limit("latency", True, 1.0)]) is space


def test_a_missing_figure_is_named() -> None:
    study = create_study(SPACE, objectives=["accuracy", "latency"], seed=0)
    with pytest.raises(InputError, match="no 'latency' to optimise; it gives the value and cost"):
        study.optimize(both, 1)


def test_told_results_are_learned_from_and_no_evaluations(tmp_path: Path) -> None:
    study = create_study(SPACE, storage=f"sqlite:///{tmp_path}/s.db", seed=0)
    for width, depth in ((1, 1), (3, 3), (5, 5), (6, 2)):
        study.add(_any(width, depth), both(_any(width, depth)))
    assert (study.evaluations, len(study.trials)) == (0, 4)
    study.optimize(both, 2)
    assert study.trials[4].origin == "whole space", "no random start: four results are known"
    assert study.evaluations == 2
    assert len({trial.architecture.key for trial in study.trials}) == 6


def test_given_architectures_come_first_and_once() -> None:
    study = create_study(SPACE, seed=0)
    study.enqueue([_any(2, 2), _any(7, 7), _any(2, 2)])
    study.optimize(both, 4)
    assert [t.origin for t in study.trials] == ["given", "given", "random", "whole space"]
    study.enqueue([_any(7, 7)])
    study.optimize(both, 5)
    assert study.trials[4].origin == "whole space"


def test_given_architectures_beyond_a_limit_cost_no_evaluation() -> None:
    study = create_study(SPACE, seed=0, limits=["cost<=40"])
    study.enqueue([_any(7, 7), _any(2, 2), _any(7, 0)])
    study.optimize(Known(), 2)
    first, second = study.trials
    assert (first.architecture, first.origin) == (_any(2, 2), "given")
    assert second.origin != "given"
    study.enqueue([_any(0, 7)])
    study.optimize(Known(), 3)
    assert all(trial.value is not None for trial in study.trials)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [
        f"{w},{d},{both(_any(w, d)).value},{both(_any(w, d)).metrics['cost']}" for w, d in _grid()
    ]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["width,depth,acc,cost", *rows]) + "\n")
    return path


def test_the_command_line_takes_objectives_limits_and_a_start(table: Path, tmp_path: Path) -> None:
    out, start = tmp_path / "out", tmp_path / "start.txt"
    start.write_text("width=1 depth=2\n\nwidth=5 depth=1\n")
    arguments = ["search", "--space", "choices", "--table", str(table), "--metric", "acc"]
    arguments += ["--architecture-column", "width,depth", "--evaluations", "15"]
    arguments += ["--objective", "accuracy", "--objective", "cost:minimize"]
    arguments += ["--limit", "cost<=60", "--start-from", str(start), "--out", str(out), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["failed"] == 0
    assert all(row["values"]["cost"] <= 60 for row in found["front"])
    again = CliRunner().invoke(app, arguments[:-1])
    front = f"{len(found['front'])} architectures."
    assert f"front in accuracy (more is better), cost (less is better): {front}" in again.stdout
    shown = CliRunner().invoke(app, ["show", str(out)])
    assert shown.exit_code == 0, shown.output
    said = " ".join(shown.output.split())
    assert "Pareto front in accuracy (more is better), cost (less is better)" in said
    assert "2 given" in shown.output
    assert "Model at" in shown.output


@pytest.mark.parametrize(
    ("objectives", "message"),
    [
        (("cost", "acc"), "nothing says whether more of acc is better"),
        (("cost", "acc:maximize"), "the first objective is --metric acc, not cost"),
        (("accuracy", "acc:maximize"), "the first objective is --metric acc, not accuracy"),
        (("acc", "cost"), "give --objective cost:maximize or cost:minimize"),
        (("acc", "acc:maximize"), "acc is given twice"),
        (("acc:minimize", "cost:minimize"), "add --direction minimize"),
    ],
)
def test_unclear_objectives_on_a_table_are_refused(
    table: Path, tmp_path: Path, objectives: tuple[str, ...], message: str
) -> None:
    out = tmp_path / "out"
    arguments = ["search", "--space", "choices", "--table", str(table), "--metric", "acc"]
    arguments += ["--architecture-column", "width,depth", "--out", str(out)]
    for objective in objectives:
        arguments += ["--objective", objective]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.output.split())
    assert not out.exists()


def test_a_run_starts_from_the_best_of_another(table: Path, tmp_path: Path) -> None:
    arguments = ["search", "--space", "choices", "--table", str(table), "--metric", "acc"]
    arguments += ["--architecture-column", "width,depth", "--evaluations", "12"]
    first = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "one")])
    assert first.exit_code == 0, first.output
    arguments += ["--start-from", str(tmp_path / "one"), "--out", str(tmp_path / "two")]
    second = CliRunner().invoke(app, [*arguments, "--seed", "5"])
    assert second.exit_code == 0, second.output
    spaces = [t.load().space for t in [_task(table)]]
    study = open_study(spaces[0], f"sqlite:///{tmp_path}/two/study.db", "search")
    assert [t.origin for t in study.trials].count("given") == 10


@pytest.mark.parametrize(
    ("lines", "said", "given"),
    [
        ("width=7 depth=7\nwidth=1 depth=1\n", "1 of 2 left out, not within cost<=60", 1),
        ("width=7 depth=7\nwidth=7 depth=1\n", "all left out, not within cost<=60", 0),
        ("width=2 depth=2\nwidth=1 depth=1\n", None, 2),
    ],
)
def test_a_start_beyond_a_limit_is_left_out_and_said(
    table: Path, tmp_path: Path, lines: str, said: str | None, given: int
) -> None:
    start = tmp_path / "start.txt"
    start.write_text(lines)
    arguments = ["search", "--space", "choices", "--table", str(table), "--metric", "acc"]
    arguments += ["--architecture-column", "width,depth", "--evaluations", "4"]
    arguments += ["--limit", "cost<=60", "--start-from", str(start), "--out", str(tmp_path / "out")]
    for _ in range(2):  # the same command again continues
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert (said or "") in " ".join(result.stderr.split())
        assert ("left out" in result.stderr) == (said is not None)
        study = open_study(
            _task(table).load().space, f"sqlite:///{tmp_path}/out/study.db", "search"
        )
        assert [trial.origin for trial in study.trials].count("given") == given
        assert len(study.trials) == 4
        assert all(trial.metrics["cost"] <= 60 for trial in study.trials)


def test_a_limit_that_no_row_is_within_is_said_before_anything_is_written(
    table: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ["search", "--space", "choices", "--table", str(table), "--metric", "acc"]
    arguments += ["--architecture-column", "width,depth", "--evaluations", "3", "--out", str(out)]
    result = CliRunner().invoke(app, [*arguments, "--limit", "cost<=0.001"])
    assert result.exit_code == 2, result.output
    assert "none of the 64 architectures" in " ".join(result.output.split())
    assert not out.exists()
    corrected = CliRunner().invoke(app, [*arguments, "--limit", "cost<=60"])
    assert corrected.exit_code == 0, corrected.output


def _task(table: Path):
    from naokit.bench import TableTask

    return TableTask("choices", (str(table),), "width,depth", "acc")


def test_the_front_of_many_is_that_of_each_against_each() -> None:
    """Ties, equal points and three objectives; compared with the definition."""
    space = Choices("points", (Choice("a", tuple(range(400))),))
    goals = Goals.of("maximize", ["value", "cost:minimize", "size:minimize"])
    generator = np.random.default_rng(0)
    points = [tuple(map(float, row)) for row in generator.integers(0, 9, (400, 3))]
    trials = [
        Trial(number, space.architecture((number,)), point[0], values=point)
        for number, point in enumerate(points)
    ]

    def beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
        turned = [(one[0], other[0]), (-one[1], -other[1]), (-one[2], -other[2])]
        return all(a >= b for a, b in turned) and one != other

    unbeaten = [n for n, mine in enumerate(points) if not any(beats(o, mine) for o in points)]
    assert [trial.number for trial in goals.front(trials)] == unbeaten
