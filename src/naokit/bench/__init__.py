"""Compares methods on tables of known results: the same evaluations, many seeds.

    search.py    one search: a method, a table, a seed
    workers.py   searches side by side
    summary.py   the results of the searches

Searches are independent, spread over processes, and each is kept as soon as it ends
(`runs.jsonl`), so that an interrupted benchmark continues.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from naokit.base import InputError, Json
from naokit.bench.search import (
    Search,
    TableTask,
    best_value,
    check_name,
    fingerprint,
    run,
    table_of,
)
from naokit.bench.summary import markdown, plot, summarise
from naokit.bench.workers import in_processes
from naokit.files import append, write_json, write_whole
from naokit.study import checked_prior

__all__ = ["Search", "TableTask", "bench", "markdown", "plot", "read_searches", "run", "summarise"]

RUNS = "runs.jsonl"


def bench(
    task: TableTask,
    names: Sequence[str],
    *,
    seeds: int,
    evaluations: int,
    batch: int = 1,
    processes: int = 1,
    out: Path,
    on_start: Callable[[int], None] | None = None,
    on_search: Callable[[Search], None] | None = None,
) -> dict[str, Json]:
    """Every method with every seed; continues what `out` holds.

    Args:
        task: The table and its column.
        names: The names of the methods; one that is named twice runs once.
        seeds: How many searches each method makes.
        evaluations: How many evaluations each search has.
        batch: How many architectures are asked for before the first is told.
        processes: How many searches run at once.
        out: The folder of the results.
        on_start: A function that is called with the number of searches that exist already.
        on_search: A function that is called with each further search as it ends.

    Returns:
        The summary of each method (see `summarise`), the task and its best value.

    Raises:
        InputError: No method or an unknown one, a pruner without curves or with a batch, a prior
            that is none for it or for the table, a table that cannot be read, a folder that cannot
            be written or that holds runs of another table.
    """
    names = list(dict.fromkeys(names))
    if not names:
        raise InputError("no method is named; expected names with commas between: nao,random")
    for name in names:
        check_name(name, task, batch)
    if task.weights is not None:
        for name in names:
            checked_prior(table_of(task).space, name.partition("+")[0], task.weights)
    best = best_value(table_of(task))
    done = {found.name: found for found in _runs_of(task, out)}
    append(out / RUNS, "")  # a folder that cannot be written is told before anything runs
    wanted = [(task.name, n, s, evaluations, batch) for s in range(seeds) for n in names]
    missing = [name for name in wanted if name not in done]
    if on_start is not None:
        on_start(len(wanted) - len(missing))
    with closing(_run_all(task, missing, processes)) as ended:
        for found in ended:
            append(out / RUNS, json.dumps(asdict(found), allow_nan=False) + "\n")
            done[found.name] = found
            if on_search is not None:
                on_search(found)
    summary = {
        "name": f"{task.name}{f' batch {batch}' if batch > 1 else ''}".replace(" ", "-"),
        "task": asdict(task),
        "best": best,
        "seeds": seeds,
        "evaluations": evaluations,
        "batch": batch,
        "methods": {
            name: summarise([done[w] for w in wanted if w[1] == name], task, best) for name in names
        },
    }
    write_json(out / f"{summary['name']}.json", summary)
    write_whole(out / f"{summary['name']}.md", markdown(summary))
    return summary


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
            "direction, prior, class or architecture column; give another `out`"
        )
    return [found for found in runs if found.table == table and found.values]


def _run_all(
    task: TableTask, names: Sequence[tuple[str, str, int, int, int]], processes: int
) -> Generator[Search]:
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
    return [Search(**json.loads(line)) for line in whole]
