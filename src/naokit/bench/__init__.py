"""Methods against each other on tables of known results: the same evaluations, many seeds.

    task.py      one run: a method, a table, a seed
    summary.py   what the runs say

Runs are independent, spread over processes, and each is kept as soon as it ends (`runs.jsonl`), so
that an interrupted benchmark continues.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from naokit.base import Json
from naokit.bench.summary import figure, markdown, summarise
from naokit.bench.task import Run, Task, best_value, run, table_of
from naokit.files import write_json, write_whole
from naokit.study import check_method

__all__ = ["Run", "Task", "bench", "figure", "markdown", "read_runs", "run", "summarise"]

RUNS = "runs.jsonl"


def bench(
    task: Task,
    names: Sequence[str],
    *,
    seeds: int,
    evaluations: int,
    batch: int = 1,
    processes: int = 1,
    out: Path,
    on_run: Callable[[Run], None] | None = None,
) -> dict[str, Json]:
    """Every method with every seed; continues what `out` holds.

    Returns:
        The summary of each method (see `summarise`), the task and its best value.

    Raises:
        InputError: an unknown method, or a table that cannot be read.
    """
    for name in names:
        check_method(name)
    best = best_value(table_of(task))
    out.mkdir(parents=True, exist_ok=True)
    done = {found.name: found for found in read_runs(out)}
    wanted = [(task.name, n, s, evaluations, batch) for s in range(seeds) for n in names]
    missing = [name for name in wanted if name not in done]
    with (out / RUNS).open("a") as file:
        for found in _run_all(task, missing, processes):
            file.write(json.dumps(asdict(found), allow_nan=False) + "\n")
            file.flush()
            done[found.name] = found
            if on_run is not None:
                on_run(found)
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


def _run_all(
    task: Task, names: Sequence[tuple[str, str, int, int, int]], processes: int
) -> Iterable[Run]:
    """The runs as they end."""
    if processes == 1 or len(names) < 2:
        for _, method, seed, evaluations, batch in names:
            yield run(task, method, seed, evaluations, batch)
        return
    context = multiprocessing.get_context("spawn")  # a forked BLAS or torch may hang
    with ProcessPoolExecutor(processes, context) as pool:
        waiting = [pool.submit(run, task, *name[1:]) for name in names]
        try:
            for future in as_completed(waiting):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def read_runs(out: Path) -> list[Run]:
    """The runs that a folder holds; a last line that was cut off is left out."""
    path = out / RUNS
    if not path.exists():
        return []
    whole = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    if len("".join(whole)) < path.stat().st_size:
        write_whole(path, "".join(whole))
    return [Run(**json.loads(line)) for line in whole]
