"""Searches in virtual time by 1 to 1,000 workers: what is left of an advantage, and what is wasted.

    OMP_NUM_THREADS=1 python -m benchmarks.many_workers FOLDER-OF-TABLES

Tables with real training times. `results/many_workers.json` holds, by seed, when a value among the
best thousandth of the table was reached and after how many queries (null: not within the budget),
the same of the very best, the share of their time that synchronous workers waited, and CPU seconds;
and what follows: medians, and how many times as long as `nao` each other method took with as many
workers (the ratio of the medians and its 95 % bootstrap interval). `proposal_cpu_seconds` is the
cost of a proposal of `nao` at 200 results, by how many are pending (`_one_by_one`: as it was when
the outcomes of pending ones were drawn one by one): because of it `nao` by 1,000
workers has their first evaluations alone, which are random. What is there is not made again.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch

from benchmarks.graph_tables import convert
from benchmarks.record import RESULTS, provenance
from benchmarks.tables import RUNS, benchmarks
from naokit.base import sign_of
from naokit.bench import Search, TableTask, run
from naokit.bench.task import best_value, table_of
from naokit.doors import Observation
from naokit.method.nao import Nao

NAME = "many_workers"
FEWEST = 3
"""Fewer seeds are not compared."""
THOUSANDTH, RESULTS_KNOWN, PENDING = 0.001, 200, (0, 8, 64, 256, 1000)
BUDGETS = {"c10": 1000, "nds": 499, "hpo-protein": 300}
"""The evaluations of each search by up to 64 workers."""
OF_THOUSAND = {"nao": 1000, "random": 2000, "evolution": 2000}
"""The evaluations of each search on c10 by 1,000 workers."""
UP_TO_64, BASELINES = (1, 8, 64), ("random", "evolution")
SEEDS = 20
GROUPS: tuple[list[tuple[str, str, tuple[int, ...]]], ...] = (
    [("c10", "nao", (1, 8)), *(("c10", name, UP_TO_64) for name in BASELINES)],
    [("nds", name, UP_TO_64) for name in ("nao", *BASELINES)],
    [("hpo-protein", name, UP_TO_64) for name in ("nao", *BASELINES, "tpe")],
    [("c10", "nao", (64,)), ("c10", "tpe", (1, 8))],
    [("nds", "tpe", (8,)), ("c10", "tpe", (64,)), ("nds", "tpe", (1, 64))],
    [("c10", name, (1000,)) for name in OF_THOUSAND],
)
"""Table, method and numbers of workers of each search; the dear ones last."""

Rows = dict[str, dict[str, list[dict[str, Any]]]]


def main() -> None:
    """Searches what is missing, seed by seed."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(1)
    tasks = tasks_of(Path(sys.argv[1]).resolve())
    path = RESULTS / f"{NAME}.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    rows: Rows = kept.get("searches", {})
    costs = {name: row for name, row in kept.items() if name.startswith("proposal_cpu_seconds")}
    costs = costs or {"proposal_cpu_seconds": proposal_costs(tasks["c10"])}
    for table, method, workers, synchronous, seed in cases():
        way = f"{method}, {workers}{' synchronous' if synchronous else ''}"
        found = rows.setdefault(table, {}).setdefault(way, [])
        if len(found) > seed:
            continue
        budget = OF_THOUSAND[method] if workers == 1000 else BUDGETS[table]
        began = time.process_time()
        search = run(tasks[table], method, seed, budget, workers, synchronous)
        found.append(row(search, tasks[table], time.process_time() - began))
        keep(rows, costs)
        print(table, way, seed, found[-1], flush=True)


def tasks_of(folder: Path) -> dict[str, TableTask]:
    """The tables that have times."""
    known = benchmarks(folder)
    nds = "nds-darts-imagenet-5-epochs"
    graphs = RUNS / "tables" / f"{nds}-graphs.csv.gz"
    if not graphs.exists():
        convert(nds, graphs.parent)
    return {
        "c10": replace(known["c10"].table, cost_column="c10_train_s_per_epoch"),
        "nds": replace(known[nds].table, tables=(str(graphs),), cost_column="iter_time"),
        "hpo-protein": replace(
            known["hpo-protein"].table, test_metric=None, cost_column="train_time_s"
        ),
    }


def cases() -> Iterator[tuple[str, str, int, bool, int]]:
    """Table, method, workers, whether these wait, and seed of each search; the cheap ones first."""
    for group in GROUPS:
        for seed in range(SEEDS):
            for table, method, amounts in group:
                for workers in amounts:
                    yield table, method, workers, False, seed
                    if method == "nao" and 1 < workers < 1000:
                        yield table, method, workers, True, seed


def row(search: Search, task: TableTask, seconds: float) -> dict[str, Any]:
    """What is kept of a search."""
    values = sorted(value for value in table_of(task).values.values() if math.isfinite(value))
    if task.direction == "maximize":
        values.reverse()
    place = max(0, round(THOUSANDTH * len(values)) - 1)
    sign = sign_of(task.direction)
    return {
        **_reached("top", search, sign * values[place], sign),
        **_reached("best", search, sign * best_value(table_of(task)), sign),
        **({"idle": round(search.idle, 4)} if search.synchronous else {}),
        "cpu_seconds": round(seconds, 1),
    }


def _reached(name: str, search: Search, goal: float, sign: float) -> dict[str, Any]:
    """When a value that is as good was reached, and by which query."""
    pairs = zip(search.values, search.ended, strict=True)
    good = [end for value, end in pairs if value is not None and sign * value >= goal]
    if not good:
        return {f"{name}_time": None, f"{name}_queries": None}
    queries = sum(end <= min(good) for end in search.ended)
    return {f"{name}_time": float(f"{min(good):.6g}"), f"{name}_queries": queries}


def proposal_costs(task: TableTask) -> dict[str, float]:
    """The CPU seconds of a proposal at 200 random results, by the number of pending ones."""
    table = table_of(task)
    method = Nao(table.space, 0, 1)
    assert method.everything is not None
    order = np.random.default_rng(0).permutation(len(method.everything.architectures))
    drawn = [method.everything.architectures[place] for place in order]
    history = [Observation(one, table.values[one.key]) for one in drawn[:RESULTS_KNOWN]]
    method.propose(history)
    found = {}
    for pending in PENDING:
        began = time.process_time()
        method.propose(history, drawn[RESULTS_KNOWN : RESULTS_KNOWN + pending])
        found[str(pending)] = round(time.process_time() - began, 3)
    return found


def keep(rows: Rows, costs: dict[str, dict[str, float]]) -> None:
    """Writes what there is, a line for each kind of search, after what a proposal costs."""
    found = {
        **provenance(),
        "budgets": BUDGETS,
        "budgets_of_1000_workers": OF_THOUSAND,
        **costs,
        "medians": {name: medians(of_table) for name, of_table in rows.items()},
        "as_long_as_nao": {name: beside_nao(of_table) for name, of_table in rows.items()},
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in found.items()]
    tables = [
        f"  {json.dumps(name)}: {{\n"
        + ",\n".join(f"   {json.dumps(way)}: {json.dumps(all_)}" for way, all_ in of_table.items())
        + "\n  }"
        for name, of_table in rows.items()
    ]
    lines.append(' "searches": {\n' + ",\n".join(tables) + "\n }")
    (RESULTS / f"{NAME}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def medians(rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The medians over the seeds; null where half of the searches did not come so far."""
    return {
        way: {
            "seeds": len(found),
            **{
                name: _shown(float(np.median(_values(found, name))))
                for name in ("top_time", "top_queries", "best_time", "best_queries")
            },
            **({"idle": float(np.median(_values(found, "idle")))} if "idle" in found[0] else {}),
        }
        for way, found in rows.items()
    }


def beside_nao(rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The ratio of the medians of the time to the top, with its interval; null: without end."""
    generator, ratios = np.random.default_rng(0), {}
    for way, found in rows.items():
        ours = rows.get(f"nao, {way.split()[1]}")
        if not ours or ours is found or min(len(found), len(ours)) < FEWEST:
            continue
        times = [_values(searches, "top_time") for searches in (found, ours)]
        ratio = float(np.median(times[0]) / np.median(times[1]))
        drawn = [np.median(generator.choice(one, (4000, len(one))), axis=1) for one in times]
        with np.errstate(invalid="ignore"):
            low, high = np.nanquantile(drawn[0] / drawn[1], [0.025, 0.975], method="lower")
        ratios[way] = {
            "seeds": [len(one) for one in times],
            "ratio": _shown(ratio),
            "interval_95": [_shown(float(low)), _shown(float(high))],
        }
    return ratios


def _values(found: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([math.inf if one[name] is None else one[name] for one in found])


def _shown(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


if __name__ == "__main__":
    main()
