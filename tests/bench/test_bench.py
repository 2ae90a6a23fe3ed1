"""Benchmarks: the protocol, what runs say, and going on after an interruption."""

import dataclasses
import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from naokit.base import Direction, InputError
from naokit.bench import Search, TableTask, bench, markdown, read_searches, run, summarise
from naokit.cli.app import app
from naokit.report.intervals import half_interval

HEADER = "width,depth,kind,acc,test"
ROWS = [
    f"{width},{depth},{kind},{10 * w + d + 0.5 * (kind == 'b')},{-w}"
    for w, width in enumerate((16, 64, 256))
    for d, depth in enumerate((1, 2, 3, 4))
    for kind in "ab"
]


@pytest.fixture
def task(tmp_path: Path) -> TableTask:
    path = tmp_path / "table.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return TableTask("choices", (str(path),), "width,depth,kind", "acc", "test")


def test_a_table_becomes_a_space_of_choices(task: TableTask) -> None:
    table = task.load()
    assert [choice.values for choice in table.space.space.choices] == [
        (16, 64, 256),
        (1, 2, 3, 4),
        ("a", "b"),
    ]
    assert len(table.values) == 24


@pytest.mark.parametrize("method", ["nao", "random", "evolution", "local-search"])
def test_every_query_is_distinct_and_a_run_ends_with_the_best(task: TableTask, method: str) -> None:
    found = run(task, method, 0, 24)
    assert found.values[-1] == max(v for v in found.values if v is not None) == 23.5
    assert len(found.values) == len(found.test) <= 24
    assert found.values.count(23.5) == 1


def test_values_of_any_size_have_six_digits_in_the_table(task: TableTask) -> None:
    runs = [Search("t", "m", 0, 10, 1, [v] * 10, [0.0] * 10, 0.5) for v in (0.00123, 0.00124)]
    found = {"nao": summarise(runs, task, 1234.567)}
    about = {"task": dataclasses.asdict(task), "evaluations": 10, "workers": 1, "best": 1234.567}
    table = markdown({**about, "methods": found})
    assert "best 1234.57\n" in table
    assert "| 0.001235 |" in table


def test_what_runs_side_by_side_is_asked_for_together(task: TableTask) -> None:
    one, five = run(task, "nao", 0, 15), run(task, "nao", 0, 15, workers=5)
    assert one.values[:3] == five.values[:3]
    assert one.values != five.values


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("workers", [4, 10])
def test_the_last_of_a_small_table_count(
    task: TableTask, tmp_path: Path, workers: int, direction: Direction
) -> None:
    path = tmp_path / "small.csv"
    path.write_text("\n".join([HEADER, *ROWS[:6]]) + "\n")
    small = dataclasses.replace(task, tables=(str(path),), direction=direction)
    out = tmp_path / "out"
    found = bench(small, ["nao", "random"], seeds=3, evaluations=50, workers=workers, out=out)
    for method in found["methods"].values():
        assert method["failures"] == 0
        assert method["max_queries_to_best"] <= 6


def test_runs_that_hold_nothing_are_made_anew(task: TableTask, tmp_path: Path) -> None:
    first = bench(task, ["random"], seeds=1, evaluations=24, out=tmp_path)
    (found,) = read_searches(tmp_path)
    empty = dataclasses.asdict(found) | {"values": [], "test": []}
    (tmp_path / "runs.jsonl").write_text(json.dumps(empty) + "\n")
    again = bench(task, ["random"], seeds=1, evaluations=24, out=tmp_path)
    queries = [found["methods"]["random"]["queries_to_best"] for found in (first, again)]
    assert queries[0] == queries[1]
    assert summarise([Search(**empty)], task, 23.5)["failures"] == 1


def test_lower_is_better_where_the_task_says_so(task: TableTask) -> None:
    lower = TableTask(
        task.space, task.tables, task.architecture_column, "acc", direction="minimize"
    )
    assert run(lower, "nao", 0, 24).values[-1] == 0


def test_a_benchmark_goes_on_where_it_stopped(task: TableTask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran: list[Search] = []
    first = bench(task, ["random"], seeds=2, evaluations=12, out=out, on_search=ran.append)
    with (out / "runs.jsonl").open("a") as file:
        file.write('{"task": "cut o')
    names = ["random", "nao"]
    whole = bench(task, names, seeds=3, evaluations=12, out=out, on_search=ran.append)
    assert [(r.method, r.seed) for r in ran[2:]] == [
        ("nao", 0),
        ("nao", 1),
        ("random", 2),
        ("nao", 2),
    ]
    assert len(read_searches(out)) == 6
    assert (
        whole["methods"]["random"]["queries_to_best"][:2]
        == (first["methods"]["random"]["queries_to_best"])
    )
    said = (out / "choices-acc.md").read_text()
    assert "| nao |" in said
    assert "| @10 | @12 |" in said  # the end is among what is looked at


def test_processes_find_what_one_finds(task: TableTask, tmp_path: Path) -> None:
    alone = bench(task, ["random"], seeds=3, evaluations=6, out=tmp_path / "a")
    beside = bench(task, ["random"], seeds=3, evaluations=6, processes=2, out=tmp_path / "b")
    for found in (alone, beside):
        del found["methods"]["random"]["seconds_per_suggestion"]
    assert alone == beside


def test_censored_runs_count_as_failures_and_as_their_budget() -> None:
    task = TableTask("choices", (), "a", "acc", "test")
    runs = [
        Search("t", "m", 0, 4, 1, [1.0, None, 3.0], [0.1, 0.2, 0.3], 0.5),
        Search("t", "m", 1, 4, 1, [2.0, 1.0, 2.0, 2.5], [0.4, 0.5, 0.6, 0.7], 0.9),
    ]
    found = summarise(runs, task, 3.0)
    assert found["queries_to_best"] == [3, None]
    assert (found["failures"], found["mean_queries_to_best"], found["median_queries_to_best"]) == (
        1,
        3.5,
        3.5,
    )
    assert found["validation"]["mean"] == [1.5, 1.5, 2.5, 2.75]
    assert found["test"]["mean"] == pytest.approx([0.25, 0.25, 0.35, 0.5])
    assert found["seconds_per_suggestion"] == pytest.approx(0.2)


def test_the_interval_is_student_s() -> None:
    assert half_interval([1.0, 2.0, 3.0, 4.0]) == pytest.approx(2.0542, abs=1e-3)
    assert half_interval([1.0]) is None


def test_the_command_prints_one_object_and_draws(task: TableTask, tmp_path: Path) -> None:
    arguments = ["bench", "--space", "choices", "--table", task.tables[0], "--metric", "acc"]
    arguments += ["--architecture-column", "width,depth,kind", "--test-metric", "test"]
    arguments += ["--methods", "nao, random", "--seeds", "2", "--evaluations", "8"]
    arguments += ["--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    wanted = {"mean_queries_to_best", "median_queries_to_best", "failures"}
    assert wanted | {"seconds_per_suggestion", "validation", "test"} <= found["nao"].keys()
    page = (tmp_path / "out" / "choices-acc.html").read_text(encoding="utf-8")
    assert "nao, 2 seeds" in page


OTHER_ROWS = [row.replace("16,", "32,") for row in ROWS]


@pytest.mark.parametrize(
    ("rows", "change"),
    [
        ([row + "0" for row in ROWS], {}),
        (OTHER_ROWS, {}),
        (ROWS, {"test_metric": None}),
        (ROWS, {"direction": "minimize"}),
        (ROWS, {"class_column": "test"}),
        (ROWS, {"architecture_column": "depth,width,kind"}),
    ],
)
def test_runs_of_another_table_are_never_taken_for_ones_own(
    task: TableTask, tmp_path: Path, rows: list[str], change
) -> None:
    out = tmp_path / "out"
    bench(task, ["random"], seeds=1, evaluations=3, out=out)
    other = tmp_path / "other.csv"
    other.write_text("\n".join([HEADER, *rows]) + "\n")
    changed = dataclasses.replace(task, tables=(str(other),), **change)
    with pytest.raises(InputError, match="holds runs of 'choices acc' on another table"):
        bench(changed, ["random"], seeds=1, evaluations=3, out=out)


def test_a_table_that_moved_is_the_same_and_runs_that_do_not_say_theirs_are_made_anew(
    task: TableTask, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    bench(task, ["random"], seeds=1, evaluations=3, out=out)
    moved = Path(task.tables[0]).rename(tmp_path / "moved.csv")
    task, ran = dataclasses.replace(task, tables=(str(moved),)), []
    bench(task, ["random"], seeds=1, evaluations=3, out=out, on_search=ran.append)
    assert not ran
    line = json.loads((out / "runs.jsonl").read_text())
    del line["table"]
    (out / "runs.jsonl").write_text(json.dumps(line) + "\n")
    bench(task, ["random"], seeds=1, evaluations=3, out=out, on_search=ran.append)
    assert len(ran) == 1


def test_a_method_named_twice_runs_once_and_none_is_refused(
    task: TableTask, tmp_path: Path
) -> None:
    ran: list[Search] = []
    there: list[tuple[int, int]] = []
    for seeds in (1, 2):
        bench(
            task,
            ["random", "random"],
            seeds=seeds,
            evaluations=2,
            out=tmp_path / "out",
            on_start=lambda *both: there.append(both),
            on_search=ran.append,
        )
    assert [run.seed for run in ran] == [0, 1]
    assert there == [(0, 1), (1, 2)]
    with pytest.raises(InputError, match="no method is named"):
        bench(task, [], seeds=1, evaluations=2, out=tmp_path / "out")


def test_a_folder_that_cannot_be_written_is_told_before_anything_runs(task: TableTask) -> None:
    ran: list[Search] = []
    with pytest.raises(InputError, match=r"/proc/x/runs\.jsonl cannot be written"):
        bench(task, ["random"], seeds=1, evaluations=2, out=Path("/proc/x"), on_search=ran.append)
    assert not ran


LONG = """
import sys
from pathlib import Path
from naokit.bench import TableTask, bench
if __name__ == "__main__":
    task = TableTask("choices", (sys.argv[1],), "width,depth,kind", "acc", "test")
    names, out = ["random", "nao-2018"], Path(sys.argv[2])
    bench(task, names, seeds=100, evaluations=20, processes=2, out=out)
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(
    task: TableTask, tmp_path: Path, sign: signal.Signals
) -> None:
    script, out = tmp_path / "long.py", tmp_path / "out"
    script.write_text(LONG)
    parent = psutil.Popen([sys.executable, script, task.tables[0], out], stderr=subprocess.DEVNULL)
    while not (out / "runs.jsonl").exists() or not (out / "runs.jsonl").read_text():
        time.sleep(0.05)
    children = parent.children(recursive=True)
    try:
        parent.send_signal(sign)
        parent.wait(60)
        assert len(children) >= 2
        assert not psutil.wait_procs(children, timeout=60)[1]
    finally:
        for process in (parent, *children):
            with suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metric": "accuracy"}, "no column 'accuracy'"),
        ({"architecture_column": "width,size"}, "no column 'size'"),
        ({"tables": ("nowhere.csv",)}, "no file nowhere.csv"),
    ],
)
def test_bad_tasks_say_what_is_wrong(task: TableTask, tmp_path: Path, change, said: str) -> None:
    with pytest.raises(InputError, match=said):
        bench(dataclasses.replace(task, **change), ["random"], seeds=1, evaluations=2, out=tmp_path)


def test_an_unknown_method_is_named_before_anything_runs(task: TableTask, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean nao"):
        bench(task, ["noa"], seeds=1, evaluations=2, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_prior_is_what_methods_begin_with(task: TableTask, tmp_path: Path) -> None:
    """Its runs are told from those without it, and a method that takes none is refused."""
    believing = dataclasses.replace(task, prior=json.dumps({"width": {"256": 9}, "kind": {"b": 9}}))
    bench(task, ["random"], seeds=2, evaluations=4, out=tmp_path / "without")
    with pytest.raises(InputError, match=r"another table, .* prior"):
        bench(believing, ["random"], seeds=2, evaluations=4, out=tmp_path / "without")
    found = bench(believing, ["random", "nao"], seeds=2, evaluations=4, out=tmp_path / "with")
    for method in ("random", "nao"):
        assert min(found["methods"][method]["validation"]["mean"]) >= 20
    with pytest.raises(InputError, match="evolution takes no prior"):
        bench(believing, ["evolution"], seeds=2, evaluations=4, out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_command_reads_a_prior(task: TableTask, tmp_path: Path) -> None:
    (tmp_path / "prior.yaml").write_text("width: {256: -1}")
    command = ["bench", "--space", "choices", "--table", *task.tables, "--metric", "acc"]
    command += ["--architecture-column", task.architecture_column, "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*command, "--prior", str(tmp_path / "prior.yaml")])
    assert result.exit_code == 2
    assert "--prior: width has the weight -1.0 of 256" in result.stderr
    assert not (tmp_path / "out").exists()
