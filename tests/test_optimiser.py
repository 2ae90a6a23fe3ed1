"""What the optimiser's benchmark makes of results: converted tables, leads, standstills, a page."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks import optimiser
from benchmarks.comparison import compare, lead, standstills
from benchmarks.optimiser_page import section, short
from benchmarks.tables import HYPERPARAMETERS, Benchmark, matrix_row, mean_of_runs

from naokit.bench import Search, TableTask, summarise
from naokit.spaces import NasBench101

TASK = TableTask("choices", ("a/table.csv",), "a", "value", direction="minimize")
TINY = Benchmark("a tiny table", TASK, 100, note="Less is better.", hard=True)


def rows(method: str, found: list[list[float]], evaluations: int) -> dict:
    """What `bench` returns of one method."""
    runs = [
        Search("t", method, seed, evaluations, 1, values, [], 1.0)
        for seed, values in enumerate(found)
    ]
    return {
        "name": "tiny",
        "task": {"space": "choices", "metric": "value", "tables": [], "direction": "minimize"},
        "best": 0.0,
        "seeds": len(runs),
        "evaluations": evaluations,
        "workers": 1,
        "methods": {method: summarise(runs, TASK, best=0.0)},
    }


def curve(*steps: tuple[int, float], evaluations: int) -> list[float]:
    """Values that are new bests at these evaluations."""
    values = [9.0] * evaluations
    for place, value in steps:
        values[place - 1] = value
    return values


def test_a_matrix_of_seven_rows_is_its_upper_triangle() -> None:
    row = {
        "adjacency_7x7_rows": "0100001/0010001/0000001/0000000/0000000/0000000/0000000",
        "node_ops": "c3-c1-c1-c1-c1",
        "val_err1": "0.064503",
        "mean_test_err": "0.070446",
    }
    found = matrix_row(row)
    cell = NasBench101().parse(f"{found['adjacency_upper']} {found['ops']}")
    assert cell.key == NasBench101().parse("101111 c3-c1").key
    assert (found["val_acc1"], found["test_acc"]) == ("0.935497", "0.929554")


def test_the_test_value_of_hyperparameters_is_the_mean_of_four_runs() -> None:
    losses = {f"val_loss{number}": f"{number}.5" for number in (1, 2, 3, 4)}
    names = dict.fromkeys(HYPERPARAMETERS.split(","), "16")
    assert mean_of_runs({**names, **losses}) == {**names, "val_loss1": "1.5", "val_loss": "3"}


def test_a_lead_is_turned_round_where_less_is_better() -> None:
    assert lead([1.0, 2.0, 3.0], [2.0, 4.0], less_is_better=False)["mean"] == -1.5
    assert lead([1.0, 2.0], [2.0, 4.0, None], less_is_better=True) == {
        "mean": 1.5,
        "interval_95": pytest.approx(12.706 * 0.5, rel=1e-4),
        "of": 2,
    }


def test_a_run_stands_still_where_nothing_is_found_from_50_to_100() -> None:
    found = rows(
        "nao",
        [
            curve((40, 5.0), evaluations=100),  # stands still
            curve((40, 5.0), (90, 4.0), evaluations=100),
            curve((40, 0.0), evaluations=100),  # has the very best already
            curve((40, 5.0), (60, 0.0), evaluations=100),
        ],
        100,
    )
    assert standstills(found["methods"]["nao"]) == {"stood": 1, "of": 3}
    assert standstills(rows("gp", [[1.0] * 50], 50)["methods"]["gp"]) == {"stood": 0, "of": 0}


def test_whom_it_is_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded one after the other; a method of fewer evaluations is compared as far as it goes."""
    monkeypatch.setattr(optimiser, "RESULTS", tmp_path)
    ours = [curve((40, 5.0), (90, 1.0 + seed / 10), evaluations=100) for seed in range(3)]
    better = [curve((40, 4.0 + seed / 10), evaluations=50) for seed in range(3)]
    for summary in (rows("gp", better, 50), rows("nao", ours, 100)):
        optimiser.record("tiny", TINY, summary)
    found = json.loads((tmp_path / "optimiser" / "tiny.json").read_text())
    assert found["evaluations"] == 100
    assert found["nao_is_behind"] == {"50": ["gp"], "100": []}
    assert found["methods"]["gp"]["lead_of_nao"]["50"]["mean"] == pytest.approx(-0.9)
    assert "lead_of_nao" not in found["methods"]["nao"]
    text = section(TINY, found)
    assert "`nao` is behind gp after 50." in text
    assert "| nao | 0 of 3 | 0 of 3 | - | - |" in text
    brief = short({"tiny": TINY}, {"tiny": found}, ["nao", "gp", "tpe"])
    assert brief.endswith("| a tiny table: best of 50 / 100 | 5 / 1.1 | 4.1 / - |  |\n")


def test_one_seed_has_no_interval() -> None:
    """A method so slow that one search is all there is."""
    task = replace(TASK, test_metric="test")
    run = Search("t", "neps-bo", 0, 50, 1, [2.0] * 50, [3.0] * 50, 1.0)
    found = rows("random", [[1.0] * 100, [0.0] * 100], 100)
    found["methods"] = {"neps-bo": summarise([run], task, best=0.0)}
    compare(found)
    text = section(TINY, found)
    assert "| neps-bo | 3 | - |" in text
    assert "| neps-bo | 0 of 1 | - | - | - |" in text
    easy = {"tiny": replace(TINY, hard=False)}
    assert short(easy, {"tiny": found}, ["neps-bo"]).endswith("| a tiny table | over 50 |\n")


def test_nothing_is_compared_before_ours_is_measured() -> None:
    found = rows("gp", [[1.0] * 100, [2.0] * 100], 100)
    compare(found)
    assert found["nao_is_behind"] == {}
    assert "behind" not in section(TINY, found)
