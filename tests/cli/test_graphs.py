"""A table of graphs by the command line: searched, continued, shown, drawn, compared."""

import json
from pathlib import Path

import pytest
from tests.spaces.test_graph_pool import CHAINS, chain, written
from typer.testing import CliRunner, Result

from naokit.cli.app import app

TABLE = ("--table", "t.csv", "--architecture-column", "graph", "--metric", "acc")
SEARCH = ("search", "--space", "graphs", *TABLE, "--json", "--out", "out")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def _table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chains of up to three operations, of which more convolutions are better; one has no value."""
    monkeypatch.chdir(tmp_path)
    values = [sum(v["op"] == "conv" for v in graph.values()) for graph in CHAINS]
    written(Path("t.csv"), CHAINS, [*values[:-1], ""])


@pytest.mark.parametrize("method", ["nao", "evolution", "local-search", "random", "tpe"])
def test_a_search_finds_the_best_goes_on_and_shows_it(method: str) -> None:
    done = run(*SEARCH, "--method", method, "--evaluations", "10")
    assert done.exit_code == 0, done.output
    done = run(*SEARCH, "--method", method, "--evaluations", "40")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["evaluations"] == 40
    if method in ("nao", "local-search"):
        best = f"line {2 + CHAINS.index(chain('conv', 'conv', 'conv'))}"
        assert found["best"] == found["best"] | {"value": 3, "architecture": best}
    shown = run("show", "out", "--svg", "cell.svg")
    assert shown.exit_code == 0, shown.output
    assert "v0 = conv(x)" in shown.stdout
    assert "conv" in Path("cell.svg").read_text()


def test_a_search_that_is_continued_is_the_same_as_a_whole_one() -> None:
    texts = []
    for budgets in (("6", "15"), ("15",)):
        folder = f"out{len(budgets)}"
        for budget in budgets:
            done = run(*SEARCH[:-1], folder, "--evaluations", budget)
            assert done.exit_code == 0, done.output
        shown = json.loads(run("show", folder, "--json", "--top", "15").stdout)
        texts.append([one["architecture"] for one in shown["standings"]])
    assert texts[0] == texts[1]


def test_limits_and_objectives_are_columns() -> None:
    lines = Path("t.csv").read_text().splitlines()
    sizes = [str(len(graph)) for graph in CHAINS]
    rows = [f"{line},{size}" for line, size in zip(lines, ["size", *sizes], strict=True)]
    Path("t.csv").write_text("\n".join(rows))
    wanted = ("--objective", "acc", "--objective", "size:minimize", "--limit", "size<=4")
    done = run(*SEARCH, *wanted, "--evaluations", "15")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["best"]["value"] == 2


def test_methods_are_compared() -> None:
    table = [str(Path(word).absolute()) if word == "t.csv" else word for word in TABLE]
    some = ("--methods", "nao,random", "--seeds", "2", "--evaluations", "20")
    done = run("bench", "--space", "graphs", *table, *some, "--out", "b", "--json")
    assert done.exit_code == 0, done.output
    assert set(json.loads(done.stdout)) == {"nao", "random"}


def test_a_run_goes_on_where_its_table_has_moved() -> None:
    assert run(*SEARCH, "--evaluations", "5").exit_code == 0
    Path("t.csv").rename("moved.csv")
    gone = run("show", "out")
    assert gone.exit_code == 2
    assert "t.csv, which is gone: put that table back" in gone.stderr
    moved = [argument.replace("t.csv", "moved.csv") for argument in SEARCH]
    done = run(*moved, "--evaluations", "8")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["evaluations"] == 8


@pytest.mark.parametrize("command", ["search", "bench"])
def test_a_bad_graph_is_one_line_and_nothing_is_written(command: str) -> None:
    cycle = {**chain("conv"), "v0": {"op": "conv", "input": ["x", "v0"]}}
    written(Path("t.csv"), [*CHAINS[:3], cycle])
    table = [str(Path(word).absolute()) if word == "t.csv" else word for word in TABLE]
    done = run(command, "--space", "graphs", *table, "--out", "out")
    assert done.exit_code == 2
    assert "line 5 of the table: graph: the graph has a cycle: v0 -> v0" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not Path("out").exists()


def test_graphs_without_a_table_are_refused() -> None:
    done = run("search", "--space", "graphs", "--data", "digits")
    assert done.exit_code == 2
    assert "made of a table's columns" in done.stderr
    assert "give the table (--table)" in done.stderr
