"""Searches in virtual time: the clock, what it says of workers, and how long they took."""

import dataclasses
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from naokit.base import InputError
from naokit.bench import Search, TableTask, bench, markdown, read_searches, run
from naokit.bench.clock import Clock
from naokit.bench.timing import timed
from naokit.cli.app import app

COSTS = (7, 1, 4, 2, 5, 3)
ROWS = [
    f"{width},{depth},{10 * w + d},{COSTS[(4 * w + d) % 6]},1"
    for w, width in enumerate((16, 64, 256))
    for d, depth in enumerate((1, 2, 3, 4))
]


@pytest.fixture
def task(tmp_path: Path) -> TableTask:
    """Twelve architectures that take 1 to 7 seconds, the best in row 12."""
    return task_of(tmp_path, ROWS)


def task_of(folder: Path, rows: list[str], cost_column: str = "seconds") -> TableTask:
    path = folder / "table.csv"
    path.write_text("\n".join(["width,depth,acc,seconds,equal", *rows]) + "\n")
    return TableTask("choices", (str(path),), "width,depth", "acc", cost_column=cost_column)


def test_a_worker_that_is_free_begins_at_once() -> None:
    """Two workers, costs 3, 1, 1, 2: the second worker makes 1 and 2 while the first makes 0."""
    clock = Clock(2, synchronous=False)
    clock.begin(0, 3)
    clock.begin(1, 1)
    assert clock.free == 0
    assert clock.wait() == [(1, 1)]
    clock.begin(2, 1)
    assert clock.wait() == [(2, 2)]
    clock.begin(3, 2)
    assert clock.wait() == [(0, 3)]
    assert (clock.now, clock.free) == (3, 1)
    assert clock.wait() == [(3, 4)]
    assert clock.idle_share == 0


def test_synchronous_workers_wait_for_the_slowest() -> None:
    """Costs 3, 1 and then 1, 1: one worker waits 2 of the 8 seconds that both have."""
    clock = Clock(2, synchronous=True)
    clock.begin(0, 3)
    clock.begin(1, 1)
    assert clock.wait() == [(1, 1), (0, 3)]
    clock.begin(2, 1)
    clock.begin(3, 1)
    assert clock.wait() == [(2, 4), (3, 4)]
    assert clock.idle_share == 2 / 8


def test_what_ends_together_comes_together() -> None:
    clock = Clock(3, synchronous=False)
    for number, cost in enumerate((2.0, 5.0, 2.0)):
        clock.begin(number, cost)
    assert clock.wait() == [(0, 2), (2, 2)]
    assert clock.free == 2


@pytest.mark.parametrize("method", ["nao", "random", "evolution", "tpe", "local-search"])
def test_one_worker_searches_as_it_does_without_costs(task: TableTask, method: str) -> None:
    plain = run(dataclasses.replace(task, cost_column=""), method, 0, 12)
    found = run(task, method, 0, 12)
    assert found.values == plain.values
    assert plain.ended == []
    cost = {float(row.split(",")[2]): float(row.split(",")[3]) for row in ROWS}
    spent = [cost[value] for value in found.values if value is not None]
    assert found.ended == [sum(spent[: place + 1]) for place in range(len(spent))]


@pytest.mark.parametrize("method", ["nao", "random", "evolution", "tpe", "local-search"])
def test_workers_of_equal_costs_are_synchronous_anyway(task: TableTask, method: str) -> None:
    equal = dataclasses.replace(task, cost_column="equal")
    free, waiting = (run(equal, method, 1, 12, 4, synchronous) for synchronous in (False, True))
    assert free.values == waiting.values
    assert free.ended == waiting.ended == [1.0 + place // 4 for place in range(len(free.values))]
    plain = run(dataclasses.replace(task, cost_column=""), method, 1, 12, 4)
    assert plain.values == free.values


def test_every_architecture_is_evaluated_once_by_more_workers_than_there_are(
    task: TableTask,
) -> None:
    """All of the table at once: each ends after its own cost, and nothing is asked for again."""
    worst = dataclasses.replace(task, direction="minimize")
    found = run(worst, "random", 0, 100, 50)
    assert len(set(found.values)) == len(found.values) <= 12
    assert found.ended == sorted(found.ended)
    assert max(found.ended) <= max(COSTS)
    waiting = run(worst, "random", 0, 100, 50, synchronous=True)
    assert sorted(waiting.ended) == sorted([*COSTS] * 2)
    assert waiting.idle == pytest.approx(1 - 2 * sum(COSTS) / (12 * 7))


def test_what_the_table_does_not_have_takes_no_time(tmp_path: Path) -> None:
    part = task_of(tmp_path, ROWS[:2] + ROWS[4:7] + ROWS[-1:])
    found = run(part, "random", 3, 6, 3, synchronous=True)
    assert set(found.values) <= {0.0, 1.0, 10.0, 11.0, 12.0, 23.0}
    assert len(found.ended) == len(found.values)
    assert max(found.ended[:3]) <= 7


def test_times_are_beside_those_of_one_worker() -> None:
    def searches(workers: int, ends: list[list[float]], values: list[list[float | None]]):
        return [
            Search("t", "m", seed, 8, workers, found, [], 1.0, ended=end, idle=0.25)
            for seed, (end, found) in enumerate(zip(ends, values, strict=True))
        ]

    alone = searches(1, [[4.0, 6.0], [2.0, 8.0, 10.0]], [[1, 9], [1, 2, 9]])
    two = searches(2, [[2.0, 4.0, 4.0], [2.0, 3.0, 4.0]], [[1, 2, 9], [1, 9, 2]])
    found = timed(two, alone, 9, "maximize", cost=1.5)
    assert found["time_to_best"] == [4.0, 3.0]
    assert (found["mean_time_to_best"], found["median_time_to_best"]) == (3.5, 3.5)
    assert found["speed_up"] == pytest.approx(8 / 3.5)
    assert found["further_queries"] == 0.0
    assert found["idle"] == 0.25
    assert found["value_at_time"] == {"1.5": [None, None], "3": [1, 9]}
    failed = searches(2, [[2.0, 4.0], [2.0, 3.0]], [[1, None], [1, 9]])
    found = timed(failed, alone, 9, "minimize", cost=2.0)
    assert found["time_to_best"] == [None, 3.0]
    assert found["mean_time_to_best"] == 3.5
    assert (found["speed_up"], found["further_queries"]) == (None, None)
    assert found["value_at_time"]["4"] == [1, 1]


def test_a_benchmark_has_one_worker_beside_and_goes_on(task: TableTask, tmp_path: Path) -> None:
    out, ran = tmp_path / "out", []
    there: list[tuple[int, int]] = []

    def again(**given):
        return bench(
            task,
            ["random", "nao"],
            seeds=2,
            evaluations=12,
            out=out,
            on_start=lambda *both: there.append(both),
            on_search=ran.append,
            **given,
        )

    summary = again(workers=3)
    assert [(found.method, found.workers) for found in ran[:4]] == [
        ("random", 3),
        ("random", 1),
        ("nao", 3),
        ("nao", 1),
    ]
    waiting = again(workers=3, synchronous=True)
    alone = again(synchronous=True)  # one worker waits for nobody
    assert there == [(0, 8), (4, 8), (4, 4)]
    assert len(read_searches(out)) == 12
    assert summary["cost"] == pytest.approx(22 / 6)
    assert alone["methods"]["nao"]["speed_up"] == 1
    assert alone["methods"]["nao"]["further_queries"] == 0
    assert summary["methods"]["random"]["idle"] == 0
    assert 0 < waiting["methods"]["random"]["idle"] < 1
    assert waiting["methods"]["random"]["speed_up"] <= summary["methods"]["random"]["speed_up"]
    assert "| idle |" in markdown(waiting)
    assert "| idle |" not in markdown(summary)
    names = {path.name for path in out.glob("*.md")}
    ends = ("", "-3-workers", "-3-workers-synchronous")
    assert names == {f"choices-acc{end}.md" for end in ends}


def test_other_costs_are_another_table(task: TableTask, tmp_path: Path) -> None:
    bench(task, ["random"], seeds=1, evaluations=3, out=tmp_path / "out")
    for column in ("", "equal"):
        other = dataclasses.replace(task, cost_column=column)
        with pytest.raises(InputError, match=r"another table, .* cost"):
            bench(other, ["random"], seeds=1, evaluations=3, out=tmp_path / "out")


def test_runs_that_were_kept_as_batches_are_read(task: TableTask, tmp_path: Path) -> None:
    plain, ran = dataclasses.replace(task, cost_column=""), []
    first = bench(plain, ["random"], seeds=1, evaluations=12, workers=4, out=tmp_path)
    path = tmp_path / "runs.jsonl"
    line = json.loads(path.read_text())
    before = {name: line[name] for name in ("task", "method", "seed", "evaluations")}
    before |= {"batch": 4} | {name: line[name] for name in ("values", "test", "seconds", "table")}
    path.write_text(json.dumps(before) + "\n")
    again = bench(
        plain, ["random"], seeds=1, evaluations=12, workers=4, out=tmp_path, on_search=ran.append
    )
    assert again == first
    assert not ran


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ("", "no finite number"),
        ("inf", "no finite number"),
        ("nan", "no finite number"),
        ("0", "0 for"),
        ("-2.5", "-2.5 for"),
    ],
)
def test_a_cost_that_is_none_is_one_line(tmp_path: Path, cost: str, said: str) -> None:
    rows = [*ROWS[:-1], f"256,4,23,{cost},1"]
    with pytest.raises(InputError, match=f"the cost column seconds has {said}") as caught:
        bench(task_of(tmp_path, rows), ["random"], seeds=1, evaluations=2, out=tmp_path / "out")
    assert "width=256 depth=4" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def command(task: TableTask, out: Path, *options: str):
    arguments = ["bench", "--space", "choices", "--table", *task.tables, "--metric", "acc"]
    arguments += ["--architecture-column", "width,depth", "--methods", "random,nao"]
    arguments += ["--seeds", "2", "--evaluations", "12", "--out", str(out)]
    return CliRunner().invoke(app, [*arguments, *options])


def test_the_command_says_how_long_it_took(task: TableTask, tmp_path: Path) -> None:
    options = ("--workers", "3", "--cost-column", "seconds")
    printed = command(task, tmp_path / "out", *options)
    assert printed.exit_code == 0, printed.output
    assert "In seconds, 3.66667 on average an evaluation; beside one worker:" in printed.stdout
    assert "| by 3.66667 | by 7.33333 |" in printed.stdout
    found = json.loads(command(task, tmp_path / "out", *options, "--json").stdout)
    wanted = {"time_to_best", "speed_up", "further_queries", "idle", "value_at_time"}
    assert wanted <= found["nao"].keys()
    waiting = command(task, tmp_path / "out", *options, "--synchronous")
    assert "workers wait for each other" in waiting.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--cost-column", "hours"), "no column 'hours'"),
        (("--workers", "2", "--synchronous"), "synchronous workers need a cost column"),
    ],
)
def test_what_cannot_be_is_one_line(
    task: TableTask, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    result = command(task, tmp_path / "out", *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_search_in_epochs_has_no_cost_column(tmp_path: Path) -> None:
    rows = ["a,b,loss_1,loss_2,seconds", "1,1,2,1,3", "1,2,4,3,3"]
    path = tmp_path / "curves.csv"
    path.write_text("\n".join(rows) + "\n")
    curves = TableTask(
        "choices",
        (str(path),),
        "a,b",
        "loss_2",
        curve_columns=("loss_1", "loss_2"),
        cost_column="seconds",
    )
    with pytest.raises(InputError, match="counted in epochs: give one worker and no cost column"):
        bench(curves, ["nao+asha"], seeds=1, evaluations=2, out=tmp_path / "out")
