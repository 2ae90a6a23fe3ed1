"""Methods on a table beside each other: what `naokit report` makes of a benchmark's folder."""

import json
from pathlib import Path

import pytest
from tests.report.page.reports import HOSTILE
from tests.report.page.test_page import Reader, leaves
from typer.testing import CliRunner

from naokit.base import InputError, Json
from naokit.bench import Search, TableTask, summarise
from naokit.bench.compared import compared_methods, is_bench
from naokit.cli.app import app
from naokit.report.page.compare import comparison_page

KEPT = Path(__file__).parents[2] / "benchmarks" / "results" / "optimiser"
TASK = TableTask("choices", (), "a", "acc")


def summary(**changes: Json) -> dict[str, Json]:
    """What a benchmark of two methods wrote, ten evaluations of three seeds."""
    climbs = {"nao": (7.0, 8.0, 9.0), "random": (3.0, 5.0, 4.0)}
    methods = {
        name: summarise(
            [
                Search("t", name, seed, 12, 1, [1.0, None, *[end] * 10], [], 0.6)
                for seed, end in enumerate(ends)
            ],
            TASK,
            9.0,
        )
        for name, ends in climbs.items()
    }
    task = {"space": "choices", "metric": "acc", "direction": "maximize"}
    return {"task": task, "best": 9.0, "workers": 1, "methods": methods} | changes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of that benchmark."""
    found = tmp_path / "bench"
    found.mkdir()
    (found / "runs.jsonl").write_text("")
    write(found / "choices-acc.json")
    return found


def write(path: Path, **changes: Json) -> Path:
    path.write_text(json.dumps(summary(**changes)))
    return path


def test_methods_are_compared_by_searches_of_equal_seeds(folder: Path) -> None:
    found = compared_methods([folder])
    assert (found.name, found.direction, found.best) == ("choices, acc", "maximize", 9.0)
    assert [(one.name, one.values) for one in found.groups] == [
        ("nao", (7.0, 8.0, 9.0)),
        ("random", (3.0, 5.0, 4.0)),
    ]
    assert [(one.after, one.said) for one in found.differences] == [(10, "ahead"), (12, "ahead")]
    from scipy.stats import ttest_rel

    interval = ttest_rel((7, 8, 9), (3, 5, 4)).confidence_interval(0.95)
    end = found.differences[-1]
    low, high = end.difference - end.margin, end.difference + end.margin
    assert (low, high) == pytest.approx((interval.low, interval.high))


def test_the_curve_and_the_effort_are_those_of_the_summary(folder: Path) -> None:
    nao = compared_methods([folder]).groups[0]
    assert [point.at for point in nao.curve] == list(range(1, 13))
    assert [nao.curve[0].mean, nao.curve[2].mean] == [1.0, 8.0]
    assert nao.curve[2].low < 8.0 < nao.curve[2].high
    assert nao.effort is not None
    assert (nao.effort.missed, nao.effort.evaluations) == (2, 9.0)
    assert nao.effort.seconds == pytest.approx(0.05)


def test_less_may_be_better(folder: Path) -> None:
    task = summary()["task"] | {"direction": "minimize"}
    found = compared_methods([write(folder / "choices-acc.json", task=task)])
    assert {one.said for one in found.differences} == {"behind"}


def test_methods_of_several_summaries_are_told_apart(folder: Path, tmp_path: Path) -> None:
    write(folder / "choices-acc-8-workers.json", workers=8)
    names = [one.name for one in compared_methods([folder]).groups]
    assert names == ["nao, 8 workers", "random, 8 workers", "nao", "random"]
    other = write(tmp_path / "other.json")
    names = [one.name for one in compared_methods([folder / "choices-acc.json", other]).groups]
    assert names[2] == f"nao, {other}"


def test_of_one_seed_nothing_is_known_of_chance(folder: Path) -> None:
    methods = summary()["methods"]
    for found in methods.values():
        found["validation_at"] = {"12": found["validation_at"]["12"][:1]}
    (found,) = compared_methods([write(folder / "one.json", methods=methods)]).differences
    assert (found.difference, found.margin, found.said) == (4.0, None, "unknown")


@pytest.mark.parametrize("name", ["c10", "hpo-naval", "nas-bench-nlp-ptb"])
def test_every_number_of_the_page_is_one_that_json_prints(name: str) -> None:
    """Of measured results, whose methods have more or fewer seeds."""
    found = compared_methods([KEPT / f"{name}.json"])
    read = Reader(comparison_page(found))
    known = leaves(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    shown = [float(one["value"] or "nan") for one in read.named("data")]
    assert len(shown) > 50
    assert {*shown} <= known
    assert {"ahead", "behind"} & {*read.words}


def test_hostile_names_are_shown_as_text(folder: Path) -> None:
    one, two = summary()["methods"].values()
    task = {"space": HOSTILE[0], "metric": HOSTILE[2], "direction": "maximize"}
    path = write(folder / "choices-acc.json", task=task, methods={HOSTILE[1]: one, HOSTILE[3]: two})
    read = Reader(comparison_page(compared_methods([path])))
    assert len(read.named("script")) == 1
    assert not read.named("img")
    assert HOSTILE[1] in read.words


def report(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["report", *map(str, words)])
    return done.exit_code, done.stdout + done.stderr


def test_the_command_writes_a_page_and_prints_its_numbers(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert report(folder, "--out", page) == (0, f"written: {page}\n")
    _, said = report(folder, "--json")
    assert [one["name"] for one in json.loads(said)["groups"]] == ["nao", "random"]
    assert report(folder, "--serve")[0] == 2


def test_a_folder_of_a_run_is_none_of_a_benchmark(folder: Path) -> None:
    assert is_bench(folder)
    (folder / "settings.json").write_text("{}")
    assert not is_bench(folder)


def test_runs_and_benchmarks_are_not_mixed(folder: Path, tmp_path: Path) -> None:
    code, said = report(tmp_path / "run", folder, "--out", tmp_path / "page.html")
    assert code == 2
    assert said.count("\n") == 1
    assert f"{folder} is of `naokit bench` and {tmp_path / 'run'} is not" in said


def test_values_of_different_tables_are_not_compared(folder: Path) -> None:
    write(folder / "choices-acc-2.json", best=10.0)
    with pytest.raises(InputError, match=r"cannot be compared: .* name the files of one table"):
        compared_methods([folder])


def test_a_benchmark_that_has_not_ended_is_told(folder: Path) -> None:
    (folder / "choices-acc.json").unlink()
    with pytest.raises(InputError, match="holds no summary: the benchmark has not ended"):
        compared_methods([folder])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '"words"',
        "{}",
        json.dumps(summary(best=None)),
        json.dumps(summary(best=float("nan"))),
        json.dumps(summary(methods=[])),
        json.dumps(summary(methods={})),
        json.dumps(summary(methods={"nao": {}})),
        json.dumps(summary(methods={"nao": summary()["methods"]["nao"] | {"validation_at": {}}})),
        json.dumps(summary(task={"space": "choices", "metric": "acc"})),
    ],
)
def test_a_damaged_summary_is_one_line_that_names_it(folder: Path, text: str) -> None:
    path = folder / "choices-acc.json"
    path.write_text(text)
    code, said = report(folder, "--json")
    assert (code, said.count("\n")) == (2, 1), said
    assert str(path) in said
