"""Compares methods on tables of known results: the same evaluations, many seeds.

    task.py      a table and its columns
    search.py    one search: a method, a table, a seed
    clock.py     its workers, in virtual time
    workers.py   searches side by side
    summary.py   the results of the searches
    timing.py    the same in virtual time
    compared.py  summaries beside each other, as `naokit report` shows them

Searches are independent, spread over processes, and each is kept as soon as it ends
(`runs.jsonl`), so that an interrupted benchmark continues.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

from naokit.base import InputError, Json
from naokit.bench.compared import RUNS
from naokit.bench.search import Name, Search, check_name, run
from naokit.bench.summary import markdown, summarise
from naokit.bench.task import TableTask, best_value, fingerprint, table_of
from naokit.bench.timing import timed
from naokit.bench.workers import in_processes
from naokit.files import append, write_json, write_whole
from naokit.study import checked_prior

__all__ = ["Search", "TableTask", "bench", "markdown", "read_searches", "run", "summarise"]

ONE = (1, False)
"""The way of one worker; see `Search.way`."""


def bench(
    task: TableTask,
    names: Sequence[str],
    *,
    seeds: int,
    evaluations: int,
    workers: int = 1,
    synchronous: bool = False,
    processes: int = 1,
    out: Path,
    on_start: Callable[[int, int], None] | None = None,
    on_search: Callable[[Search], None] | None = None,
) -> dict[str, Json]:
    """Every method with every seed; continues what `out` holds.

    With costs, each search is made by one worker too, for comparison.

    Args:
        task: The table and its column.
        names: The names of the methods; one that is named twice runs once.
        seeds: How many searches each method makes.
        evaluations: How many evaluations each search has.
        workers: How many evaluations run side by side. Without a cost column all take as long, so
            that so many architectures are asked for before the first is told.
        synchronous: Whether a worker waits until all are free before it begins again.
        processes: How many searches run at once.
        out: The folder of the results.
        on_start: A function that is called with the number of searches that exist already, and that
            of all.
        on_search: A function that is called with each further search as it ends.

    Returns:
        The summary of each method (see `summarise`), the task and its best value.

    Raises:
        InputError: No method or an unknown one, a pruner without curves or with several workers or
            costs, a prior that is none for it or for the table, a table that cannot be read, costs
            that are none, synchronous workers without costs, a folder that cannot be written or
            that holds runs of another table.
    """
    names = list(dict.fromkeys(names))
    _check(task, names, workers, synchronous)
    done = {found.name: found for found in _runs_of(task, out)}
    append(out / RUNS, "")  # a folder that cannot be written is told before anything runs
    several = (workers, synchronous and workers > 1)
    ways = dict.fromkeys([several, ONE] if task.cost_column else [several])
    wanted = [
        Name(task.name, name, seed, evaluations, *way)
        for seed in range(seeds)
        for name in names
        for way in ways
    ]
    missing = [name for name in wanted if name not in done]
    if on_start is not None:
        on_start(len(wanted) - len(missing), len(wanted))
    with closing(_run_all(task, missing, processes)) as ended:
        for found in ended:
            append(out / RUNS, json.dumps(asdict(found), allow_nan=False) + "\n")
            done[found.name] = found
            if on_search is not None:
                on_search(found)
    summary = _summary(task, names, *several, [done[name] for name in wanted])
    write_json(out / f"{summary['name']}.json", summary)
    write_whole(out / f"{summary['name']}.md", markdown(summary))
    return summary


def _check(task: TableTask, names: Sequence[str], workers: int, synchronous: bool) -> None:
    """Raises InputError where there is nothing to run, or it cannot be run so."""
    if not names:
        raise InputError("no method is named; expected names with commas between: nao,random")
    if synchronous and not task.cost_column:
        raise InputError(
            "synchronous workers need a cost column: without one all evaluations take as long, and "
            "all workers are free at once"
        )
    for name in names:
        check_name(name, task, workers)
    if task.weights is not None:
        for name in names:
            checked_prior(table_of(task).space, name.partition("+")[0], task.weights)
    best_value(table_of(task))


def _summary(
    task: TableTask, names: Sequence[str], workers: int, synchronous: bool, runs: Sequence[Search]
) -> dict[str, Json]:
    """The summary of each method, with times where evaluations have costs."""
    table = table_of(task)
    best, way = best_value(table), (workers, synchronous)
    of = {
        (name, each): [run for run in runs if (run.method, run.way) == (name, each)]
        for name in names
        for each in (way, ONE)
    }
    methods = {name: summarise(of[name, way], task, best) for name in names}
    summary: dict[str, Json] = {
        "name": _filed(task, *way),
        "task": asdict(task),
        "best": best,
        "seeds": len(of[names[0], way]),
        "evaluations": runs[0].evaluations,
        "workers": workers,
        "synchronous": synchronous,
        "methods": methods,
    }
    if task.cost_column:
        summary["cost"] = cost = fmean(task.costs(table).values())
        for name, found in methods.items():
            found |= timed(of[name, way], of[name, ONE], best, table.direction, cost)
    return summary


def _filed(task: TableTask, workers: int, synchronous: bool) -> str:
    """The name of the summary's files."""
    name = task.name + (f" {workers} workers" if workers > 1 else "")
    return (name + (" synchronous" if synchronous else "")).replace(" ", "-")


def _runs_of(task: TableTask, out: Path) -> list[Search]:
    """The runs there that are of this very table.

    Runs without values are ignored, and so are those that an earlier naokit kept without recording
    their table.

    Raises:
        InputError: There are runs of this name on another table.
    """
    runs, table = read_searches(out), fingerprint(task)
    if any(found.task == task.name and found.table not in ("", table) for found in runs):
        raise InputError(
            f"{out} holds runs of {task.name!r} on another table, or with another test metric, "
            "direction, prior, class, cost or architecture column; give another `out`"
        )
    return [found for found in runs if found.table == table and found.values]


def _run_all(task: TableTask, names: Sequence[Name], processes: int) -> Generator[Search]:
    """The runs as they end."""
    calls = [(task, *name[1:]) for name in names]
    if processes > 1 and len(calls) > 1:
        yield from in_processes(calls, run, processes)
        return
    for call in calls:
        yield run(*call)


def read_searches(out: Path) -> list[Search]:
    """The runs that a folder holds; a last line that was cut off is left out."""
    path = out / RUNS
    if not path.exists():
        return []
    whole = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    if len("".join(whole)) < path.stat().st_size:
        write_whole(path, "".join(whole))
    return [Search.from_json(json.loads(line)) for line in whole]
